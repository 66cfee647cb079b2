"""The page about this machine: device, model in memory, stores, and what can be freed; diagnostics for a bug report."""

from __future__ import annotations

import platform
from typing import Any

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from .connection import VERSION, Daemon
from .text import _, duration, size


def rows(status: dict[str, Any]) -> list[tuple[str, str]]:
    """The state as label and text."""
    workers = {"stopped": _("asleep"), "starting": _("starting"), "idle": _("idle"), "busy": _("busy")}
    return [
        (_("Device"), status["device"] or _("not known until the first job")),
        (_("Worker"), workers[status["worker"]]),
        (_("Model in memory"), status["model"] or _("none")),
        (_("Memory used"), size(status["memory_used"])),
        (_("Memory free"), size(status["memory_free"])),
        (_("Learned identities on disk"), size(status["cache_bytes"])),
        (_("Stored pictures and results"), size(status["result_bytes"])),
        (_("Downloaded weights"), size(status["weights_bytes"])),
        (_("Offline"), _("yes") if status["offline"] else _("no")),
        (_("Running for"), duration(status["uptime"])),
        (_("Version"), f"{status['version']} ({_('tray')} {VERSION})"),
    ]


def diagnostics(status: dict[str, Any]) -> str:
    """Text for a bug report; it has no prompts, names, paths or keys."""
    kept = {name: value for name, value in sorted(status.items()) if name not in ("pid", "worker_pid")}
    lines = [f"S²Edit tray {VERSION}", f"{platform.system()} {platform.release()} {platform.machine()}"]
    lines += [f"Python {platform.python_version()}", *(f"{name}: {value}" for name, value in kept.items())]
    return "\n".join(lines)


class MemoryView(QWidget):
    """Figures and four buttons."""

    def __init__(self, daemon: Daemon) -> None:
        super().__init__()
        self._daemon = daemon
        self._status: dict[str, Any] = {}
        self._form = QFormLayout()
        self._values: dict[str, QLabel] = {}
        buttons = QHBoxLayout()
        for label, op in (
            (_("Free GPU memory now"), "free_memory"),
            (_("Forget learned identities"), "clear_cache"),
        ):
            button = QPushButton(label)
            button.clicked.connect(lambda _checked=False, op=op: daemon.ask(op, on_reply=lambda _h, _f: self.load()))
            buttons.addWidget(button)
        copy = QPushButton(_("Copy diagnostics"))
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(diagnostics(self._status)))
        buttons.addWidget(copy)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addLayout(self._form)
        layout.addLayout(buttons)
        layout.addStretch(1)
        daemon.status_changed.connect(self.take)

    def load(self) -> None:
        """Ask for the state."""
        self._daemon.ask("status", on_reply=lambda header, _frames: self.take(header["status"]))

    def take(self, status: dict[str, Any]) -> None:
        """Show the state."""
        self._status = status
        for label, value in rows(status):
            if label not in self._values:
                self._values[label] = QLabel()
                self._form.addRow(label, self._values[label])
            self._values[label].setText(value)
