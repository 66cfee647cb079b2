"""What a form shows after what happened to it: doubts are no errors, and what a press was told outlives plans."""

from __future__ import annotations

from typing import Any

import pytest
from s2edit_editor.form import Form, MainWord, Shown, described
from s2edit_editor.planning import Facts
from s2edit_editor.wish import Wish

WISH = Wish(source="a woman with a hat", target="a woman with a crown", words=("hat",))


def plan(*problems: dict[str, Any]) -> Any:
    forecast = {"first_s": 60.0, "next_s": 8.0, "cached": True, "measured": True, "memory": 1, "memory_free": 2}
    fine = {"size": [8, 8], "finest": 1.0, "framed": False}
    said = {"words": ["hat"], "crop": [0, 0, 8, 8], "model_size": [8, 8], "settings": {}, "resolution": fine}
    return said | {"problems": list(problems), "forecast": forecast}


def problem(field: str, message: str, *, blocking: bool) -> dict[str, Any]:
    return {"field": field, "code": "bad_prompt", "message": message, "blocking": blocking, "hint": ""}


def ready() -> Form:
    form = Form()
    form.connection(ready=True)
    return form


def test_nothing_can_be_pressed_without_a_connection() -> None:
    form = Form()
    assert form.shown == Shown()
    assert not form.judged(WISH, Facts(), plan()).pressable, "no daemon"
    assert form.connection(ready=True).pressable
    assert not form.connection(ready=False).pressable


def test_a_doubt_blocks_nothing_and_is_no_error() -> None:
    form = ready()
    doubted = form.judged(WISH, Facts(), plan(problem("target", "“crown” was never learned.", blocking=False)))
    assert (doubted.pressable, doubted.bad, doubted.doubted) == (True, False, frozenset({"target"}))
    assert doubted.text and doubted.time and doubted.marks
    both = form.judged(
        WISH,
        Facts(),
        plan(problem("target", "Never learned.", blocking=False), problem("object", "Not there.", blocking=True)),
    )
    assert (both.pressable, both.bad, both.doubted, set(both.marks)) == (
        True,
        True,
        frozenset({"target"}),
        {"target", "object"},
    )
    about_model = form.judged(WISH, Facts(), plan(problem("model", "It knows no photographs.", blocking=False)))
    assert (about_model.doubt, about_model.bad, about_model.text) == ("It knows no photographs.", False, "")


def test_what_went_wrong_is_said_until_a_field_changes() -> None:
    form = ready()
    form.judged(WISH, Facts(), plan())
    assert form.failed("The layer is gone.").bad
    assert form.judged(WISH, Facts(), plan()).text == "The layer is gone."
    changed = form.changed()
    assert (changed.text, changed.bad) == ("", False)
    form.failed("Again.")
    assert form.told("Sent.").text == "Sent."
    assert not form.shown.bad


def test_what_was_done_is_said_until_a_plan_has_something_to_say() -> None:
    form = ready()
    assert form.told("Sent.").text == "Sent."
    empty = Wish()
    assert form.judged(empty, Facts(), plan()).text == "Sent.", "nothing is typed yet, so nothing is said of it"
    told = form.judged(WISH, Facts(), plan())
    assert (told.text, bool(told.time)) == ("", True)


def test_a_mask_that_is_not_painted_yet_is_said_and_is_no_mistake() -> None:
    form, unpainted = ready(), Facts(mask_trouble="“Mask” marks nothing.")
    shown = form.judged(WISH, unpainted, plan())
    assert (shown.text, shown.bad, set(shown.marks)) == ("“Mask” marks nothing.", False, {"mask"})
    form.told("Paint over the object.")
    assert form.judged(WISH, unpainted, plan()).text == "Paint over the object.", "that is said already"
    assert form.lacks(WISH, unpainted)
    assert form.shown.bad, "once it is pressed"


def test_a_press_of_what_is_not_finished_says_what_is_missing() -> None:
    form = ready()
    assert not form.judged(Wish(), Facts(), None).bad
    assert form.lacks(Wish(source="a woman"), Facts())
    assert (form.shown.text, form.shown.bad) == ("Type the word that names the object.", True)
    assert not form.lacks(WISH, Facts())
    assert not form.shown.bad


def test_a_picture_that_is_gone_can_not_be_sent_until_it_is_back() -> None:
    form = ready()
    form.judged(WISH, Facts(), plan())
    assert not form.gone("The layer is gone.").pressable
    assert form.shown.text == "The layer is gone."
    assert form.judged(WISH, Facts(), plan()) == Shown(time="This picture is known: about 8 s.", pressable=True)


HAT, CROWN = "a woman with a hat", "a woman with a crown"


@pytest.mark.parametrize(
    ("recalled", "source", "typed", "words", "now", "put"),
    [
        ("", HAT, CROWN, ["woman", "hat"], "", "hat"),
        ("", HAT, HAT, ["woman", "hat"], "", ""),
        ("", HAT, "remove the hat", ["woman", "hat"], "", "hat"),
        ("", HAT, CROWN, ["woman", "hat"], "woman", ""),
        ("", HAT, CROWN, ["woman", "hat"], "feather", ""),
        ("crown", HAT, CROWN, ["woman", "hat"], "crown", "hat"),
        ("hat", HAT, "a man with a hat", ["woman", "hat"], "hat", ""),
    ],
    ids=["changed", "nothing changed", "instructed", "chosen", "typed", "recalled and gone", "recalled and there"],
)
def test_the_main_word_is_proposed_until_somebody_chooses(
    recalled: str, source: str, typed: str, words: list[str], now: str, put: str
) -> None:
    main = MainWord()
    main.recall(recalled)
    assert main.proposed(source, typed, words, now) == put


def test_what_was_proposed_gives_way_once_the_description_has_it_no_more() -> None:
    main = MainWord()
    assert main.proposed(HAT, CROWN, ["woman", "hat"], "") == "hat"
    assert main.proposed("a woman with a bag", CROWN, ["woman", "bag"], "hat") == "bag"
    assert main.proposed("a woman", CROWN, ["woman"], "bag ") == "", "somebody went on typing"


@pytest.mark.parametrize(("typed", "wish"), [("", HAT), (" ", HAT), ("add a bow", "add a bow")])
def test_a_wish_begins_as_the_description_unless_there_is_one(typed: str, wish: str) -> None:
    assert described(HAT, typed) == (HAT, wish)


def test_of_an_instruction_only_what_should_change_is_asked() -> None:
    form, wish = ready(), Wish(target="add sunglasses", instructs=True)
    assert form.lacks(Wish(instructs=True), Facts()) and form.shown.text == "Say what should change."
    assert not form.lacks(wish, Facts(masks=2, typed="add sunglasses"))
    judged = form.judged(wish, Facts(masks=2, typed="add sunglasses"), plan())
    assert (judged.marks, judged.bad, bool(judged.time)) == ({}, False, True)
