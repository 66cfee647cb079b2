"""The list of jobs as a widget: waiting ones can be dragged to another place in the queue."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractItemView, QListView

from .jobs_model import JOB_ROLE, JOBS_MIME
from .text import _


class JobList(QListView):
    """Cards of jobs.

    Signals:
        dropped: ids of the dragged jobs in the order shown, and the id of the waiting job before which they were
            dropped ("" for the end of the queue).
    """

    dropped = Signal(list, str)

    def __init__(self) -> None:
        super().__init__()
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName(_("Jobs"))
        self.setDragEnabled(True)
        self.setAcceptDrops(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        # Qt's own mark sits on top of a card as well as between cards; here only "between" means anything.
        self.setDropIndicatorShown(False)
        self._gap: int | None = None

    def selected(self) -> list[dict[str, Any]]:
        """Records of the selected jobs, in the order shown."""
        rows = sorted(self.selectionModel().selectedIndexes(), key=QModelIndex.row)
        return [index.data(JOB_ROLE) for index in rows]

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Only jobs; nothing else can be dropped here."""
        if event.mimeData().hasFormat(JOBS_MIME):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Mark the gap below the pointer."""
        # Qt scrolls in its own handler when the pointer is near an edge; its verdict is replaced by this list's own.
        super().dragMoveEvent(event)
        if event.mimeData().hasFormat(JOBS_MIME):
            self._mark(self._row_at(event.position().toPoint()))
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """No gap is meant any more."""
        super().dragLeaveEvent(event)
        self._mark(None)

    def dropEvent(self, event: QDropEvent) -> None:
        """Tell where to; the rows themselves move when the daemon says so."""
        self._mark(None)
        if not event.mimeData().hasFormat(JOBS_MIME):
            return
        # Not MoveAction: after one, Qt would ask the model to delete the rows that were dragged.
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        moved = bytes(event.mimeData().data(JOBS_MIME).data()).decode().split()
        self.dropped.emit(moved, self._waiting_from(self._row_at(event.position().toPoint()), moved))

    def paintEvent(self, event: QPaintEvent) -> None:
        """The cards, and a line where dragged ones would go."""
        super().paintEvent(event)
        if self._gap is None:
            return
        last = self._gap >= self.model().rowCount()
        card = self.visualRect(self.model().index(self._gap - 1 if last else self._gap, 0))
        height = card.bottom() if last else card.top()
        painter = QPainter(self.viewport())
        painter.setPen(QPen(self.palette().highlight(), 3))
        painter.drawLine(card.left(), height, card.right(), height)

    def _mark(self, gap: int | None) -> None:
        if gap != self._gap:
            self._gap = gap
            self.viewport().update()

    def _row_at(self, place: QPoint) -> int:
        """The row before which something dropped there goes."""
        index = self.indexAt(place)
        if not index.isValid():
            return self.model().rowCount()
        return index.row() + (place.y() > self.visualRect(index).center().y())

    def _waiting_from(self, row: int, moved: list[str]) -> str:
        """The first waiting job at or below a row that is not itself moved."""
        for below in range(row, self.model().rowCount()):
            job = self.model().index(below, 0).data(JOB_ROLE)
            if job["state"] == "queued" and job["job"] not in moved:
                return str(job["job"])
        return ""
