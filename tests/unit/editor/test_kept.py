"""What a document remembers: its own mark, notes of results, small pictures, and what viewers are told."""

from __future__ import annotations

from s2edit_editor.kept import Kept
from s2edit_editor.register import MaskLayer, Register
from s2edit_wire.recipe import NAME, Recipe

from tests.protocol.program import WISH

EDIT = WISH.to_edit([], {"host": "krita"}, "portraits")


class Drawer(dict[str, bytes]):
    """A `kept.Drawer` in memory; counts what was written."""

    written = 0

    def get(self, name: str) -> bytes:  # type: ignore[override]
        return super().get(name, b"")

    def put(self, name: str, _title: str, data: bytes) -> None:
        self.written += 1
        self[name] = data

    def remove(self, name: str) -> None:
        del self[name]


def test_a_document_gets_its_mark_once() -> None:
    drawer = Drawer()
    assert Kept(drawer).register() == Register()
    mark = Kept(drawer).identity()
    assert len(mark) == 32 and Kept(drawer).identity() == mark
    assert drawer.written == 1, "a second look does not change the document"


def test_notes_go_with_the_job_and_not_with_its_layer() -> None:
    kept = Kept(Drawer())
    kept.keep("s2edit-other", "plain")
    register = kept.register()
    register.applied_as("job", "layer", "photo")
    kept.store(register)
    kept.keep(NAME, "recipe", "layer")
    assert (kept.note("s2edit-other"), kept.note(NAME, "layer"), kept.note(NAME)) == ("plain", "recipe", "")
    register.applied_as("job", "made anew", "photo")
    kept.store(register)
    assert kept.note(NAME, "made anew") == "recipe", "undone and redone"
    kept.keep(NAME, "", "made anew")
    kept.keep(NAME, "", "made anew")
    assert kept.note(NAME, "made anew") == ""


def test_edits_that_the_daemon_has_forgotten_come_from_their_recipes_newest_first() -> None:
    kept = Kept(Drawer())
    register = kept.register()
    old, known, damaged, new = (digit * 32 for digit in "0123")
    for when, job in enumerate((old, known, damaged, new)):
        register.applied_as(job, f"layer of {job}", "photo")
        kept.store(register)
        text = "{" if job == damaged else Recipe(edit=EDIT, job=job, when=float(when)).to_json()
        kept.keep(NAME, text, f"layer of {job}")
        kept.keep_picture(job, job.encode())
    found = kept.forgotten([known])
    assert list(found) == [new, old]
    assert found[new] == {"job": new, "state": "done", "edit": EDIT, "created": 3.0}
    assert (kept.picture(old), kept.picture("unknown")) == (old.encode(), b"")


def test_the_mark_comes_goes_and_comes_again_with_what_is_left() -> None:
    kept, layers = Kept(Drawer()), ["photo", "mask"]
    kept.store(Register(masks={"mask": MaskLayer("hat", "photo")}))

    def settled() -> bool:
        kept.settle(lambda: layers, lambda: b"again")
        return kept.is_marked

    assert not settled(), "nothing was ever edited"
    layers.append("result")
    kept.say_model(lambda: layers, "result", lambda: b"said")
    assert kept.register().unedited == ["photo"], "neither the painted mask nor the result itself"
    assert settled()
    layers.remove("result")
    assert not settled(), "undone"
    layers.append("result")
    assert settled(), "redone"
    layers.remove("result")
    layers.append("merged")
    assert settled(), "merged, so it is still in there"
    kept.say_model(lambda: ["everything"], "none", lambda: b"said")
    assert kept.register().unedited == ["photo"], "what there was before the first result counts"
