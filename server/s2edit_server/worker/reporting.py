"""What the painter sees meanwhile: the method's progress as reports on the line, previews small and seldom."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .. import worker_link as link

if TYPE_CHECKING:
    from s2edit.requests import Progress

PREVIEW_SIDE = 192
"""Pixels of a preview's longer side, at most."""
PREVIEW_INTERVAL = 0.5
"""Seconds between two previews, at least."""


class Reporter:
    """Tells the daemon about one job.

    Args:
        line: the worker's end of the line.
        job: the job's id.
    """

    def __init__(self, line: link.WorkerLine, job: str) -> None:
        self._line, self._job = line, job
        self._next_preview = 0.0
        self._phase = ""

    def __call__(self, progress: Progress) -> None:
        """Pass a step on; its preview only when the last one is old enough."""
        preview = None
        now = time.monotonic()
        if progress.preview is not None and now >= self._next_preview:
            self._next_preview = now + PREVIEW_INTERVAL
            preview = small(progress.preview)
        self.step(progress.phase, progress.step, progress.total, preview)

    def step(self, phase: str, step: int = 0, total: int = 0, preview: link.Preview | None = None) -> None:
        """Report a step of a phase."""
        self._line.say(link.Progress(self._job, phase, step, total, preview))

    def cancelled(self) -> bool:
        """Whether the job has to stop; asked by the method at every step."""
        return self._line.cancelled(self._job)


def small(pixels: NDArray[np.uint8]) -> link.Preview:
    """An h×w×3 uint8 picture, shrunk so that no side is over PREVIEW_SIDE."""
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.BOX)
    return link.Preview((picture.height, picture.width, 3), picture.tobytes())
