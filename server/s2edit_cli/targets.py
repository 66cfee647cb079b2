"""Where results go: everything that could fail at the end is tried before the work starts."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from s2edit_marks import credential
from s2edit_wire.errors import WireError

if TYPE_CHECKING:
    from .pictures import PictureFile

KINDS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp", ".tif": "tiff", ".tiff": "tiff"}
_DEEPEST = {"png": 16, "tiff": 16, "jpeg": 8, "webp": 8}
_LONGEST = {"webp": 16_383}
"""The largest side that a format holds, px, where that is less than `s2edit_wire.limits.MAX_SIDE` (RFC 9649, 2.4)."""
_PREFIX = ".s2edit-"


def check_output(path: Path, sources: list[Path], suffixes: tuple[str, ...]) -> None:
    """Raise WireError("bad_image") unless a file can be written there without harm, and bad_setting as
    `credential.identity` does.

    Args:
        sources: files that must not be overwritten.
        suffixes: file name endings that are possible.
    """
    if path.suffix.lower() not in suffixes:
        raise WireError("bad_image", f"“{path.name}” has to end in {', '.join(suffixes)}.", "Choose another name.")
    try:
        place = _place(path)
        _check_place(path, place)
        for source in sources:
            if place.exists() and source.exists() and place.samefile(source):
                raise WireError(
                    "bad_image", f"“{path.name}” is an input and is never overwritten.", "Choose another name."
                )
    except (OSError, RuntimeError) as error:
        # RuntimeError: links that lead round in a circle.
        reason = getattr(error, "strerror", None) or "its links lead nowhere"
        raise WireError("bad_image", f"“{path.name}” cannot be written ({reason}).", "Choose another name.") from error
    # Now, and not only after minutes of work.
    credential.identity()


def check_fits(path: Path, picture: PictureFile) -> None:
    """Raise WireError("bad_image") unless the format of `path` holds the picture's depth and channels."""
    kind = KINDS[path.suffix.lower()]
    instead = "Write .png or .tif."
    if picture.bits > _DEEPEST[kind]:
        raise WireError("bad_image", f"The picture has 16 bits a channel, which {kind.upper()} cannot hold.", instead)
    if kind == "jpeg" and picture.has_alpha:
        raise WireError("bad_image", "The picture has an alpha channel, which JPEG cannot hold.", instead)
    if picture.has_extra and kind != "tiff":
        words = f"The picture has a channel that is no transparency, which {kind.upper()} cannot hold"
        raise WireError("bad_image", f"{words}: a saved selection, perhaps.", "Write .tif, or remove the channel.")


def check_size(path: Path, size: tuple[int, int]) -> None:
    """Raise WireError("bad_image") unless the format of `path` holds as many pixels; `size` in either order."""
    kind = KINDS[path.suffix.lower()]
    longest = _LONGEST.get(kind)
    if longest is not None and max(size) > longest:
        raise WireError(
            "bad_image",
            f"{kind.upper()} holds at most {longest:,} pixels a side; this picture has more.",
            "Write .png or .tif.",
        )


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place when the block ends well, and vanishes when it does not.

    A link at `path` stays, and the file that it leads to is replaced; an existing file's mode is kept.
    """
    try:
        place = _place(path)
        temporary = _temporary(place)
    except (OSError, RuntimeError) as error:
        raise not_written(path, error) from error
    try:
        yield temporary
        temporary.chmod(_mode(place))
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(place)
    except OSError as error:
        raise not_written(path, error) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def not_written(path: Path, error: Exception) -> WireError:
    """What to say when writing failed after all."""
    if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error):
        return WireError(
            "disk_full", f"There is no room to write “{path.name}”.", "Free some space, then fetch it again."
        )
    return WireError("internal", f"“{path.name}” could not be written.", "Choose another folder, then fetch it again.")


def _check_place(path: Path, place: Path) -> None:
    if place.is_dir():
        raise WireError("bad_image", f"“{path}” is a folder.", "Give the name of a file.")
    if not place.parent.is_dir():
        raise WireError("bad_image", f"There is no folder “{place.parent}”.", "Make it first.")
    place.exists()  # raises for a name that is too long
    if place.exists() and not place.is_file():
        raise WireError("bad_image", f"“{path}” is no file but a device or pipe.", "Give the name of a file.")
    try:
        _temporary(place).unlink()
    except OSError as error:
        # Trying is the only way to know: rights, lists of rights, read-only disks and quotas all have a say.
        raise WireError(
            "bad_image", f"Nothing can be written into “{place.parent}” ({error.strerror}).", "Choose another folder."
        ) from error


def _place(path: Path) -> Path:
    """Where the bytes go: what a link leads to, else the path itself."""
    return path.resolve() if path.is_symlink() else path


def _temporary(place: Path) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=_PREFIX, suffix=place.suffix, dir=place.parent)
    os.close(descriptor)
    return Path(name)


def _mode(place: Path) -> int:
    if place.exists():
        return stat.S_IMODE(place.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
