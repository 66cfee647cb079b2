"""Which result is looked at on the canvas, and when that ends; against a real daemon with the fake worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from s2edit_editor.host import Host, Insertion
from s2edit_editor.pixels import Box
from s2edit_editor.previewing import ADD, DISMISS, NEXT, PREVIOUS, Bar, Preview, actions

from tests.fakes.editor import FakeHost, Shown
from tests.protocol.program import CROP, LAYER, Editor


@dataclass
class Window:
    """An editor's window with as many variations that wait as are asked for, and what it looked at."""

    editor: Editor
    front: Host | None = None
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.front = self.editor.host
        self.editor.host.name = uuid4().hex  # the daemon has results of other tests
        self.preview = Preview(self.editor.desk, lambda: self.front, lambda: self.seen.append(self.preview.job))
        self.editor.desk.on_layer = self.editor.desk.on_removed = lambda _job: self.preview.look()

    def varied(self, count: int) -> list[str]:
        """Finished variations, the newest first, as in the list."""
        jobs = [self.editor.submit(as_layer=False) for _ in range(count)]
        for job in jobs:
            self.editor.ended(job)
        return self.preview.waiting()[0]

    def shown(self, job: str) -> Shown:
        """What is on the canvas, once that is this job's."""
        previews = self.editor.host.previews
        self.editor.wait(lambda: previews and previews[-1].result.job == job and self.preview.job == job)
        assert [one.there for one in previews] == [False] * (len(previews) - 1) + [True], "one at a time"
        return previews[-1]


@pytest.fixture
def window(editor: Editor) -> Iterator[Window]:
    made = Window(editor)
    yield made
    made.preview.dismiss()


def test_a_result_is_shown_where_it_would_go_and_the_document_is_left_alone(window: Window) -> None:
    (job,) = window.varied(1)
    host, before = window.editor.host, [(one.known, one.pixels.tobytes()) for one in window.editor.host.sheets]
    notes = dict(host.notes)
    window.preview.toggle(job)
    result = window.shown(job).result
    assert (result.box, result.source, result.name) == (CROP, "photo", "hat → crown")
    bars = [window.preview.bar]
    window.editor.desk.saved(host)
    assert [(one.known, one.pixels.tobytes()) for one in host.sheets] == before, "what is saved has nothing of it"
    assert (host.notes, host.inserted, host.results()) == (notes, [], {})
    assert not window.editor.desk.book.all[job]["acknowledged"], "the daemon must keep it"
    window.preview.toggle(job)
    assert not host.previews[-1].there
    assert [*bars, window.preview.bar] == [Bar("Preview: hat → crown", several=False), None]
    assert window.preview.waiting() == ([job], [])


def test_keys_go_round_through_all_that_waits_and_put_one_in(window: Window) -> None:
    first, second, third = window.varied(3)
    assert window.preview.acts.keys() == actions().keys()
    bars = []
    for act, job in ((NEXT, first), (NEXT, second), (NEXT, third), (NEXT, first), (PREVIOUS, third)):
        window.preview.acts[act]()
        window.shown(job)
        assert window.preview.bar is not None
        bars.append(window.preview.bar.text)
    assert bars[:3] == [f"Preview {place} of 3: hat → crown" for place in (1, 2, 3)]
    window.preview.acts[ADD]()
    window.preview.acts[ADD]()
    window.editor.wait(lambda: third in window.editor.host.results())
    assert not window.preview.job and not window.editor.host.previews[-1].there, "its layer stands there now"
    assert len(window.editor.host.inserted) == 1
    window.preview.acts[ADD]()
    window.preview.acts[DISMISS]()
    assert len(window.editor.host.inserted) == 1 and window.preview.waiting()[0] == [first, second]
    window.preview.acts[PREVIOUS]()
    window.shown(second)


def test_only_the_newest_wish_is_shown(window: Window) -> None:
    """However fast the keys are pressed: an answer that comes late shows nothing."""
    first, second = window.varied(2)
    window.preview.acts[NEXT]()
    window.preview.acts[NEXT]()
    window.shown(second)
    assert [one.result.job for one in window.editor.host.previews] == [second]
    window.preview.show(first)
    window.preview.acts[DISMISS]()
    window.editor.desk.request("ping", {}, lambda *_: window.seen.append("ping"))
    window.editor.wait(lambda: "ping" in window.seen)
    assert window.preview.job == "" and len(window.editor.host.previews) == 1


def _close(window: Window) -> None:
    window.editor.host.open = False


def _paint(window: Window) -> None:
    window.editor.host.sheet("photo").pixels[20:30, 25:40] = 200


def _delete_layer(window: Window) -> None:
    window.editor.host.remove("photo")


def _other_in_front(window: Window) -> None:
    window.front = FakeHost(name="other").with_layer("photo", LAYER)


def _none_in_front(window: Window) -> None:
    window.front = None


def _painter_closes_it(window: Window) -> None:
    window.editor.host.previews[-1].there = False


def _forget(window: Window) -> None:
    window.editor.desk.remove(window.preview.job)


def _cut(window: Window) -> None:
    window.editor.host.size = (60, 45)


ENDS: list[Callable[[Window], None]] = [
    _close,
    _paint,
    _delete_layer,
    _other_in_front,
    _none_in_front,
    _painter_closes_it,
    _forget,
    _cut,
]


@pytest.mark.parametrize("change", ENDS, ids=lambda change: change.__name__)
def test_it_ends_by_itself_when_it_is_no_longer_true(window: Window, change: Callable[[Window], None]) -> None:
    (job,) = window.varied(1)
    window.preview.toggle(job)
    shown = window.shown(job)
    change(window)
    window.editor.wait(lambda: not window.preview.job)
    assert not shown.there
    assert window.seen[-1] == "" and window.preview.bar is None


def test_what_can_not_be_shown_says_why(window: Window) -> None:
    window.front = FakeHost(name="nothing was ever edited here")
    window.preview.acts[NEXT]()
    assert window.editor.heard[-1] == ("trouble", "No finished result waits for this picture.")
    window.front = window.editor.host
    (job,) = window.varied(1)
    window.editor.host.refused = "Convert it first."
    window.preview.show(job)
    window.editor.wait(lambda: ("trouble", "Convert it first.") in window.editor.heard)
    assert window.preview.job == "" and not window.editor.host.previews
    window.front = None
    assert window.preview.waiting() == ([], [])
    window.preview.show(job)
    assert window.preview.job == ""


def test_results_of_closed_pictures_can_be_looked_at_in_the_one_in_front(window: Window) -> None:
    """And those of another open picture can not: they belong there."""
    (job,) = window.varied(1)
    window.front = window.editor.front = other = FakeHost(name="other").with_layer("photo", Box(0, 0, 120, 90))
    assert window.preview.waiting() == ([], [])
    window.editor.host.open = False
    own, others = window.preview.waiting()
    assert not own and others[0] == job
    window.preview.acts[NEXT]()
    window.editor.wait(lambda: other.previews)
    shown: Insertion = other.previews[0].result
    assert (shown.box.width, shown.box.height) == (CROP.width, CROP.height)
