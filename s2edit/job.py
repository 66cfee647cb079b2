"""One edit under way: phases, steps, seconds, and the question whether to go on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from .errors import Cancelled
from .requests import CancelCallback, Phase, Progress, ProgressCallback, no_progress


class Job:
    """Tells the caller where an edit stands.

    Args:
        progress: called at every step. cancelled: asked at every step.
    """

    def __init__(self, progress: ProgressCallback, cancelled: CancelCallback) -> None:
        self._progress, self._cancelled = progress, cancelled
        self.watched = progress is not no_progress
        """Whether anyone looks at previews; they cost a decoding each."""
        self._phase: Phase = "loading"
        self._total = 1
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: Phase, total: int = 1) -> Iterator[None]:
        """Time a phase of `total` steps; seconds of a phase that comes twice are added up."""
        self._phase, self._total = name, max(total, 1)
        started = time.perf_counter()
        self.step(0)
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
        self.step(self._total)

    def step(self, number: int, preview: NDArray[np.uint8] | None = None) -> None:
        """Report a step of the phase; raises Cancelled when the caller wants no more."""
        self.check()
        self._progress(Progress(self._phase, number, self._total, preview))

    def check(self) -> None:
        """Raise Cancelled when the caller wants no more."""
        if self._cancelled():
            raise Cancelled
