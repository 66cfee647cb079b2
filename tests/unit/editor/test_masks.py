"""Masks: what is offered first, what is taken for the painter and never against them, what is waited for."""

from __future__ import annotations

import pytest
from s2edit_editor import masks
from s2edit_editor.host import AUTOMATIC, CHANNEL, EARLIER, LAYER_MASK, PAINTED, SELECTION, Layer, MaskChoice
from s2edit_editor.masks import Selected, Waiting, automatic, kinds, painted_for, picked_up, to_paint
from s2edit_wire.limits import MAX_OBJECTS

HAT, BAG = MaskChoice(PAINTED, "h", "Hat", "hat"), MaskChoice(PAINTED, "b", "Bag", "bag")
CHOSEN, OWN = MaskChoice(SELECTION, label="Selection"), MaskChoice(LAYER_MASK, "m", "Mask")


def layer(mark: str, **known: object) -> Layer:
    return Layer(mark, mark, None, **known)  # type: ignore[arg-type]


def test_a_mask_that_is_missing_is_waited_for() -> None:
    field = Waiting(automatic())
    field.offer([automatic(), HAT])
    field.choose(HAT)
    assert (field.now, field.place) == (HAT, 1)
    field.offer([automatic(), CHOSEN])
    assert (field.now.kind, field.place) == (AUTOMATIC, 0), "on another layer"
    field.offer([automatic(), CHOSEN, HAT])
    assert (field.now, field.place) == (HAT, 2), "and back"
    field.choose(BAG)
    assert (field.now, field.place) == (BAG, 0), "the editor tells of a new layer a little later"
    field.offer([automatic(), MaskChoice(PAINTED, "b", "Renamed")])
    assert field.place == 1


@pytest.mark.parametrize(
    ("looks", "taken"),
    [
        ([("a", [CHOSEN], automatic())], [True]),
        ([("a", [OWN], automatic()), ("a", [OWN, CHOSEN], automatic())], [False, True]),
        ([("a", [CHOSEN], HAT)], [False]),
        ([("a", [CHOSEN], CHOSEN), ("a", [CHOSEN], automatic())], [False, False]),
        ([("a", [CHOSEN], automatic()), ("a", [], automatic()), ("a", [CHOSEN], automatic())], [True, False, True]),
        ([("a", [CHOSEN], automatic()), ("b", [CHOSEN], automatic())], [True, True]),
    ],
    ids=["at once", "made later", "never instead of paint", "turned down", "made anew", "in another picture"],
)
def test_a_selection_is_taken_once(looks: list[tuple[str, list[MaskChoice], MaskChoice]], taken: list[bool]) -> None:
    selected = Selected()
    assert [selected.taken(*look) is not None for look in looks] == taken


def test_which_object_is_painted_next() -> None:
    assert to_paint([automatic()]) == 0
    assert to_paint([HAT, CHOSEN]) == 1
    assert to_paint([HAT, BAG]) == 2
    assert to_paint([HAT] * MAX_OBJECTS) == MAX_OBJECTS - 1


@pytest.mark.parametrize(
    ("word", "chosen", "offered", "source", "found"),
    [
        ("hat", automatic(), [HAT, BAG], "a woman with a hat", (HAT, "hat")),
        ("", automatic(), [HAT, BAG], "a woman with a bag", (BAG, "bag")),
        ("", automatic(), [HAT, BAG], "", (BAG, "bag")),
        ("", automatic(), [HAT, BAG], "a woman", (BAG, "")),
        ("crown", automatic(), [HAT, BAG], "", (automatic(), "crown")),
        ("hat", CHOSEN, [HAT, BAG], "", (CHOSEN, "hat")),
        ("hat", automatic(), [CHOSEN, OWN], "", (automatic(), "hat")),
    ],
)
def test_the_masks_of_an_earlier_edit(
    word: str, chosen: MaskChoice, offered: list[MaskChoice], source: str, found: tuple[MaskChoice, str]
) -> None:
    assert picked_up(word, chosen, offered, source) == found


PHOTO = layer("photo", own_mask=True)
LOW, HIGH = layer("low", made_for="photo"), layer("high", made_for="photo")
USED = layer("low", made_for="photo", visible=False), layer("high", made_for="photo", visible=False)
RESULT = layer("result", made_from="photo", made_with=("low",), own_mask=True)


@pytest.mark.parametrize(
    ("stack", "source", "painted"),
    [
        ([HIGH, LOW, PHOTO], "photo", ["low", "high"]),
        ([USED[1], LOW, PHOTO], "photo", ["low"]),
        ([RESULT, USED[1], USED[0], PHOTO], "photo", ["low"]),
        ([USED[1], USED[0], PHOTO], "photo", ["low", "high"]),
        ([RESULT, USED[1], USED[0], PHOTO], "result", ["low"]),
        ([RESULT, USED[1], PHOTO], "result", ["high"]),
        ([RESULT, PHOTO], "result", []),
        ([layer("own", made_for="result"), RESULT, LOW, PHOTO], "result", ["own"]),
        ([layer("orphan", made_from="gone")], "orphan", []),
    ],
    ids=[
        "in the order of painting",
        "used ones are hidden",
        "of the newest result",
        "all used, no result",
        "a result has its source's",
        "one of its own is gone",
        "none left",
        "its own first",
        "its source is gone",
    ],
)
def test_the_painted_masks_of_a_layer(stack: list[Layer], source: str, painted: list[str]) -> None:
    assert painted_for(stack, source) == painted


def test_the_likeliest_kind_comes_first() -> None:
    assert kinds([HIGH, PHOTO], "photo", selected=True, channels=True) == [
        PAINTED,
        SELECTION,
        LAYER_MASK,
        AUTOMATIC,
        CHANNEL,
    ]
    used = kinds([RESULT, USED[1], PHOTO], "photo", selected=False, channels=False)
    assert used == [LAYER_MASK, AUTOMATIC, PAINTED, EARLIER]
    assert kinds([layer("bare")], "bare", selected=False, channels=False) == [AUTOMATIC]


def test_a_mask_layer_stands_for_its_layer() -> None:
    assert masks.edited([HIGH, PHOTO], "high") == "photo"
    assert masks.edited([HIGH, PHOTO], "photo") == "photo"
    assert masks.edited([HIGH], "high") == "high", "its layer is gone"
