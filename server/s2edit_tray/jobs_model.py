"""All jobs as a Qt model: changed in place, never rebuilt, so that thousands of them scroll smoothly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QByteArray,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)
from s2edit_editor.text import hover
from s2edit_wire.records import ENDED

from .job_words import headline, state_line, title, tool_tip

Index = QModelIndex | QPersistentModelIndex

JOB_ROLE = Qt.ItemDataRole.UserRole + 1
"""The whole `job` record, a dict."""
JOBS_MIME = "application/x-s2edit-jobs"
"""What dragged jobs are: their ids, one a line."""
_ROOT = QModelIndex()
_ORDER = {"running": 0, "queued": 1, "paused": 2}


class JobsModel(QAbstractListModel):
    """Jobs in the order in which they became known; `JobsOrder` sorts and filters them."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: list[dict[str, Any]] = []
        self._row: dict[str, int] = {}
        self._doubted: set[str] = set()

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Number of jobs."""
        return 0 if parent.isValid() else len(self._jobs)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The record at `JOB_ROLE`; texts for screen readers at the standard roles."""
        if not index.isValid():
            return None
        job = self._jobs[index.row()]
        if role == JOB_ROLE:
            return job
        if role == Qt.ItemDataRole.DisplayRole:
            return title(job)
        if role == Qt.ItemDataRole.ToolTipRole:
            return hover(tool_tip(job))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{title(job)}, {headline(job)}, {state_line(job)}"
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Jobs that wait can be dragged to another place in the queue."""
        flags = super().flags(index)
        if index.isValid() and self._jobs[index.row()]["state"] == "queued":
            return flags | Qt.ItemFlag.ItemIsDragEnabled
        return flags

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """What a drag carries: ids, one a line, of a type of S²Edit's own, so that no other program takes them."""
        data = QMimeData()
        ids = "\n".join(str(index.data(JOB_ROLE)["job"]) for index in indexes)
        data.setData(JOBS_MIME, QByteArray(ids.encode()))
        return data

    def roleNames(self) -> dict[int, QByteArray]:
        """Names of the roles."""
        return {**super().roleNames(), JOB_ROLE: QByteArray(b"job")}

    def upsert(self, job: dict[str, Any]) -> None:
        """Take in a job's newest record; an older one than known (by `seq`) is ignored."""
        row = self._row.get(job["job"])
        if row is None:
            row = len(self._jobs)
            self.beginInsertRows(QModelIndex(), row, row)
            self._jobs.append(job)
            self._row[job["job"]] = row
            self.endInsertRows()
            return
        if job["seq"] >= self._jobs[row]["seq"] or job["job"] in self._doubted:
            self._doubted.discard(job["job"])
            self._jobs[row] = job
            self.dataChanged.emit(self.index(row), self.index(row))

    def extend(self, jobs: list[dict[str, Any]]) -> None:
        """Take in a page of jobs at once."""
        fresh = [job for job in jobs if job["job"] not in self._row]
        for job in jobs:
            if job["job"] in self._row:
                self.upsert(job)
        if fresh:
            first = len(self._jobs)
            self.beginInsertRows(QModelIndex(), first, first + len(fresh) - 1)
            self._jobs.extend(fresh)
            self._row.update({job["job"]: first + offset for offset, job in enumerate(fresh)})
            self.endInsertRows()

    def remove(self, job_id: str) -> None:
        """Forget a job."""
        row = self._row.pop(job_id, None)
        if row is None:
            return
        self.beginRemoveRows(QModelIndex(), row, row)
        del self._jobs[row]
        for job in self._jobs[row:]:
            self._row[job["job"]] -= 1
        self.endRemoveRows()

    def doubt(self) -> None:
        """Take any record for newer than those known: the daemon may be another one, which numbers changes afresh.

        Until `settle`; what is shown and selected stays so.
        """
        self._doubted = set(self._row)

    def settle(self) -> None:
        """Forget the jobs of which nothing was heard since `doubt`: there are none such any more."""
        for job_id in self._doubted:
            self.remove(job_id)
        self._doubted.clear()

    def job(self, job_id: str) -> dict[str, Any] | None:
        """The newest record of a job."""
        row = self._row.get(job_id)
        return None if row is None else self._jobs[row]

    def at(self, row: int) -> dict[str, Any]:
        """The newest record in a row; for sorting and filtering, to which Qt's own way to it is most of the work."""
        return self._jobs[row]

    def all(self) -> list[dict[str, Any]]:
        """The newest records of all jobs, in no order."""
        return list(self._jobs)

    def waiting(self) -> list[str]:
        """Ids of queued jobs, first one first."""
        queued = [job for job in self._jobs if job["state"] == "queued"]
        return [job["job"] for job in sorted(queued, key=lambda job: int(job["position"]))]


def order_key(job: dict[str, Any]) -> tuple[int, float]:
    """Running first, then the queue by place, then held ones, then the ended ones, newest first."""
    state = job["state"]
    if state in ENDED:
        return 3, -float(job.get("finished", job["created"]))
    return _ORDER[state], float(job["position"]) if state == "queued" else float(job["created"])


class JobsOrder(QSortFilterProxyModel):
    """The jobs in the order that people expect, filtered by state, program and text."""

    def __init__(self, source: JobsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = source
        self._states: frozenset[str] = frozenset()
        self._host = ""
        self._text = ""
        self.setSourceModel(source)
        self.setDynamicSortFilter(True)
        self.sort(0)

    def show_only(self, states: frozenset[str] = frozenset(), host: str = "", text: str = "") -> None:
        """Keep jobs in these states (all when empty), of this program, with this text in a prompt or document."""
        self.beginFilterChange()
        self._states, self._host, self._text = states, host, text.casefold()
        self.endFilterChange(QSortFilterProxyModel.Direction.Rows)

    def lessThan(self, left: Index, right: Index) -> bool:
        """Compare two source rows."""
        return order_key(self._jobs.at(left.row())) < order_key(self._jobs.at(right.row()))

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        """Whether a source row is shown."""
        job = self._jobs.at(row)
        document = job["edit"].get("document", {})
        if self._states and job["state"] not in self._states:
            return False
        if self._host and document.get("host") != self._host:
            return False
        words = (title(job), job["edit"].get("source", ""), document.get("title", ""))
        return not self._text or any(self._text in word.casefold() for word in words)
