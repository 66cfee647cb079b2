"""A job's row in a list: what its buttons do, against a real daemon with the fake worker."""

from __future__ import annotations

from dataclasses import dataclass, field

from s2edit_editor.entry import JobEntry, labels
from s2edit_editor.kept import Kept
from s2edit_editor.lists import lists
from s2edit_editor.previewing import Preview
from s2edit_editor.rows import AGAIN, APPLY, CANCEL, EDIT, REMOVE, RETRY, SHOW, START, Question
from s2edit_editor.wish import Wish
from s2edit_wire.recipe import NAME, Recipe

from tests.protocol.program import WISH, Editor
from tests.unit.editor.test_kept import Drawer

OLD = "0" * 32


@dataclass
class Listed:
    """A job's entry in an editor's list, and what came of its buttons."""

    editor: Editor
    job: str
    filled: list[Wish] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        desk, front = self.editor.desk, lambda: self.editor.host
        self.preview = Preview(desk, front, lambda: None)
        self.entry = JobEntry(desk, self.job, front, self.filled.append, self.told.append, self._ask, self.preview)

    def _ask(self, question: Question, then: object) -> None:
        self.asked.append(question.asked)

    def press(self, action: str) -> None:
        assert action in self.entry.look({}).actions
        self.entry.acts[action]()


def test_every_button_has_a_label_and_does_something(editor: Editor) -> None:
    assert labels().keys() == Listed(editor, "any").entry.acts.keys()


def test_a_result_that_waits_is_put_in_edited_again_and_edited_further(editor: Editor) -> None:
    listed = Listed(editor, editor.submit(as_layer=False))
    assert listed.entry.changed(), "nobody has looked at it yet"
    listed.entry.look({})
    editor.ended(listed.job)
    assert listed.entry.changed(), "it has other buttons now"
    assert not listed.entry.changed()
    listed.press(REMOVE)
    assert listed.asked and listed.job in editor.desk.book.all, "nothing is lost without a yes"
    assert listed.entry.picture_does == "Preview on the canvas"
    listed.entry.press_picture()
    assert listed.preview.job == listed.job
    listed.entry.press_picture()
    assert not listed.preview.job
    listed.press(APPLY)
    editor.wait(lambda: listed.job in editor.host.results())
    editor.host.chosen = ""
    listed.press(AGAIN)
    assert editor.host.chosen == "photo", "the layer that it was about"
    assert (listed.filled[-1].source, listed.filled[-1].target) == (WISH.source, WISH.target)
    listed.press(START)
    assert editor.host.chosen == editor.host.results()[listed.job], "its result is what is edited next"
    assert (listed.filled[-1].source, listed.filled[-1].target) == (WISH.target, "")
    editor.host.chosen = ""
    listed.press(SHOW)
    assert listed.entry.picture_does == "Show layer"
    editor.host.chosen = ""
    listed.entry.press_picture()
    assert editor.host.chosen == editor.host.results()[listed.job] and len(editor.host.inserted) == 1


def test_a_job_is_stopped_and_tried_again(editor: Editor) -> None:
    listed = Listed(editor, editor.submit(held=True))
    editor.wait(lambda: listed.job in editor.desk.book.all)
    listed.press(CANCEL)
    editor.ended(listed.job)
    listed.press(EDIT)
    assert listed.filled[-1].target == WISH.target
    listed.press(RETRY)
    assert listed.told == ["Sent. You can go on painting."]
    editor.wait(lambda: editor.desk.book.all[listed.job]["state"] == "running")
    editor.desk.cancel(listed.job)
    editor.ended(listed.job)
    editor.desk.forget(listed.job)
    assert listed.entry.changed(), "it is gone"


def test_what_only_the_document_remembers_is_listed_and_edited_again(editor: Editor) -> None:
    kept, edit = Kept(Drawer()), WISH.to_edit([], {"host": "krita"}, "portraits")
    register = kept.register()
    register.applied_as(OLD, "layer", "photo")
    kept.store(register)
    kept.keep(NAME, Recipe(edit=edit, job=OLD, when=1.0).to_json(), "layer")
    shown = lists(editor.desk, editor.host, kept.forgotten)
    assert (shown.history[-1], shown.kept[OLD]["edit"]) == (OLD, edit)
    listed = Listed(editor, OLD)
    assert listed.entry.look(shown.kept[OLD]).actions == (AGAIN, START)
    assert listed.entry.changed(), "only its document knows of it"
    listed.entry.acts[AGAIN]()
    assert listed.filled == [Wish.from_edit(edit)]
