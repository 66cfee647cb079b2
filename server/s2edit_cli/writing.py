"""Writing results: under a temporary name first, never over the input, with what the picture's file said of itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2edit_marks.marking import Marking, Outcome, mark_file, mark_metadata
from s2edit_marks.pictures import save_png

from . import png_file, tiff_pages
from .source_colour import COLOUR_CHUNKS
from .targets import KINDS, not_written, replacing

if TYPE_CHECKING:
    import pyvips

    from .pictures import Picture

_OPTIONS: dict[str, dict[str, Any]] = {
    "png": {"compression": 6},
    "jpeg": {"Q": 97, "subsample_mode": "off"},
    "webp": {"lossless": True, "exact": True},
    "tiff": {"compression": "deflate", "predictor": "horizontal"},
}
_KEPT_CHUNKS = (*COLOUR_CHUNKS, b"pHYs")


def lossless(path: Path) -> bool:
    """Whether the format of `path` keeps every pixel to the bit."""
    return KINDS[path.suffix.lower()] != "jpeg"


def save(image: pyvips.Image, path: Path, marking: Marking, source: Picture | None = None) -> Outcome:
    """Write an edited picture with its metadata and the marks; all or nothing. Returns what came of the marks.

    Args:
        source: the picture that was edited; with it, what its file said in ways that libvips does not know is kept.
    Raises:
        WireError: disk_full, bad_setting (it can't be signed), or internal for any other failure.
    """
    import pyvips

    kind = KINDS[path.suffix.lower()]
    ready, outcome = mark_metadata(image, marking)
    with replacing(path) as temporary:
        try:
            if kind == "png":
                _save_png(ready, temporary, source)
            else:
                getattr(ready, f"{kind}save")(os.fsencode(temporary), keep=_keep(ready), **_OPTIONS[kind])
            if kind == "tiff" and source is not None and source.has_extra:
                tiff_pages.set_short(temporary, tiff_pages.EXTRA_SAMPLES, tiff_pages.UNSPECIFIED)
            if _resolution_is_made_up(ready, source):
                _unsay_resolution(temporary, kind)
        except pyvips.Error as error:
            raise not_written(path, error) from error
        mark_file(temporary, kind, path, marking, outcome)
    return outcome


def _save_png(image: pyvips.Image, path: Path, source: Picture | None) -> None:
    ready, without = image.copy(), path.with_name(f"{path.name}.bare")
    put_in = {kind: source.chunks[kind] for kind in _KEPT_CHUNKS if kind in source.chunks} if source else {}
    if source is not None and source.made_profile and source.chunks:
        # The picture says it by chunks, and goes on doing so.
        ready.remove("icc-profile-data")
    leave_out = frozenset({b"pHYs"} if _resolution_is_made_up(image, source) else set())
    try:
        with without.open("wb") as target:
            save_png(ready, target, keep=_keep(image), **_OPTIONS["png"])
        with without.open("rb") as png, path.open("wb") as target:
            png_file.copy(png, target, put_in, leave_out)
    finally:
        without.unlink(missing_ok=True)


def _resolution_is_made_up(image: pyvips.Image, source: Picture | None) -> bool:
    """libvips knows no “unknown”: it says 1 pixel per mm then."""
    if source is not None and source.kind == "png":
        return b"pHYs" not in source.chunks
    return not image.get_typeof("resolution-unit")


def _unsay_resolution(path: Path, kind: str) -> None:
    if kind == "tiff":
        tiff_pages.set_short(path, tiff_pages.RESOLUTION_UNIT, tiff_pages.NO_UNIT)
    if kind == "jpeg":
        with path.open("r+b") as file:
            if file.read(11)[6:] == b"JFIF\0":
                # After two bytes of version (JFIF 1.02): no unit, square pixels.
                file.seek(13)
                file.write(b"\0\0\1\0\1")


def _keep(image: pyvips.Image) -> str:
    """All metadata, but no EXIF where there was none: libvips makes some up, with a resolution."""
    return "all" if image.get_typeof("exif-data") else "xmp|iptc|icc|other"
