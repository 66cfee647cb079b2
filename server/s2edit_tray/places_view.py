"""Where jobs run, if in more than one place: each with its device, its memory, its job, and a way to free it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from .connection import Daemon
from .jobs_model import JobsModel
from .page import heading
from .text import _, leading, size

PlaceRecord = dict[str, Any]


def worker_words() -> dict[str, str]:
    """What people are told of a worker's state."""
    return {"stopped": _("asleep"), "starting": _("starting"), "idle": _("idle"), "busy": _("busy")}


def words(place: PlaceRecord, job: PlaceRecord | None) -> str:
    """A place in a few words; `job` is the record of what runs there, if it is known."""
    parts = [place["device"], worker_words()[place["worker"]]]
    if place["model"]:
        parts += [place["model"], f"{_('Memory used')} {size(place['memory_used'])}"]
        parts.append(f"{_('Memory free')} {size(place['memory_free'])}")
    if job is not None:
        parts.append(job["edit"].get("target") or job["edit"]["source"])
    return " · ".join(part for part in parts if part)


class PlacesView(QWidget):
    """A line for each place; nothing while there is one place only, which the page shows in full.

    Args:
        daemon: the line to the daemon.
        jobs: all jobs, to say what runs.
    """

    def __init__(self, daemon: Daemon, jobs: JobsModel) -> None:
        super().__init__()
        self._daemon, self._jobs = daemon, jobs
        self._labels: dict[str, QLabel] = {}
        self._lines = QFormLayout(self)
        self._lines.setContentsMargins(0, 0, 0, 0)
        self.setVisible(False)

    def take(self, places: Sequence[PlaceRecord]) -> None:
        """Show these, of `status`."""
        if [place["name"] for place in places] != list(self._labels):
            self._lay_out(places)
        for place in places:
            self._labels[place["name"]].setText(words(place, self._jobs.job(place.get("job", ""))))
        self.setVisible(bool(places))

    def _lay_out(self, places: Sequence[PlaceRecord]) -> None:
        while self._lines.rowCount():
            self._lines.removeRow(0)
        # Removed rows go at the next turn of the loop; no button of a place that is gone may be pressed meanwhile.
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        self._labels = {}
        if places:
            self._lines.addRow(heading(_("Device and memory")))
        for place in places:
            name = place["name"]
            label = self._labels[name] = leading(QLabel())
            label.setAccessibleName(name)
            label.setWordWrap(True)
            button = QPushButton(_("Free memory"))
            button.setAccessibleDescription(name)
            button.clicked.connect(lambda _checked=False, name=name: self._free(name))
            line = QWidget()
            row = QHBoxLayout(line)
            row.setContentsMargins(0, 0, 0, 0)
            row.addWidget(label, 1)
            row.addWidget(button)
            self._lines.addRow(name, line)

    def _free(self, place: str) -> None:
        self._daemon.ask("free_memory", {"place": place}, on_reply=lambda _header, _frames: self._daemon.ask_status())
