"""The docker's lower part: the queue with progress, this document's edits, and results that wait from elsewhere."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from s2edit_editor.lists import lists
from s2edit_editor.previewing import Preview
from s2edit_editor.text import _ as tr

from .desk import KritaDesk
from .host import front
from .jobrow import JobRow
from .qt import QLabel, QTimer, QVBoxLayout, QWidget, pyqtSignal

_REBUILD_MS = 60


class JobList(QWidget):
    """Headed lists of rows that follow the desk's signals.

    Signals:
        rebuilt(): other rows may be shown now.

    Args:
        desk: where jobs come from.
        sections: which lists: `queue`, `history` (this document's), `others` (results that wait from elsewhere).
        preview: where finished results are looked at.
    """

    rebuilt = pyqtSignal()

    def __init__(self, desk: KritaDesk, sections: Sequence[str], preview: Preview, parent: QWidget) -> None:
        super().__init__(parent)
        self._desk, self._preview = desk, preview
        self._rows: dict[str, JobRow] = {}
        self._headings = {name: _heading(_sections()[name], self) for name in sections}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        # Several signals in one turn of the event loop give one rebuild.
        self._rebuilding = QTimer(self)
        self._rebuilding.setSingleShot(True)
        self._rebuilding.setInterval(_REBUILD_MS)
        self._rebuilding.timeout.connect(self.rebuild)
        desk.told.job_changed.connect(self._changed)
        desk.told.job_removed.connect(lambda _job: self.rebuild_soon())
        desk.told.layer_added.connect(lambda _job: self.rebuild_soon())
        desk.told.picture_came.connect(self._picture)

    def rebuild_soon(self) -> None:
        """Look again at what is to be shown, shortly."""
        self._rebuilding.start()

    def rebuild(self) -> None:
        """Show what there is: rows are kept where their job is still shown."""
        host = front()
        found = lists(self._desk, host, host.kept.forgotten) if host is not None else lists(self._desk, None)
        wanted = {name: getattr(found, name) for name in self._headings}
        shown = {job for jobs in wanted.values() for job in jobs}
        for name in [name for name in self._rows if name not in shown]:
            row = self._rows.pop(name)
            row.setParent(None)
            row.deleteLater()
        while self._layout.count():
            self._layout.takeAt(0)
        for section, jobs in wanted.items():
            self._headings[section].setVisible(bool(jobs))
            if jobs:
                self._layout.addWidget(self._headings[section])
            for job in jobs:
                self._layout.addWidget(self._row(job, found.kept.get(job, {})))
        # At once, else the form beside is squeezed until Qt comes round to it.
        around = self.parentWidget()
        layout = around.layout() if around is not None else None
        if around is not None and layout is not None:
            self._layout.activate()
            layout.activate()
            around.setMinimumHeight(layout.minimumHeightForWidth(around.width()))
        self.rebuilt.emit()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self._rows

    def row(self, job: str) -> JobRow | None:
        """The row of a job, or None."""
        return self._rows.get(job)

    def _row(self, job: str, kept: Mapping[str, Any]) -> JobRow:
        row = self._rows.get(job)
        if row is None:
            row = self._rows[job] = JobRow(self._desk, job, self._preview, self)
        row.update_job(kept)
        return row

    def _changed(self, job: str) -> None:
        row = self._rows.get(job)
        if row is None or row.changed():
            self.rebuild_soon()

    def _picture(self, job: str) -> None:
        row = self._rows.get(job)
        if row is not None:
            row.show_picture()


def _sections() -> dict[str, str]:
    return {"queue": tr("Queue"), "history": tr("Edits of this picture"), "others": tr("Waiting results")}


def _heading(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    label.hide()
    return label
