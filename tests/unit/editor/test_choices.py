"""What a form with one choice of mask holds: kept with a picture, made once more, and on top of a result."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from s2edit_editor.choices import Choices, as_start, made_again
from s2edit_editor.host import AUTOMATIC, CHANNEL, EARLIER, LAYER_MASK, PAINTED, SELECTION
from s2edit_editor.masks import mask_layer, next_word
from s2edit_editor.notes import REFERENCE
from s2edit_editor.pixels import Box
from s2edit_editor.together import Together
from s2edit_editor.wish import Wish
from s2edit_wire.errors import WireError
from s2edit_wire.recipe import NAME, Recipe

from tests.fakes.editor import FakeHost

WISH = Wish(source="a woman with a hat", target="a woman with a crown", words=("hat",), model="m", seed=7)
BOX = Box(10, 5, 80, 60)


@pytest.fixture
def host() -> FakeHost:
    return FakeHost().with_layer("photo", BOX).with_layer("other", BOX)


@pytest.mark.parametrize(
    ("choices", "back"),
    [
        (Choices(WISH, CHANNEL, "sky"), {}),
        (Choices(replace(WISH, kind="compose", reference_prompt="a cap"), reference="other"), {}),
        (Choices(replace(WISH, kind="compose", reference_prompt="a cap"), reference="file:///a%20b.png"), {}),
        (
            Choices(replace(WISH, kind="compose", reference_prompt="a cap"), reference="gone"),
            {"wish": WISH, "reference": ""},
        ),
    ],
    ids=["a channel", "a layer", "a file", "a layer that is gone"],
)
def test_what_is_kept_with_a_picture_comes_back(host: FakeHost, choices: Choices, back: dict[str, Any]) -> None:
    assert Choices.from_note(host, choices.noted()) == replace(choices, **back)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"wish": 3}', '{"wish": "{}"}'])
def test_any_other_text_is_passed_over(host: FakeHost, text: str) -> None:
    assert Choices.from_note(host, text) is None


def test_an_unknown_kind_of_mask_is_left_to_the_model(host: FakeHost) -> None:
    text = json.dumps({**json.loads(Choices(WISH).noted()), "mask": "telepathy"})
    back = Choices.from_note(host, text)
    assert back is not None and back.mask == AUTOMATIC


def test_habits_are_no_words() -> None:
    assert Choices(replace(WISH, settings={"blend.context": 2.0}), PAINTED, reference="other").habits() == Choices(
        Wish(model="m", settings={"blend.context": 2.0})
    )


def result_of(host: FakeHost, **known: Any) -> None:
    host.with_layer("result", BOX, made_from="photo", **known)
    edit = WISH.to_edit([True], {"host": "gimp"}, "m")
    host.keep(NAME, Recipe(edit=edit, job="0" * 32, when=1.0).to_json(), "result")


@pytest.mark.parametrize(("painted", "mask"), [(False, (EARLIER, "result")), (True, (PAINTED, ""))])
def test_a_result_made_once_more_has_its_masks_or_newer_ones(
    host: FakeHost, painted: bool, mask: tuple[str, str]
) -> None:
    result_of(host)
    host.keep(REFERENCE, "other", "result")
    if painted:
        host.with_layer("mask", BOX, made_for="photo", word="hat")
    source, choices = made_again(host, "result")
    assert (source, choices.wish, choices.reference, (choices.mask, choices.mark)) == ("photo", WISH, "other", mask)


def test_a_result_as_a_start_shows_what_was_wished_for(host: FakeHost) -> None:
    result_of(host, own_mask=True)
    start = as_start(host, "result")
    assert (start.wish.source, start.wish.target, start.wish.words) == (WISH.target, "", ("crown",))
    assert start.mask == LAYER_MASK
    with pytest.raises(WireError, match="no result"):
        as_start(host, "photo")


def test_one_kind_of_mask_for_all_objects_is_looked_for_once(host: FakeHost) -> None:
    together = Together(host, "photo")
    assert together.found(AUTOMATIC, "") == ([], "")
    masks, trouble = together.found(PAINTED, "")
    assert not masks and "No mask is painted yet" in trouble
    host.with_layer("mask", BOX, made_for="photo", word="hat")
    assert together.found(PAINTED, "")[1] == trouble, "until somebody looks again"
    together.forget()
    masks, trouble = together.found(PAINTED, "")
    assert ([mask.mark for mask in masks], trouble) == (["mask"], "")


@pytest.mark.parametrize(
    ("mask", "mark", "offers", "taken"),
    [
        (AUTOMATIC, "", [AUTOMATIC], AUTOMATIC),
        (AUTOMATIC, "", [SELECTION, AUTOMATIC], SELECTION),
        (CHANNEL, "sky", [PAINTED, AUTOMATIC, CHANNEL], PAINTED),
        (CHANNEL, "sky", [AUTOMATIC, CHANNEL], CHANNEL),
        (CHANNEL, "sky", [AUTOMATIC], AUTOMATIC),
        (EARLIER, "result", [SELECTION, AUTOMATIC, EARLIER], EARLIER),
        (EARLIER, "", [SELECTION, AUTOMATIC, EARLIER], SELECTION),
    ],
)
def test_what_was_painted_or_selected_since_is_the_mask(mask: str, mark: str, offers: list[str], taken: str) -> None:
    choices = Choices(WISH, mask, mark)
    choices.choose_mask(offers)
    assert choices.mask == taken


def test_the_next_object_without_a_mask_layer_is_painted(host: FakeHost) -> None:
    assert next_word(host, "photo", ("hat", "woman")) == "hat"
    mask_layer(host, "photo", "hat")
    assert next_word(host, "photo", ("hat", "woman")) == "woman"
    mask_layer(host, "photo", "woman")
    assert next_word(host, "photo", ("hat", "woman")) == ""
