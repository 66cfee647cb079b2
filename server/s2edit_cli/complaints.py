"""What libvips and the decoders below it complain of while they decode a picture, and how far they have got.

They go on after most damage and fill the hole with black or gray; what they say meanwhile stands in libvips' error
buffer and log.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyvips

Watch = Callable[[Path, int], None]
WATCH: ContextVar[Watch | None] = ContextVar("watch", default=None)
"""Called with the file and per cent while it is decoded."""
_OF_ANOTHER = re.compile(r"VIPS: (read gave \d+ warnings|VipsJpeg:|\s*$)")
"""What libvips logs when it lets go of a JPEG that was opened earlier, at whatever moment that is."""


def complaints(opened: Callable[[], pyvips.Image], path: Path | None) -> list[str]:
    """What the decoders say while all pixels are decoded, a line each.

    Args:
        opened: opens the picture, for sequential access. path: the file that is shown as being decoded, if any.
    Raises:
        pyvips.Error: where the decoding ended.
    """
    import pyvips

    lib, ffi = pyvips.vips_lib, pyvips.ffi
    lib.vips_error_clear()
    try:
        drain(opened(), path)
        text = ffi.string(lib.vips_error_buffer()).decode(errors="replace")
    finally:
        lib.vips_error_clear()
    return [line for line in text.splitlines() if line.strip()]


def drain(image: pyvips.Image, path: Path | None) -> None:
    """Decode all pixels and keep none. Raises pyvips.Error."""
    watch = WATCH.get()
    if watch is None or path is None:
        image.avg()
        return
    reached = 0

    def tell(_: pyvips.Image, progress: Any) -> None:
        nonlocal reached
        reached = max(reached, progress.percent)  # a WebP's goes back at times
        watch(path, reached)

    image.set_progress(True)
    image.signal_connect("eval", tell)
    image.avg()
    watch(path, 100)  # libvips tells nothing of what it decodes at once


@contextlib.contextmanager
def between(first: int, last: int) -> Iterator[Watch]:
    """While it lasts, what is decoded shows as this share of the whole, in per cent.

    Yields what shows it, for looks of other kinds.
    """
    watch = WATCH.get()

    def scaled(path: Path, percent: int) -> None:
        if watch is not None:
            watch(path, first + (last - first) * percent // 100)

    before = WATCH.set(scaled)
    try:
        yield scaled
    finally:
        WATCH.reset(before)


@contextlib.contextmanager
def logged() -> Iterator[list[str]]:
    """What libvips logs as warnings meanwhile, from whichever of its threads."""
    lines: list[str] = []

    class Catch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            message = record.getMessage()
            if not _OF_ANOTHER.match(message):
                lines.append(message)

    logger, catch = logging.getLogger("pyvips"), Catch(logging.WARNING)
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(catch)
    try:
        yield lines
    finally:
        logger.removeHandler(catch)
        logger.propagate = propagate
