"""Small before/after pictures of jobs: asked for when a card is first painted, kept in a bounded cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPixmap

from .connection import Daemon

_KEPT = 400
_FORMATS = {1: QImage.Format.Format_Grayscale8, 3: QImage.Format.Format_RGB888, 4: QImage.Format.Format_RGBA8888}


def image_of(entry: dict[str, Any], data: bytes | bytearray | memoryview) -> QImage:
    """An 8-bit frame (gray, RGB or RGBA) as a QImage of its own memory."""
    height, width, channels = entry["shape"]
    picture = QImage(bytes(data), width, height, width * channels, _FORMATS[channels])
    return picture.copy()


class Thumbnails(QObject):
    """Pictures by job id.

    Signals:
        arrived: the id of a job whose pictures are new.
    """

    arrived = Signal(str)

    def __init__(self, daemon: Daemon, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._daemon = daemon
        self._kept: dict[str, dict[str, QPixmap]] = {}
        self._asked: dict[str, str] = {}
        self._open: set[str] = set()
        daemon.job_changed.connect(self._preview)
        daemon.job_removed.connect(self._forget)
        daemon.line_changed.connect(self._line_changed)

    def of(self, job: dict[str, Any]) -> dict[str, QPixmap]:
        """What there is now ("image" before, "preview" after); asks once before the job is done and once after."""
        job_id, stage = job["job"], "after" if job["state"] == "done" else "before"
        if self._daemon.ready and self._asked.get(job_id) != stage:
            self._asked[job_id] = stage
            self._open.add(job_id)
            self._daemon.ask(
                "thumbnail",
                {"job": job_id},
                lambda header, frames: self._take(job_id, header, frames),
                lambda _: self._open.discard(job_id),
            )
        return self._kept.get(job_id, {})

    def _take(self, job_id: str, header: dict[str, Any], frames: Sequence[memoryview | bytearray]) -> None:
        self._open.discard(job_id)
        pictures = self._kept.pop(job_id, {})
        for entry, data in zip(header.get("frames", []), frames, strict=True):
            pictures[entry["role"]] = QPixmap.fromImage(image_of(entry, data))
        self._kept[job_id] = pictures
        while len(self._kept) > _KEPT:
            oldest = next(iter(self._kept))
            del self._kept[oldest]
            self._asked.pop(oldest, None)
        self.arrived.emit(job_id)

    def _line_changed(self, state: str, _message: str) -> None:
        if state == "ready":
            # What was asked for when the line broke was never answered; the rest need not come over a slow line again.
            for job_id in self._open:
                self._asked.pop(job_id, None)
            self._open.clear()

    def _preview(self, job: dict[str, Any], preview: tuple[dict[str, Any], bytes] | None) -> None:
        if preview is not None:
            self._kept.setdefault(job["job"], {})["preview"] = QPixmap.fromImage(image_of(*preview))
            self.arrived.emit(job["job"])

    def _forget(self, job_id: str) -> None:
        self._kept.pop(job_id, None)
        self._asked.pop(job_id, None)
