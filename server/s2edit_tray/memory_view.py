"""The page about this machine: device, model in memory, stores, and what can be freed; logs and diagnostics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget
from s2edit_wire.paths import logs_folder, state_folder

from .connection import VERSION, Daemon
from .diagnostics import diagnostics
from .jobs_model import JobsModel
from .log_window import LogWindow, tail
from .page import Page, form, heading
from .places_view import PlacesView, worker_words
from .text import _, duration, leading, size

Rows = list[tuple[str, str]]
_SIZES = ("memory_used", "memory_free", "cache_bytes", "result_bytes", "weights_bytes", "uptime")
_UNTOLD: dict[str, Any] = {"device": "", "worker": "stopped", "model": "", "offline": False, "version": ""}
_UNTOLD |= dict.fromkeys(_SIZES, 0)
"""A state as long as no daemon has told one, for the names alone."""


def rows(status: dict[str, Any], settings: dict[str, Any]) -> dict[str, Rows]:
    """The state as label and text, by heading; settings are empty until the daemon has told them."""
    workers = worker_words()
    idle = settings.get("idle_unload_s", 0)
    unknown = _("not known until the first job")
    memory = [
        (_("Device"), status["device"] or unknown),
        (_("Worker"), workers[status["worker"]]),
        (_("Model in memory"), status["model"] or _("none")),
        (_("Memory used"), size(status["memory_used"])),
        (_("Memory free"), size(status["memory_free"]) if status["device"] else unknown),
        (_("Freed without a job after"), duration(idle) if idle else _("never")),
    ]
    disk = [
        (_("Learned identities on disk"), _of(status["cache_bytes"], settings.get("cache_quota"))),
        (_("Stored pictures and results"), _of(status["result_bytes"], settings.get("result_quota"))),
        (_("Downloaded weights"), size(status["weights_bytes"])),
    ]
    daemon = [
        (_("Offline"), _("yes") if status["offline"] else _("no")),
        (_("Running for"), duration(status["uptime"])),
        (_("Version"), f"{status['version']} ({_('tray')} {VERSION})"),
    ]
    return {_("Device and memory"): memory, _("On disk"): disk, _("Daemon"): daemon}


def _of(used: int, quota: int | None) -> str:
    return size(used) if quota is None else _("{used} of {quota}", used=size(used), quota=size(quota))


class MemoryView(Page):
    """Figures and buttons.

    Args:
        daemon: the line to the daemon.
        jobs: all jobs, for the diagnostics' counts of errors.
    """

    def __init__(self, daemon: Daemon, jobs: JobsModel) -> None:
        super().__init__()
        self._daemon = daemon
        self._jobs = jobs
        self._status: dict[str, Any] = {}
        self._settings: dict[str, Any] = {}
        self._models: dict[str, dict[str, Any]] = {}
        self._form = form()
        self._values: dict[str, QLabel] = {}
        actions = (
            _buttons((_("Free memory now"), lambda: self._do("free_memory"))),
            _buttons((_("Forget learned identities"), lambda: self._do("clear_cache"))),
            _buttons(
                (_("Show the daemon's log"), self._show_log),
                (_("Open the log folder"), self._open_logs),
                (_("Copy diagnostics"), self._copy),
            ),
        )
        self._lay_out(rows(_UNTOLD, {}), actions)
        self._notices = leading(QLabel())
        self._notices.setVisible(False)
        self.column.addWidget(self._notices)
        self.column.addLayout(self._form)
        self._places = PlacesView(daemon, jobs)
        self.column.addWidget(self._places)
        self.column.addWidget(leading(QLabel(_("Diagnostics hold no prompts, names, paths or keys."))))
        self.column.addStretch(1)
        daemon.status_changed.connect(self.take)
        daemon.settings_changed.connect(self.take_settings)
        daemon.model_changed.connect(lambda model: self._models.update({model["id"]: model}))

    def load(self) -> None:
        """Ask for the state and the models; the settings page asks for the settings."""
        self._daemon.ask(
            "models", on_reply=lambda header, _f: self._models.update({m["id"]: m for m in header["models"]})
        )
        self._daemon.ask_status()

    def take_settings(self, settings: dict[str, Any]) -> None:
        """Note the settings that limit what is shown here."""
        self._settings = settings
        if self._status:
            self.take(self._status)

    def take(self, status: dict[str, Any]) -> None:
        """Show the state."""
        self._status = status
        self._notices.setText("\n".join(status.get("notices", [])))
        self._notices.setVisible(bool(self._notices.text()))
        self._places.take(status.get("places", []))
        for label, value in chain.from_iterable(rows(status, self._settings).values()):
            self._values[label].setText(value)

    def _lay_out(self, groups: dict[str, Rows], actions: Sequence[QWidget]) -> None:
        """Each group's figures, empty as yet, with what can be done about them below."""
        for (title, group), buttons in zip(groups.items(), actions, strict=True):
            self._form.addRow(heading(title))
            for label, _value in group:
                self._values[label] = leading(QLabel())
                self._values[label].setAccessibleName(label)
                self._form.addRow(label, self._values[label])
            self._form.addRow(buttons)

    def report(self) -> str:
        """The diagnostics of this moment."""
        failed = Counter(str(job["error"]) for job in self._jobs.all() if job["state"] == "failed" and "error" in job)
        return diagnostics(self._status, self._settings, self._models.values(), failed)

    def _do(self, op: str) -> None:
        self._daemon.ask(op, on_reply=lambda _header, _frames: self._daemon.ask_status())

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.report())

    def _show_log(self) -> None:
        LogWindow(_("The daemon's log"), tail(logs_folder(state_folder()) / "daemon.log"), self).show()

    def _open_logs(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(logs_folder(state_folder()))))


def _buttons(*wanted: tuple[str, Callable[[], None]]) -> QWidget:
    made = QWidget()
    row = QHBoxLayout(made)
    row.setContentsMargins(0, 0, 0, 0)
    for label, action in wanted:
        button = QPushButton(label)
        button.clicked.connect(lambda _checked=False, action=action: action())
        row.addWidget(button)
    row.addStretch(1)
    return made
