"""Showing how far the look through large pictures has got."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn

from . import complaints
from .report import ERR

QUIET_FOR = 1.0
"""Seconds before anything is shown: most pictures have been read by then."""


@contextmanager
def looking() -> Iterator[Callable[[Path, int], None]]:
    """While it lasts, pictures that take long to decode show a bar on the terminal.

    Yields what shows it: called with a file and per cent, for looks of other kinds.
    """
    if not ERR.is_terminal:
        yield lambda _path, _percent: None
        return
    columns = TextColumn("{task.description}", markup=False), BarColumn()
    progress = Progress(*columns, console=ERR, transient=True)
    shown = progress.add_task("reading", total=100)
    began = time.monotonic()

    def watch(path: Path, percent: int) -> None:
        if time.monotonic() - began > QUIET_FOR:
            progress.start()
            progress.update(shown, description=f"looking through {path.name}", completed=percent)

    before = complaints.WATCH.set(watch)
    try:
        yield watch
    finally:
        complaints.WATCH.reset(before)
        progress.stop()
