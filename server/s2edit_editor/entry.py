"""One job in a list, once for both editors: what it shows, and what each of its buttons does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from s2edit_wire.records import EditRecord

from . import rows
from .desk import Desk
from .host import Host
from .previewing import Preview
from .rows import AGAIN, APPLY, CANCEL, EDIT, REMOVE, RETRY, SHOW, START, Row, kept_row, row
from .text import _
from .wish import Wish


def labels() -> dict[str, str]:
    """What the buttons say, where they have no keys of their own."""
    return {
        CANCEL: _("Cancel"),
        APPLY: _("Add as layer"),
        SHOW: _("Show layer"),
        RETRY: _("Retry"),
        AGAIN: _("Again"),
        EDIT: _("Edit…"),
        START: _("Use as start"),
        REMOVE: "✕",
    }


class JobEntry:
    """A job as one list shows it.

    Args:
        desk: knows the job, and carries out what the buttons ask for. job: its id.
        front: the document in front, None where none is open.
        fill: takes the wish that a form is to be filled with. told: takes what is to be said.
        ask: asks, and acts after a yes.
        preview: where finished results are looked at.

    Attributes:
        shown: what it showed at the last look. kept: the job as its document has it, where only that remembers it.
    """

    def __init__(
        self,
        desk: Desk,
        job: str,
        front: Callable[[], Host | None],
        fill: Callable[[Wish], None],
        told: Callable[[str], None],
        ask: rows.Ask,
        preview: Preview,
    ) -> None:
        self._desk, self._job, self._front = desk, job, front
        self._fill, self._told, self._preview = fill, told, preview
        self.shown: Row | None = None
        self.kept: Mapping[str, Any] = {}
        self.acts: dict[str, Callable[[], None]] = {
            CANCEL: lambda: desk.cancel(job),
            APPLY: self.apply,
            SHOW: self.apply,
            RETRY: self._retry,
            AGAIN: self._again,
            EDIT: self._again,
            START: self._start,
            REMOVE: lambda: rows.remove(desk, job, ask),
        }

    @property
    def edit(self) -> EditRecord:
        """What was asked for."""
        edit: EditRecord = self.kept["edit"] if self.kept else self._desk.edit(self._job)
        return edit

    def look(self, kept: Mapping[str, Any]) -> Row:
        """See how the job is now.

        Args:
            kept: the job as its document has it, {} of one that the daemon knows.
        """
        self.kept, host = kept, self._front()
        there = host is not None and self._job in host.results()
        self.shown = kept_row(kept, there=there) if kept else row(self._desk, self._job, there=there)
        return self.shown

    def changed(self) -> bool:
        """The daemon told of it: see how it is now; whether the whole list has to be looked at again."""
        before = self.shown
        if (
            before is None
            or self.kept
            or (self._job not in self._desk.book.all and self._job not in self._desk.errands)
        ):
            return True
        return self.look({}).actions != before.actions

    @property
    def picture_does(self) -> str:
        """What a press on its small picture does, for a hint; "" where that is nothing."""
        if self._preview.can_show(self._job):
            return _("Preview on the canvas")
        actions = self.shown.actions if self.shown is not None else ()
        return next((label for action, label in labels().items() if action in (APPLY, SHOW) and action in actions), "")

    def press_picture(self) -> None:
        """A result that waits is looked at first; one that is a layer is chosen."""
        if self._preview.can_show(self._job):
            self._preview.toggle(self._job)
        else:
            self.apply()

    def apply(self, *, choose: bool = False) -> None:
        """Make its layer, or choose the one that is there."""
        rows.apply(self._desk, self._front(), self._job, choose=choose)

    def _retry(self) -> None:
        self._told(_("Sent. You can go on painting."))
        self._desk.retry(self._job)

    def _again(self) -> None:
        """The fields as they were, and the layer that they were about."""
        host = self._front()
        layer = rows.source(self._desk, host, self._job, self.edit) if host is not None else ""
        if host is not None and layer:
            host.choose(layer)
        self._fill(Wish.from_edit(self.edit))

    def _start(self) -> None:
        """The result becomes the picture: its layer is chosen, and what it shows is what was wanted."""
        self.apply(choose=True)
        self._fill(Wish.from_edit(self.edit).as_start())
