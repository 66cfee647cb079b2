"""One sentence is enough: where only the change is said, “Edit” has the picture described, and the edit follows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.protocol.paper import form, jobs_of
from tests.protocol.program import LAYER, WISH, Editor

pytestmark = pytest.mark.usefixtures("closed")
WISHED = "a portrait of a woman with a crown"
ONLY_THE_CHANGE: dict[str, Any] = {"wish": replace(WISH, source="", words=()), "typed": WISHED}


def test_one_sentence_is_enough(editor: Editor, still: bool) -> None:
    """The picture is described, the object's word proposed from the difference, and the edit sent."""
    flow, paper = form(editor, still=still, **ONLY_THE_CHANGE)
    known = set(editor.desk.errands)
    flow.press()
    assert paper.shown.asking == {"caption"}
    editor.wait(lambda: "sent edit" in paper.said)
    described, sent = jobs_of(editor, known)
    editor.wait(lambda: sent in editor.host.results())
    edit = editor.desk.book.all[sent]["edit"]
    assert (edit["source"], edit["target"]) == (paper.wish.source, WISHED)
    assert [entry["word"] for entry in edit["objects"]] == [paper.wish.words[0]] == ["hat"]
    flow.changed()
    editor.wait(lambda: paper.shown.time)
    assert jobs_of(editor, known) == [described, sent], "it is sent once"


def test_nothing_follows_a_description_of_another_layer(editor: Editor) -> None:
    editor.host.with_layer("notes", LAYER)
    flow, paper = form(editor, **ONLY_THE_CHANGE)
    known = set(editor.desk.errands)
    flow.press()
    paper.layer = "notes"
    editor.wait(lambda: paper.wish.source)
    plans = len(paper.plans)
    flow.look()
    editor.wait(lambda: len(paper.plans) > plans and paper.shown.time)
    assert len(jobs_of(editor, known)) == 1


def test_nothing_follows_what_went_wrong_meanwhile(editor: Editor) -> None:
    flow, paper = form(editor, **ONLY_THE_CHANGE)
    known = set(editor.desk.errands)
    flow.press()
    flow.failed("It went wrong.")
    editor.wait(lambda: paper.wish.source and paper.shown.time)
    assert len(jobs_of(editor, known)) == 1


def test_without_a_wish_nothing_is_described(editor: Editor) -> None:
    flow, paper = form(editor, wish=replace(WISH, source="", target=""), typed="")
    known = set(editor.desk.errands)
    flow.press()
    editor.wait(lambda: paper.shown.text == "Say what the picture shows.")
    assert not jobs_of(editor, known) and paper.shown.bad
