"""Decoding a picture once before anything is done with it, and telling harmless complaints from damaged pixels."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from s2edit_wire.errors import WireError

from . import coded, jpeg_stream, tiff_pages, tiff_segments
from .complaints import between, complaints, drain, logged

if TYPE_CHECKING:
    import pyvips

_LACKING = re.compile("support is not configured|encoding is not implemented|Unsupported JPEG")
MAX_FILE = 4 * 1024**3
"""Bytes of the largest file that is opened."""
MAX_PADDING = 1024
"""Bytes after a JPEG's end that are taken for padding."""
MAY_BE_DAMAGED = "“{name}” holds more bits than its pixels need: it may be damaged. Look at {where}."
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


def load(path: Path, kind: str, page: tiff_pages.Page | None = None) -> tuple[pyvips.Image, list[str]]:
    """Open a picture and decode it once, without keeping the pixels.

    Args:
        page: which of a TIFF's directories; the first one without it.
    Returns:
        The image, not decoded, and sentences on what is odd about the file but does no harm to its pixels.
    Raises:
        WireError: bad_image, when pixels are missing or wrong.
    """
    import pyvips

    try:
        if kind == "tiff":
            return _load_tiff(path, page)
        return {"jpeg": _load_jpeg, "webp": _load_webp, "png": _load_png}[kind](path)
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
    notes = _doubts(path, coded.jpeg(stream, path))
    if stream.trailing > MAX_PADDING:
        notes.append(TRAILING.format(name=path.name))
    if stream.ended:
        return pyvips.Image.jpegload(os.fsencode(path), revalidate=True), notes
    return pyvips.Image.jpegload_buffer(stream.whole), [*notes, NO_END.format(name=path.name)]


def _load_webp(path: Path) -> tuple[pyvips.Image, list[str]]:
    import pyvips

    notes = _doubts(path, coded.webp(path.read_bytes(), path))
    return pyvips.Image.webpload(os.fsencode(path), fail_on="error", revalidate=True), notes


def _load_png(path: Path) -> tuple[pyvips.Image, list[str]]:
    import pyvips

    name = os.fsencode(path)  # a name may be no text
    drain(pyvips.Image.pngload(name, fail_on="error", access="sequential", revalidate=True), path)
    return pyvips.Image.pngload(name, fail_on="error", revalidate=True), []


def _load_tiff(path: Path, page: tiff_pages.Page | None) -> tuple[pyvips.Image, list[str]]:
    """Complaints about tags come when the file is opened; one that comes only with the pixels is about them."""
    import pyvips

    name, number = os.fsencode(path), page.number if page else 0
    with logged() as lines, between(0, 50):
        image = pyvips.Image.tiffload(name, access="sequential", revalidate=True, page=number)
        harmless = set(lines)
        said = complaints(lambda: image, path)
    if said or set(lines) - harmless:
        raise _refusal(path, "\n".join(said))
    notes = _segment_doubts(path, page) if page else []
    return pyvips.Image.tiffload(name, fail_on="error", revalidate=True, page=number), notes


def _segment_doubts(path: Path, page: tiff_pages.Page) -> list[str]:
    """What is odd about strips and tiles that are a JPEG or WebP each; libtiff hands on little of what they tell."""
    doubtful: list[str] = []
    try:
        with between(50, 100) as watch, path.open("rb") as file:
            for segment in tiff_segments.coded_ones(file, page.start):
                most = segment.width, segment.height
                if segment.stream is None:
                    soundness = coded.webp(segment.data, most=most)
                else:
                    soundness = coded.jpeg(segment.stream, most=most)
                if _doubts(path, soundness):
                    doubtful.append(segment.place)
                watch(path, segment.percent)
    except ValueError as error:
        raise damaged(path) from error
    if not doubtful:
        return []
    others = len(doubtful) - 1
    more = f" and {others} other{'s' * (others > 1)}" if others else ""
    return [MAY_BE_DAMAGED.format(name=path.name, where=f"the part from pixel {doubtful[0]} on{more}")]


def _doubts(path: Path, soundness: coded.Soundness) -> list[str]:
    if soundness.damaged:
        raise damaged(path)
    return [MAY_BE_DAMAGED.format(name=path.name, where="its lower part")] if soundness.doubtful else []
