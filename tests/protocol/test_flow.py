"""A form's flow on a document in memory, with a real daemon: when it is planned, what is said, what a press sends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from s2edit_editor import models
from s2edit_editor.host import PAINTED, MaskChoice
from s2edit_editor.masks import mask_layer
from s2edit_editor.order import Order
from s2edit_editor.preset_menu import PresetMenu
from s2edit_editor.presets import Presets
from s2edit_editor.rows import Question
from s2edit_wire.errors import Unreachable

from tests.protocol.paper import form, jobs_of
from tests.protocol.program import LAYER, WISH, Editor

pytestmark = pytest.mark.usefixtures("closed")


def test_a_form_is_planned_with_what_will_be_sent_and_its_object_proposed(editor: Editor, still: bool) -> None:
    flow, paper = form(editor, still=still, wish=replace(WISH, words=()))
    assert paper.wish.words == ("hat",), "the word that changes"
    editor.wait(lambda: paper.crops)
    assert flow.crop is not None and LAYER.holds(flow.crop) and paper.crops == [flow.crop]
    editor.wait(lambda: paper.shown.time)
    assert (paper.shown.pressable, paper.shown.bad) == (True, False)
    paper.wish = replace(paper.wish, words=("scarf",))
    for _ in range(3):  # as one types: one plan for all of it
        flow.changed()
    plans = len(paper.plans)
    editor.wait(lambda: len(paper.plans) > plans)
    assert len(paper.plans) == plans + 1
    assert "scarf" in paper.shown.text and paper.shown.bad
    assert paper.wish.words == ("scarf",), "what somebody typed stays"


def test_a_press_sends_once_however_often_it_is_pressed(editor: Editor, still: bool) -> None:
    flow, paper = form(editor, still=still)
    known = set(editor.desk.errands)
    flow.press()
    flow.press()
    assert paper.shown.text == "Sending…"
    editor.wait(lambda: "handed over" in paper.said)
    flow.press()
    (job,) = jobs_of(editor, known)
    editor.wait(lambda: job in editor.host.results())
    assert jobs_of(editor, known) == [job]
    assert "sent edit" in paper.said
    assert paper.shown.text == "The result is there, as a new layer."


def test_a_key_sends_nothing_without_a_connection(editor: Editor) -> None:
    flow, paper = form(editor)
    known, states = set(editor.desk.errands), len(paper.states)
    editor.desk.link = "connecting"
    flow.press()
    editor.desk.link = "ready"
    assert (jobs_of(editor, known), len(paper.states)) == ([], states)
    flow.press()
    editor.wait(lambda: "sent edit" in paper.said)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"typed": "", "wish": replace(WISH, target="")}, "Say what it should show."),
        ({"wish": replace(WISH, words=())}, "Type the word that names the object."),
        ({"wish": replace(WISH, words=("bag",))}, "bag"),
        ({"layer": ""}, "Open a picture and choose a layer first."),
        ({"layer": "elsewhere"}, "The layer is gone."),
    ],
    ids=["no wish", "no object", "refused by the plan", "no layer", "gone"],
)
def test_a_press_of_what_can_not_be_sent_says_why(editor: Editor, fields: dict[str, Any], told: str) -> None:
    flow, paper = form(editor)
    for name, value in fields.items():
        setattr(paper, name, value)
    known = set(editor.desk.errands)
    flow.press()
    editor.wait(lambda: told in paper.shown.text)
    assert paper.shown.bad and not jobs_of(editor, known)
    assert "handed over" not in paper.said


def test_several_wishes_are_counted_before_they_are_sent(editor: Editor) -> None:
    flow, paper = form(editor)
    paper.wishes = tuple(WISH.variations([], 17, []))
    flow.press()
    assert "At most 16" in paper.shown.text
    known = set(editor.desk.errands)
    flow.submit(Order(WISH), WISH.variations([], 2, []))
    editor.wait(lambda: len(jobs_of(editor, known)) == 2)
    for job in jobs_of(editor, known):
        editor.ended(job)
    assert paper.shown.text == "Done. The result waits in the list below."


def test_a_mask_that_marks_nothing_yet_is_no_mistake_until_it_is_pressed(editor: Editor, still: bool) -> None:
    flow, paper = form(editor, still=still)
    mark = mask_layer(editor.host, "photo", "hat")
    paper.masks = (MaskChoice(PAINTED, mark, "Object mask: hat"),)
    flow.look()
    editor.wait(lambda: "marks nothing" in paper.shown.text)
    assert (paper.shown.bad, paper.plans[-1]["words"]) == (False, ["woman", "hat"]), (
        "the words are planned all the same"
    )
    flow.press()
    assert ("marks nothing" in paper.shown.text, paper.shown.bad) == (True, True)
    editor.host.sheet(mark).pixels[10:30, 10:30, 3] = 255
    flow.look()
    editor.wait(lambda: paper.shown.time)
    assert paper.crops[-1] == flow.crop
    editor.host.remove(mark)


def test_the_picture_is_described_and_the_object_found_once_at_a_time(editor: Editor) -> None:
    flow, paper = form(editor)
    known = set(editor.desk.errands)
    paper.typed = ""
    flow.ask("caption")
    flow.ask("caption")
    assert paper.shown.asking == {"caption"}
    editor.wait(lambda: paper.wish.source != WISH.source)
    assert paper.typed == paper.wish.source, "where nothing is wished yet, the wish begins as that"
    assert len(jobs_of(editor, known)) == 1
    editor.wait(lambda: not paper.shown.asking)
    paper.wish = WISH
    flow.ask("mask")
    editor.wait(lambda: "mask taken" in paper.said)
    assert not paper.shown.asking
    assert [layer.word for layer in editor.host.layers() if layer.made_for] == ["hat"]


def test_what_is_closed_hears_of_nothing_and_sends_nothing(editor: Editor) -> None:
    flow, paper = form(editor, still=True)
    known, states = set(editor.desk.errands), len(paper.states)
    flow.press()
    flow.close()
    done: list[object] = []
    editor.desk.request("ping", {}, lambda *_: done.append(1))
    editor.wait(lambda: done)
    assert len(paper.states) == states + 1, "“Sending…”, and then no more"
    assert not jobs_of(editor, known)


def test_a_picture_that_was_closed_and_is_back_is_planned_again(editor: Editor) -> None:
    flow, paper = form(editor)
    editor.host.open = False
    flow.look()
    assert paper.crops[-1] is None and not paper.shown.pressable
    assert paper.shown.text == "The picture is closed. Cancel, and open it again."
    editor.host.open = True
    flow.look()
    editor.wait(lambda: paper.shown.time)
    assert paper.shown.pressable


def test_a_model_is_the_painters_then_an_earlier_edits_then_the_default(editor: Editor) -> None:
    flow, paper = form(editor)
    line = flow.line
    assert line.chosen == editor.desk.default == "portraits"
    flow.filled(replace(WISH, model="of-another-computer"))
    assert line.chosen == "portraits", "one that is unknown here"
    other = next(name for name in line.known if name != "portraits")
    flow.filled(replace(WISH, model=other))
    assert line.chosen == other
    line.doubt = "It knows no such pictures."
    flow.choose_model("portraits")
    assert (line.chosen, line.doubt) == ("portraits", "")
    listed = paper.said.count("model portraits")
    flow.models_changed()
    assert paper.said.count("model portraits") == listed, "a list that somebody has open is not made anew for nothing"


def test_the_models_button_asks_for_the_licence_first(editor: Editor) -> None:
    flow, _paper = form(editor)
    absent = next(name for name, one in flow.line.known.items() if one["state"] == "absent")
    asked: list[models.LicenceQuestion] = []
    flow.choose_model(absent)
    flow.act_on_model(lambda question, _then: asked.append(question))
    assert len(asked) == 1 and "Licence" in asked[0][1]
    assert not editor.desk.models[absent]["licence_accepted"]


def test_a_preset_is_saved_chosen_and_deleted_after_a_yes(editor: Editor, tmp_path: Path) -> None:
    flow, paper = form(editor)
    menu, asked = PresetMenu(flow, paper, Presets(tmp_path / "presets")), list[Any]()

    def ask(question: Question, go: Callable[[], None]) -> None:
        asked.append((question.yes, go))

    assert menu.names() == []
    paper.wish = replace(WISH, settings={"blend.context": 2.0})
    menu.save("one", ask)
    assert paper.shown.text == "Saved as preset “one”." and not asked
    paper.wish = replace(WISH, source="a man with a bag", words=("bag",), profile="faithful")
    menu.save("one", ask)
    assert [yes for yes, _go in asked] == ["Replace"], "nothing is lost without a yes"
    menu.choose("one")
    assert paper.wish.source == "a man with a bag" and paper.wish.words == ("bag",)
    assert (paper.wish.profile, paper.wish.settings) == (WISH.profile, {"blend.context": 2.0})
    assert flow.line.chosen == WISH.model
    menu.delete("one", ask)
    assert menu.names() == ["one"]
    asked[-1][1]()
    assert menu.names() == []
    menu.choose("one")
    assert paper.shown.text == "There is no preset “one” any more."
    menu.save(" ", ask)
    assert (paper.shown.text, paper.shown.bad) == ("A preset needs a name.", True)
    (tmp_path / "presets" / "x.json").write_text("{")
    assert menu.names() == [] and "x.json" in paper.shown.text


def test_without_a_folder_to_keep_them_in_presets_are_told_of(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    flow, paper = form(editor)
    menu = PresetMenu(flow, paper)

    def homeless() -> Path:
        raise Unreachable("No home folder.", "Make one.", "not_usable")

    monkeypatch.setattr("s2edit_editor.presets.state_folder", homeless)
    for act in (menu.names, lambda: menu.choose("one"), lambda: menu.save("one", lambda *_: None)):
        flow.told("")
        act()
        assert (paper.shown.text, paper.shown.bad) == ("No home folder. Make one.", True)
    menu.delete("one", lambda _question, go: go())
    assert paper.shown.bad


def test_a_model_that_takes_an_instruction_is_asked_with_nothing_else(
    editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It isn't here, so the plan says so; that a description is typed troubles nobody."""
    flow, paper = form(editor)
    requests: list[dict[str, Any]] = []
    ask = editor.desk.ask

    def noted(op: str, fields: Any, *more: Any, **named: Any) -> None:
        requests.append(dict(fields))
        ask(op, fields, *more, **named)

    monkeypatch.setattr(editor.desk, "ask", noted)
    paper.wish = replace(paper.wish, model="flux2-klein-4b", target="add sunglasses")
    paper.typed = "add sunglasses"
    flow.choose_model("flux2-klein-4b")
    assert flow.line.instructs
    plans = len(paper.plans)
    flow.changed()
    editor.wait(lambda: len(paper.plans) > plans)
    sent = requests[-1]
    assert (sent["source"], sent["target"], sent["objects"]) == ("", "add sunglasses", [])
    assert {problem["field"] for problem in paper.plans[-1]["problems"]} == {"model"}
    flow.choose_model("portraits")
    assert not flow.line.instructs
