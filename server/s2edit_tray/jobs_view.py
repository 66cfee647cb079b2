"""The page with all jobs: filters, the list, and what can be done with the selected ones."""

from __future__ import annotations

import json
from typing import Any

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QMenu,
    QToolBar,
    QVBoxLayout,
    QWidget,
)
from s2edit_wire.records import ENDED

from .connection import Daemon
from .job_card import JobCard
from .jobs_model import JOB_ROLE, JobsModel, JobsOrder
from .text import _
from .thumbnails import Thumbnails

_FILTERS: tuple[tuple[str, frozenset[str]], ...] = (
    ("All jobs", frozenset()),
    ("Unfinished", frozenset({"queued", "paused", "running"})),
    ("Done", frozenset({"done"})),
    ("Failed or cancelled", frozenset({"failed", "cancelled"})),
)
_PAGE = 100


class JobsView(QWidget):
    """List and actions.

    Signals:
        open_result: id of a job whose result is to be shown.
        open_log: id of a job whose log is to be shown.
    """

    open_result = Signal(str)
    open_log = Signal(str)

    def __init__(self, daemon: Daemon, model: JobsModel, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._daemon = daemon
        self._model = model
        self.order = JobsOrder(model, self)
        self.list = QListView()
        self.list.setModel(self.order)
        self.list.setItemDelegate(JobCard(thumbnails))
        self.list.setUniformItemSizes(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.setAccessibleName(_("Jobs"))
        self.list.customContextMenuRequested.connect(self._menu)
        self.list.doubleClicked.connect(lambda index: self.open_result.emit(index.data(JOB_ROLE)["job"]))
        thumbnails.arrived.connect(lambda _job: self.list.viewport().update())
        self._actions = self._make_actions()
        self._empty = QLabel(_("No jobs yet. In GIMP or Krita, right-click a layer and choose “S²Edit…”."))
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addLayout(self._filters())
        layout.addWidget(self._toolbar())
        layout.addWidget(self._empty, 1)
        layout.addWidget(self.list, 10)
        selection = self.list.selectionModel()
        for signal in (selection.selectionChanged, model.dataChanged, model.rowsInserted, model.rowsRemoved):
            signal.connect(self._refresh)
        model.modelReset.connect(self._refresh)
        self._refresh()

    def load_older(self, before: int | None = None) -> None:
        """Fetch pages of jobs until there are no more; each page is taken in at once."""
        fields: dict[str, object] = {"limit": _PAGE} if before is None else {"limit": _PAGE, "before": before}

        def take(header: dict[str, Any], _frames: object) -> None:
            self._model.extend(header["jobs"])
            if "cursor" in header:
                self.load_older(header["cursor"])

        self._daemon.ask("list", fields, take)

    def selected(self) -> list[dict[str, Any]]:
        """Records of the selected jobs, in the order shown."""
        rows = sorted(self.list.selectionModel().selectedIndexes(), key=QModelIndex.row)
        return [index.data(JOB_ROLE) for index in rows]

    def _filters(self) -> QHBoxLayout:
        row = QHBoxLayout()
        states = QComboBox()
        states.setAccessibleName(_("Which jobs to show"))
        for label, wanted in _FILTERS:
            states.addItem(_(label), wanted)
        hosts = QComboBox()
        hosts.setAccessibleName(_("Which program's jobs to show"))
        for label, host in ((_("All programs"), ""), ("GIMP", "gimp"), ("Krita", "krita"), (_("Command line"), "cli")):
            hosts.addItem(label, host)
        text = QLineEdit()
        text.setPlaceholderText(_("Search prompts and documents"))
        text.setAccessibleName(_("Search"))
        text.setClearButtonEnabled(True)

        def apply() -> None:
            self.order.show_only(states.currentData(), hosts.currentData(), text.text())

        states.currentIndexChanged.connect(apply)
        hosts.currentIndexChanged.connect(apply)
        text.textChanged.connect(apply)
        for widget in (states, hosts):
            row.addWidget(widget)
        row.addWidget(text, 1)
        return row

    def _make_actions(self) -> dict[str, QAction]:
        """Every action with its label, shortcut, and the states of a job in which it makes sense."""
        table: tuple[tuple[str, str, str, frozenset[str]], ...] = (
            ("cancel", _("Cancel"), "Ctrl+.", frozenset({"queued", "paused", "running"})),
            ("retry", _("Try again"), "Ctrl+R", frozenset({"failed", "cancelled"})),
            ("hold", _("Hold"), "Ctrl+H", frozenset({"queued"})),
            ("release", _("Release"), "Ctrl+Shift+H", frozenset({"paused"})),
            ("up", _("Earlier"), "Ctrl+Up", frozenset({"queued"})),
            ("down", _("Later"), "Ctrl+Down", frozenset({"queued"})),
            ("open", _("Show result"), "Return", frozenset({"done"})),
            ("recipe", _("Copy recipe"), "Ctrl+C", frozenset(ENDED | {"queued", "paused", "running"})),
            ("log", _("Log"), "Ctrl+L", frozenset(ENDED | {"queued", "paused", "running"})),
            ("remove", _("Delete"), "Del", ENDED),
        )
        actions = {}
        for name, label, keys, states in table:
            action = QAction(label, self)
            action.setShortcut(QKeySequence(keys))
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            action.setData(states)
            action.triggered.connect(lambda _checked=False, name=name: self._do(name))
            self.addAction(action)
            actions[name] = action
        return actions

    def _toolbar(self) -> QToolBar:
        bar = QToolBar()
        for name, action in self._actions.items():
            if name in ("open", "remove"):
                bar.addSeparator()
            bar.addAction(action)
        return bar

    def _refresh(self, *_args: object) -> None:
        states = {job["state"] for job in self.selected()}
        for action in self._actions.values():
            action.setEnabled(bool(states & action.data()))
        empty = self._model.rowCount() == 0
        self._empty.setVisible(empty)
        self.list.setVisible(not empty)

    def _menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.addActions([action for action in self._actions.values() if action.isEnabled()])
        if menu.actions():
            menu.exec(self.list.viewport().mapToGlobal(place))

    def _do(self, name: str) -> None:
        for job in self.selected():
            if job["state"] in self._actions[name].data():
                self._do_one(name, job)

    def _do_one(self, name: str, job: dict[str, Any]) -> None:
        job_id = job["job"]
        if name in ("up", "down"):
            self._move(job_id, -1 if name == "up" else 1)
        elif name == "open":
            self.open_result.emit(job_id)
        elif name == "log":
            self.open_log.emit(job_id)
        elif name == "recipe":
            QGuiApplication.clipboard().setText(json.dumps(job["edit"], indent=2, ensure_ascii=False))
        else:
            self._daemon.ask(name, {"job": job_id})

    def _move(self, job_id: str, by: int) -> None:
        waiting = self._model.waiting()
        place = waiting.index(job_id) + by
        if not 0 <= place < len(waiting):
            return
        waiting.remove(job_id)
        fields: dict[str, object] = {"job": job_id}
        if place < len(waiting):
            fields["before"] = waiting[place]
        self._daemon.ask("move", fields)
