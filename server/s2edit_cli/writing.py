"""Writing results: checked before the work starts, under a temporary name first, never over the input."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2edit_marks import credential
from s2edit_marks.marking import Marking, Outcome, mark_file, mark_metadata
from s2edit_marks.pictures import save_png
from s2edit_wire.errors import WireError

if TYPE_CHECKING:
    import pyvips

    from .pictures import Picture

KINDS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp", ".tif": "tiff", ".tiff": "tiff"}
_OPTIONS: dict[str, dict[str, Any]] = {
    "png": {"compression": 6},
    "jpeg": {"Q": 97, "subsample_mode": "off"},
    "webp": {"lossless": True, "exact": True},
    "tiff": {"compression": "deflate", "predictor": "horizontal"},
}
_DEEPEST = {"png": 16, "tiff": 16, "jpeg": 8, "webp": 8}


def check_output(path: Path, sources: list[Path], suffixes: tuple[str, ...]) -> None:
    """Raise WireError("bad_image") unless a file can be written there without harm, and bad_setting as
    `credential.identity` does.

    Args:
        sources: files that must not be overwritten.
        suffixes: file name endings that are possible.
    """
    if path.suffix.lower() not in suffixes:
        raise WireError("bad_image", f"“{path.name}” has to end in {', '.join(suffixes)}.", "Choose another name.")
    if path.is_dir():
        raise WireError("bad_image", f"“{path}” is a folder.", "Give the name of a file.")
    if not path.parent.is_dir():
        raise WireError("bad_image", f"There is no folder “{path.parent}”.", "Make it first.")
    if not os.access(path.parent, os.W_OK):
        raise WireError("bad_image", f"Nothing can be written into “{path.parent}”.", "Choose another folder.")
    for source in sources:
        if path.exists() and source.exists() and path.samefile(source):
            raise WireError("bad_image", f"“{path.name}” is an input and is never overwritten.", "Choose another name.")
    # Now, and not only after minutes of work.
    credential.identity()


def check_fits(path: Path, picture: Picture) -> None:
    """Raise WireError("bad_image") unless the format of `path` holds the picture's depth and alpha."""
    kind = KINDS[path.suffix.lower()]
    if picture.bits > _DEEPEST[kind]:
        raise WireError(
            "bad_image", f"The picture has 16 bits a channel, which {kind.upper()} cannot hold.", "Write .png or .tif."
        )
    if kind == "jpeg" and picture.has_alpha:
        raise WireError("bad_image", "The picture has an alpha channel, which JPEG cannot hold.", "Write .png or .tif.")


def lossless(path: Path) -> bool:
    """Whether the format of `path` keeps every pixel to the bit."""
    return KINDS[path.suffix.lower()] != "jpeg"


def save(image: pyvips.Image, path: Path, marking: Marking) -> Outcome:
    """Write an edited picture with its metadata and the marks; all or nothing. Returns what came of the marks.

    Raises:
        WireError: disk_full, bad_setting (it can't be signed), or internal for any other failure.
    """
    import pyvips

    kind = KINDS[path.suffix.lower()]
    ready, outcome = mark_metadata(image, marking)
    with replacing(path) as temporary:
        try:
            if kind == "png":
                with temporary.open("wb") as target:
                    save_png(ready, target, keep="all", **_OPTIONS["png"])
            else:
                getattr(ready, f"{kind}save")(os.fsencode(temporary), keep="all", **_OPTIONS[kind])
        except pyvips.Error as error:
            raise _not_written(path, error) from error
        mark_file(temporary, kind, path, marking, outcome)
    return outcome


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place when the block ends well, and vanishes when it does not."""
    descriptor, name = tempfile.mkstemp(prefix=".s2edit-", suffix=path.suffix, dir=path.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def _not_written(path: Path, error: Exception) -> WireError:
    if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error):
        return WireError(
            "disk_full", f"There is no room to write “{path.name}”.", "Free some space, then fetch it again."
        )
    return WireError("internal", f"“{path.name}” could not be written.", "Choose another folder, then fetch it again.")
