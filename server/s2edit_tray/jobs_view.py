"""The page with all jobs: filters, the list, and what can be done with the selected ones."""

from __future__ import annotations

import json
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from s2edit_wire.records import ENDED

from .connection import Daemon
from .job_card import JobCard
from .job_list import JobList
from .jobs_model import JOB_ROLE, JobsModel, JobsOrder
from .page import Banner
from .questions import confirmed
from .reordering import Reordering
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
        self._listed = False
        """Whether the daemon has told which jobs there are."""
        self.order = JobsOrder(model, self)
        self.list = JobList()
        self.list.setModel(self.order)
        self.list.setItemDelegate(JobCard(thumbnails))
        self._reordering = Reordering(daemon, model)
        self.list.dropped.connect(self._reordering.put_before)
        self.list.customContextMenuRequested.connect(self._menu)
        self.list.doubleClicked.connect(lambda index: self.open_result.emit(index.data(JOB_ROLE)["job"]))
        thumbnails.arrived.connect(lambda _job: self.list.viewport().update())
        self._actions = self._make_actions()
        self._paused = False
        self._pause = QAction(self)
        self._pause.setShortcut(QKeySequence("Ctrl+Shift+P"))
        self._pause.triggered.connect(lambda: daemon.ask("resume_queue" if self._paused else "pause_queue"))
        self._stopped = Banner()
        self._empty = QLabel()
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addLayout(self._filters())
        layout.addWidget(self._toolbar())
        layout.addWidget(self._stopped)
        layout.addWidget(self._empty, 1)
        layout.addWidget(self.list, 10)
        selection = self.list.selectionModel()
        for signal in (selection.selectionChanged, model.dataChanged, model.rowsInserted, model.rowsRemoved):
            signal.connect(self._refresh)
        daemon.status_changed.connect(self._status_changed)
        self._show_queue(paused=False)
        self._refresh()

    def load_older(self, before: int | None = None) -> None:
        """Fetch pages of jobs until there are no more; each page is taken in at once.

        Those that stand on none of them are gone.
        """
        fields: dict[str, object] = {"limit": _PAGE} if before is None else {"limit": _PAGE, "before": before}

        def take(header: dict[str, Any], _frames: object) -> None:
            self._listed = True
            self._model.extend(header["jobs"])
            self._refresh()
            if "cursor" in header:
                self.load_older(header["cursor"])
            else:
                self._model.settle()

        self._daemon.ask("list", fields, take)

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
        text.setMinimumWidth(12 * text.fontMetrics().averageCharWidth())

        def apply() -> None:
            self.order.show_only(states.currentData(), hosts.currentData(), text.text())
            self._refresh()

        states.currentIndexChanged.connect(apply)
        hosts.currentIndexChanged.connect(apply)
        text.textChanged.connect(apply)
        for widget in (states, hosts):
            row.addWidget(widget)
        row.addWidget(text, 1)
        pause = QToolButton()
        pause.setDefaultAction(self._pause)
        pause.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        row.addWidget(pause)
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
        for action in bar.actions():
            _tell_keys(action)
            # A toolbar's buttons are left out of the tab order otherwise.
            if button := bar.widgetForAction(action):
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if further := bar.findChild(QToolButton, "qt_toolbar_ext_button"):
            # Fusion's own picture is black on whatever ground.
            further.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            further.setText("»")
            further.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            further.setToolTip(_("Further actions"))
            further.setAccessibleName(_("Further actions"))
        return bar

    def _status_changed(self, status: dict[str, Any]) -> None:
        self._show_queue(paused=status["queue_paused"])

    def _show_queue(self, *, paused: bool) -> None:
        self._paused = paused
        self._pause.setText(_("Resume the queue") if paused else _("Pause the queue"))
        _tell_keys(self._pause)
        told = _("The queue is paused: no further job starts until you resume it.")
        self._stopped.say(told if paused else "")

    def _refresh(self, *_args: object) -> None:
        states = {job["state"] for job in self.list.selected()}
        for action in self._actions.values():
            action.setEnabled(bool(states & action.data()))
        empty = self.order.rowCount() == 0
        self._empty.setText(self._why_empty() if empty else "")
        self._empty.setVisible(empty)
        self.list.setVisible(not empty)

    def _why_empty(self) -> str:
        """What to say in place of a list with nothing in it."""
        if self._model.rowCount():
            return _("No job is like that. Show all jobs and empty the search to see every one.")
        if not self._listed:
            return _("Looking for jobs…")
        return _("No jobs yet. In GIMP or Krita, right-click a layer and choose “S²Edit…”.")

    def _menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.addActions([action for action in self._actions.values() if action.isEnabled()])
        if menu.actions():
            menu.exec(self.list.viewport().mapToGlobal(place))

    def _do(self, name: str) -> None:
        jobs = [job for job in self.list.selected() if job["state"] in self._actions[name].data()]
        if name in ("up", "down"):
            self._reordering.shift([job["job"] for job in jobs], up=name == "up")
        elif name == "recipe":
            # One recipe is a map, several are a list: both are JSON.
            recipes = [job["edit"] for job in jobs]
            shown = recipes[0] if len(recipes) == 1 else recipes
            QGuiApplication.clipboard().setText(json.dumps(shown, indent=2, ensure_ascii=False))
        elif name != "remove" or self._may_delete(jobs):
            for job in jobs:
                self._do_one(name, job["job"])

    def _do_one(self, name: str, job_id: str) -> None:
        if name == "open":
            self.open_result.emit(job_id)
        elif name == "log":
            self.open_log.emit(job_id)
        else:
            self._daemon.ask(name, {"job": job_id})

    def _may_delete(self, jobs: list[dict[str, Any]]) -> bool:
        """Ask, since nothing brings a deleted job back; say so where a result would be lost that nobody has fetched."""
        if not jobs:
            return False
        lost = sum(job["state"] == "done" and not job["acknowledged"] for job in jobs)
        if not lost:
            return confirmed(self, _("Delete {count} jobs with their pictures and results?", count=len(jobs)))
        question = _("{count} of these results were not fetched by any program yet and would be lost.", count=lost)
        return confirmed(self, f"{question} {_('Delete them all the same?')}")


def _tell_keys(action: QAction) -> None:
    """Name the shortcut in the tool tip."""
    keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    action.setToolTip(f"{action.text()} ({keys})")
