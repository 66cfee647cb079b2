"""Decoding a picture once before anything is done with it, and telling harmless complaints from damaged pixels.

libvips and the decoders below it go on after most damage and fill the hole with black or gray. What they complain of
meanwhile stands in libvips' error buffer and log, and is sorted here.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import stat
import struct
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2edit_wire.errors import WireError

from . import jpeg_stream, webp_stream

if TYPE_CHECKING:
    import pyvips

_OF_ANOTHER = re.compile(r"VIPS: (read gave \d+ warnings|VipsJpeg:|\s*$)")
"""What libvips logs when it lets go of a JPEG that was opened earlier, at whatever moment that is."""
WATCH: ContextVar[Callable[[Path, int], None] | None] = ContextVar("watch", default=None)
"""Called with the file and per cent while it is decoded."""
_LACKING = re.compile("support is not configured|encoding is not implemented|Unsupported JPEG")
MAX_FILE = 4 * 1024**3
"""Bytes of the largest file that is opened."""
MAX_PADDING = 1024
"""Bytes after a JPEG's end that are taken for padding."""
MAY_BE_DAMAGED = "“{name}” holds more bits than its pixels need: it may be damaged. Look at its lower part."
TRAILING = "“{name}” has more data after the picture, such as a film or a second picture; it is left out."
NO_END = "“{name}” lacks its end marker; all of its pixels are there."


def kind_of(path: Path) -> str:
    """`png`, `jpeg`, `webp` or `tiff`, by the file's first bytes; never waits for a pipe.

    Raises:
        WireError: bad_image, when there is no such regular file or it is none of these.
    """
    try:
        # Without waiting: a FIFO that nobody writes into would never let go of us.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _no_file(path, status.st_mode)
            head = file.read(12)
    except FileNotFoundError as error:
        raise WireError("bad_image", f"There is no file “{path}”.", "Check the name.") from error
    except OSError as error:
        raise WireError(
            "bad_image", f"“{path}” cannot be read ({error.strerror}).", "Choose a picture file."
        ) from error
    if status.st_size > MAX_FILE:
        raise WireError("bad_image", f"“{path.name}” takes more than {MAX_FILE >> 30} GiB.", "Edit a part of it.")
    kind = _kind(head)
    if kind is None:
        raise WireError(
            "bad_image", f"“{path.name}” is not a PNG, JPEG, WebP or TIFF picture.", "Convert it to one of them."
        )
    return kind


def header(path: Path, kind: str, page: int = 0) -> pyvips.Image:
    """The picture opened without a pixel decoded: its size and metadata. Raises WireError("bad_image")."""
    import pyvips

    options = {"page": page} if kind == "tiff" else {}
    try:
        return getattr(pyvips.Image, f"{kind}load")(os.fsencode(path), revalidate=True, **options)
    except pyvips.Error as error:
        raise _refusal(path, str(error)) from error


def load(path: Path, kind: str, page: int = 0) -> tuple[pyvips.Image, list[str]]:
    """Open a picture and decode it once, without keeping the pixels.

    Args:
        page: which of a TIFF's directories.
    Returns:
        The image, not decoded, and sentences on what is odd about the file but does no harm to its pixels.
    Raises:
        WireError: bad_image, when pixels are missing or wrong.
    """
    import pyvips

    try:
        if kind == "jpeg":
            return _load_jpeg(path)
        options = {"page": page} if kind == "tiff" else {}
        loader = getattr(pyvips.Image, f"{kind}load")
        name = os.fsencode(path)  # a name may be no text
        if kind == "tiff":
            _check_tiff(path, loader, options)
        else:
            _check_cut(path, kind)
            _drain(loader(name, fail_on="error", access="sequential", revalidate=True), path)
        notes = [MAY_BE_DAMAGED.format(name=path.name)] if kind == "webp" and _has_spare_bytes(path) else []
        return loader(name, fail_on="error", revalidate=True, **options), notes
    except pyvips.Error as error:
        raise _refusal(path, str(error)) from error


def damaged(path: Path) -> WireError:
    """The refusal of a picture whose pixels are not all there."""
    return WireError("bad_image", f"“{path.name}” is damaged: it cannot be decoded.", "Save it again from its source.")


def _refusal(path: Path, said: str) -> WireError:
    """Damage, unless the decoder itself says that it lacks something."""
    if _LACKING.search(said):
        return WireError(
            "bad_image", f"“{path.name}” is stored in a way that S²Edit cannot read.", "Save it again as PNG."
        )
    return damaged(path)


def _kind(head: bytes) -> str | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head[:4] == b"RIFF" and head[8:] == b"WEBP":
        return "webp"
    return "tiff" if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+") else None


def _no_file(path: Path, mode: int) -> WireError:
    if stat.S_ISDIR(mode):
        return WireError("bad_image", f"“{path}” cannot be read: it is a folder.", "Choose a picture file.")
    what = "a pipe, which can be read only once" if stat.S_ISFIFO(mode) else "a device or socket"
    return WireError("bad_image", f"“{path}” is {what}.", "Save the picture as a file first.")


def _load_jpeg(path: Path) -> tuple[pyvips.Image, list[str]]:
    import pyvips

    stream = jpeg_stream.parse(path.read_bytes())
    if stream is None:
        raise damaged(path)
    bare = stream.bare
    complaints = _complaints(lambda: pyvips.Image.jpegload_buffer(bare, access="sequential", revalidate=True), path)
    odd_end = [words for words in complaints if "extraneous bytes before marker 0xd9" in words]
    impossible, more = _levels(stream)
    if len(odd_end) < len(complaints) or (not stream.ended and stream.lacks_scans()) or impossible:
        raise damaged(path)
    notes = [MAY_BE_DAMAGED.format(name=path.name)] if odd_end or more else []
    if stream.trailing > MAX_PADDING:
        notes.append(TRAILING.format(name=path.name))
    if stream.ended:
        return pyvips.Image.jpegload(os.fsencode(path), revalidate=True), notes
    return pyvips.Image.jpegload_buffer(stream.whole), [*notes, NO_END.format(name=path.name)]


def _levels(stream: jpeg_stream.Stream) -> tuple[bool, bool]:
    """Whether a block is brighter or darker than any picture's, as after lost bits, and whether bits are left over."""
    import pyvips

    found = stream.levels()
    if found is None:
        return False, False
    small = pyvips.Image.jpegload_buffer(found.data, shrink=8).copy_memory()
    rows, more = small.height - found.more_rows, False
    if found.more_rows and small.width > found.more_from:
        beyond = small.crop(found.more_from, small.height - 1, small.width - found.more_from, 1).numpy()
        more = bool((beyond != beyond[:, :1]).any())
    shown = small.crop(0, 0, small.width, rows)
    impossible = found.most is not None and (shown.min() < 128 - found.most or shown.max() > 128 + found.most)
    return bool(impossible), more


def _check_tiff(path: Path, loader: Any, options: dict[str, Any]) -> None:
    """Complaints about tags come when the file is opened; one that comes only with the pixels is about them."""
    with _logged() as lines:
        image = loader(os.fsencode(path), access="sequential", revalidate=True, **options)
        harmless = set(lines)
        complaints = _complaints(lambda: image, path)
    if complaints or set(lines) - harmless:
        raise _refusal(path, "\n".join(complaints))


def _check_cut(path: Path, kind: str) -> None:
    """A WebP's RIFF header says how long it is; libwebp is content with less."""
    with path.open("rb") as file:
        head = file.read(8)
    if kind == "webp" and 8 + struct.unpack("<I", head[4:])[0] > path.stat().st_size:
        raise damaged(path)


def _has_spare_bytes(path: Path) -> bool:
    """Whether a WebP holds more code than its pixels take, as most damaged ones do; each try decodes it once more."""
    import pyvips

    for data in webp_stream.shortened(path.read_bytes()):
        with contextlib.suppress(pyvips.Error):
            pyvips.Image.webpload_buffer(data, fail_on="error", access="sequential").avg()
            return True
    return False


def _complaints(opened: Any, path: Path) -> list[str]:
    """What the decoders say while all pixels are decoded; an error that ends the decoding is raised."""
    import pyvips

    lib, ffi = pyvips.vips_lib, pyvips.ffi
    lib.vips_error_clear()
    try:
        _drain(opened(), path)
        text = ffi.string(lib.vips_error_buffer()).decode(errors="replace")
    finally:
        lib.vips_error_clear()
    return [line for line in text.splitlines() if line.strip()]


def _drain(image: pyvips.Image, path: Path) -> None:
    watch = WATCH.get()
    if watch is not None:
        image.set_progress(True)
        image.signal_connect("eval", lambda _, progress: watch(path, progress.percent))
    image.avg()
    if watch is not None:
        watch(path, 100)  # libvips tells nothing of what it decodes at once


@contextlib.contextmanager
def _logged() -> Iterator[list[str]]:
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
