"""Where a result goes, how it is shown there, and what it is called."""

from __future__ import annotations

import pytest
from s2edit_editor.delivery import LONGEST_NAME, Manner, Spot, layer_name, manner_over, spot_over
from s2edit_editor.host import Layer
from s2edit_editor.pixels import Box

BOX = Box(0, 0, 8, 8)


def stack(*layers: tuple[str, str, str]) -> list[Layer]:
    """Layers from the top down, each with its mark, its group and what it was made from."""
    return [Layer(mark, mark, BOX, parent, made_from=made_from) for mark, parent, made_from in layers]


@pytest.mark.parametrize(
    ("layers", "source", "spot"),
    [
        (stack(("cover", "", ""), ("photo", "", "")), "photo", Spot("", "photo")),
        (stack(("cover", "", ""), ("first", "", "photo"), ("photo", "", "")), "photo", Spot("", "first")),
        # Of two results, and of a result of a result, the topmost: the painter sees the newest at once.
        (stack(("second", "", "photo"), ("first", "", "photo"), ("photo", "", "")), "photo", Spot("", "second")),
        (stack(("again", "", "first"), ("first", "", "photo"), ("photo", "", "")), "photo", Spot("", "again")),
        # Moved under its source by the painter: over the source all the same.
        (stack(("photo", "", ""), ("first", "", "photo")), "photo", Spot("", "photo")),
        # In the source's group, whatever lies elsewhere.
        (stack(("first", "", "inner"), ("group", "", ""), ("inner", "group", "")), "inner", Spot("group", "inner")),
        (stack(("top", "", ""), ("group", "", ""), ("inner", "group", "")), "gone", Spot("", "top")),
        ([], "gone", Spot("", "")),
    ],
)
def test_the_newest_result_lies_over_its_source_and_all_older_ones(
    layers: list[Layer], source: str, spot: Spot
) -> None:
    assert spot_over(layers, source) == spot


PLAIN, SHOWN = Manner(blended=False, clipped=False), Manner(blended=True, clipped=True)


@pytest.mark.parametrize(
    ("source", "opaque", "manner"),
    [
        (Layer("a", "a", BOX), True, PLAIN),
        (None, False, PLAIN),
        (Layer("a", "a", BOX), False, SHOWN),
        (Layer("a", "a", BOX, masked=True), True, SHOWN),
        (Layer("a", "a", BOX, opacity=0.45), True, SHOWN),
        (Layer("a", "a", BOX, mode="multiply"), True, SHOWN),
    ],
)
def test_only_what_is_seen_through_something_is_blended(source: Layer | None, opaque: bool, manner: Manner) -> None:
    assert manner_over(source, opaque=opaque) == manner


WOMAN = "a smiling woman with pink hair"


@pytest.mark.parametrize(
    ("source", "target", "name"),
    [
        (WOMAN, "a smiling woman with sunglasses and pink hair", "+ sunglasses"),
        (WOMAN, "a smiling woman with pink hair wearing a tall hat", "+ tall hat"),
        ("a woman with a hat", "a woman with a crown", "hat → crown"),
        ("a woman with glasses", "a woman", "− glasses"),
        (WOMAN, "a smiling woman with red hair and a nose ring", "pink → red, + nose ring"),
        (WOMAN, WOMAN, WOMAN),
        ("A woman.", "a woman", "a woman"),
        ("", "add a crown", "add a crown"),  # an instruction
        ("", "", "S²Edit"),
    ],
)
def test_a_layer_is_called_by_what_it_changes(source: str, target: str, name: str) -> None:
    assert layer_name({"source": source, "target": target}) == name


def test_a_long_name_is_cut_where_layer_lists_end() -> None:
    name = layer_name({"source": "a", "target": "a " + "very " * 40 + "long one"})
    assert name.startswith("+ very")
    assert len(name) == LONGEST_NAME
    assert name.endswith("…")
