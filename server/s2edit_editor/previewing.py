"""A finished result is looked at on the canvas before it becomes a layer, once for both editors.

One at a time, of the document in front. It is no part of that: what is saved, merged or undone meanwhile has nothing of
it. It goes when it is no longer true: once its document is closed or another one is in front, its layer is there,
its job is gone, or the picture is another one than it was shown over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from s2edit_wire.errors import WireError

from . import words
from .delivery import foreseeing
from .desk import Desk
from .host import Host, Previewed
from .jobs import waits
from .later import Later
from .lists import lists
from .pixels import Box, Picture
from .text import _
from .turns import Work, in_turns

LOOK_S = 0.7
"""Seconds between two looks whether it is still true: no editor tells of a layer that was moved or undone."""
_SAMPLES = 256
"""Pixels along the longer side of what is compared to tell whether the picture has changed."""


@dataclass(frozen=True)
class Bar:
    """What is said beside the buttons of a preview.

    Args:
        text: which one it is. several: whether there are others to go to.
    """

    text: str
    several: bool


NEXT, PREVIOUS, ADD, DISMISS = "next", "previous", "apply", "dismiss"


def actions() -> dict[str, str]:
    """What can be done by keys, with what menus and hints call it."""
    return {
        NEXT: _("Preview the next result"),
        PREVIOUS: _("Preview the result before"),
        ADD: _("Add the previewed result as a layer"),
        DISMISS: _("Dismiss the preview; the result stays in the list"),
    }


class Preview:
    """What one window looks at.

    Args:
        desk: knows the jobs. front: the document in front, None where none is open.
        changed: called whenever another one is shown, or none.

    Attributes:
        job: the one that is shown, or is about to be; "" for none.
        acts: does each of `actions`.
    """

    def __init__(self, desk: Desk, front: Callable[[], Host | None], changed: Callable[[], None]) -> None:
        self._desk, self._front, self._changed = desk, front, changed
        self.job = ""
        self.acts: dict[str, Callable[[], None]] = {
            NEXT: lambda: self.step(1),
            PREVIOUS: lambda: self.step(-1),
            ADD: self.apply,
            DISMISS: self.dismiss,
        }
        self._turn = 0
        self._host: Host | None = None
        self._shown: Previewed | None = None
        self._box: Box | None = None
        self._below: Picture | None = None
        self._looking = Later(desk.loop, LOOK_S, self.look)

    @property
    def bar(self) -> Bar | None:
        """What is said of it; None while none is shown."""
        if not self.job:
            return None
        waiting, title = self._round(), words.title(self._desk.edit(self.job))
        if self.job not in waiting or len(waiting) == 1:
            return Bar(_("Preview: {title}", title=title), several=len(waiting) > 1)
        place = waiting.index(self.job) + 1
        said = _("Preview {number} of {all}: {title}", number=place, all=len(waiting), title=title)
        return Bar(said, several=True)

    def waiting(self) -> tuple[list[str], list[str]]:
        """The finished results that can be looked at in the document in front, in the order of its lists.

        Returns:
            Its own, and those of closed pictures, which would go into this one.
        """
        host, desk = self._front(), self._desk
        if host is None:
            return [], []
        found, there = lists(desk, host), host.results()
        others = [job for job in found.others if job not in there and desk.home(job) == host]
        return [job for job in found.history if job not in there and self._is_finished(job)], others

    def can_show(self, job: str) -> bool:
        """Whether this one can be looked at now."""
        host = self._front()
        if host is None or not self._is_finished(job) or job in host.results():
            return False
        return self._desk.home(job) == host

    def toggle(self, job: str) -> None:
        """Look at it, or no more where it is shown already."""
        if job == self.job:
            self.dismiss()
        else:
            self.show(job)

    def step(self, by: int) -> None:
        """Look at the next one (1), or at the one before (-1), round and round; the first one where none is shown.

        Those of closed pictures come only where one of them is shown, or nothing else waits.
        """
        waiting = self._round()
        if not waiting:
            self._desk.on_trouble(WireError("unknown_job", _("No finished result waits for this picture.")), "")
        elif self.job in waiting:
            self.show(waiting[(waiting.index(self.job) + by) % len(waiting)])
        else:
            self.show(waiting[0 if by > 0 else -1])

    def show(self, job: str) -> None:
        """Look at a job's result, in place of what is shown."""
        host = self._front()
        if host is None or job == self.job:
            return
        self._end()
        self.job, self._host, turn = job, host, self._turn
        self._changed()

        def failed(error: WireError) -> None:
            if turn == self._turn:
                self.dismiss()
                self._desk.on_trouble(error, job)

        def came(header: Mapping[str, Any], pictures: Mapping[str, Picture]) -> None:
            if turn != self._turn:
                return
            work = self._work(host, header, pictures)
            in_turns(self._desk.loop, work, lambda made: self._made(host, *made), failed, alive)

        def alive() -> bool:
            self.look()
            return turn == self._turn

        self._desk.request("result", {"job": job}, came, failed=failed)

    def apply(self) -> None:
        """Make it a layer, which takes its place."""
        if self.job:
            self._desk.fetch(self.job)

    def dismiss(self) -> None:
        """Look at it no more; it waits as before."""
        if self.job:
            self._end()
            self._changed()

    def look(self) -> None:
        """See whether it is still true; to be called whenever something may have happened."""
        if self.job and not self._is_true():
            self.dismiss()
        elif self._shown is not None:
            self._looking.start()

    def _is_finished(self, job: str) -> bool:
        record = self._desk.book.all.get(job)
        return record is not None and record["state"] == "done" and waits(record)

    def _round(self) -> list[str]:
        own, others = self.waiting()
        return others if self.job in others or not own else own

    def _is_true(self) -> bool:
        host, shown = self._host, self._shown
        if host is None or not host.is_open() or host != self._front() or not self.can_show(self.job):
            return False
        if shown is None:  # on its way
            return True
        return shown.is_there() and self._below == self._look_below(host, shown)

    def _work(
        self, host: Host, header: Mapping[str, Any], pictures: Mapping[str, Picture]
    ) -> Work[tuple[Previewed, Box]]:
        layer, result = yield from foreseeing(host, header["job"], header["record"], pictures)
        return (yield from host.previewing(layer, result)), result.box

    def _made(self, host: Host, shown: Previewed, box: Box) -> None:
        self._shown, self._box = shown, box
        self._below = self._look_below(host, shown)
        self._looking.start()
        self._changed()

    def _look_below(self, host: Host, shown: Previewed) -> Picture | None:
        """What there is where it is shown, thinly; None where that does not matter, or is not on the canvas."""
        seen = self._box and self._box.clipped(*host.canvas())
        if seen is None or shown.over is None:
            return None
        try:
            return host.glance(shown.over, seen, max(1, max(seen.width, seen.height) // _SAMPLES))
        except WireError:  # its layer is gone
            return None

    def _end(self) -> None:
        self._turn += 1
        shown, self._shown, self._below = self._shown, None, None
        self.job, self._host = "", None
        self._looking.stop()
        if shown is not None:
            shown.end()
