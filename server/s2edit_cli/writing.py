"""Writing results: under a temporary name first, never over the input, with what the picture's file said of itself."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2edit_marks.marking import Marking, Outcome, mark_file, mark_metadata
from s2edit_marks.pictures import save_png

from . import png_file, tiff_pages, tiff_tags
from .source_colour import COLOUR_CHUNKS
from .targets import KINDS, not_written, replacing

if TYPE_CHECKING:
    import pyvips

    from .pictures import PictureFile

_OPTIONS: dict[str, dict[str, Any]] = {
    "png": {"compression": 6},
    "jpeg": {"Q": 97, "subsample_mode": "off"},
    "webp": {"lossless": True, "exact": True},
    "tiff": {"compression": "deflate", "predictor": "horizontal"},
}
_LARGE = 3 * 1024**3
_KEPT_CHUNKS = (*COLOUR_CHUNKS, b"pHYs")


def lossless(path: Path) -> bool:
    """Whether the format of `path` keeps every pixel to the bit."""
    return KINDS[path.suffix.lower()] != "jpeg"


def save(image: pyvips.Image, path: Path, marking: Marking, source: PictureFile | None = None) -> Outcome:
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
                getattr(ready, f"{kind}save")(os.fsencode(temporary), keep=_keep(ready, kind), **_options(ready, kind))
            if kind == "tiff" and source is not None and source.has_extra:
                tiff_tags.set_short(temporary, tiff_pages.EXTRA_SAMPLES, tiff_pages.UNSPECIFIED)
            _say_resolution(ready, temporary, kind, known=_resolution_is_known(ready, source))
        except pyvips.Error as error:
            raise not_written(path, error) from error
        mark_file(temporary, kind, path, marking, outcome)
    return outcome


def _options(image: pyvips.Image, kind: str) -> dict[str, Any]:
    # TIFF's offsets have 32 bits; what does not shrink would end at 4 GiB, after all the work.
    large = kind == "tiff" and image.width * image.height * image.bands * 2 > _LARGE
    return {**_OPTIONS[kind], "bigtiff": True} if large else _OPTIONS[kind]


def _save_png(image: pyvips.Image, path: Path, source: PictureFile | None) -> None:
    ready, without = image.copy(), path.with_name(f"{path.name}.bare")
    put_in = {kind: source.chunks[kind] for kind in _KEPT_CHUNKS if kind in source.chunks} if source else {}
    if source is not None and source.made_profile and source.chunks:
        # The picture says it by chunks, and goes on doing so.
        ready.remove("icc-profile-data")
    leave_out = frozenset(set() if _resolution_is_known(image, source) else {b"pHYs"})
    try:
        with without.open("wb") as target:
            save_png(ready, target, keep=_keep(image, "png"), **_OPTIONS["png"])
        with without.open("rb") as png, path.open("wb") as target:
            png_file.copy(png, target, put_in, leave_out)
    finally:
        without.unlink(missing_ok=True)


def _resolution_is_known(image: pyvips.Image, source: PictureFile | None) -> bool:
    """libvips itself knows no “unknown”: it says 1 pixel per mm then."""
    if source is not None and source.kind == "png":
        return b"pHYs" in source.chunks
    return bool(image.get_typeof("resolution-unit"))


def _say_resolution(image: pyvips.Image, path: Path, kind: str, *, known: bool) -> None:
    if kind == "tiff" and not known:
        tiff_tags.set_short(path, tiff_pages.RESOLUTION_UNIT, tiff_pages.NO_UNIT)
    if kind == "jpeg" and not image.get_typeof("exif-data"):
        # JFIF 1.02: dots per inch, or no unit and square pixels. libvips leaves JFIF's header to EXIF's.
        density = [min(65_535, max(1, round(value * 25.4))) for value in (image.xres, image.yres)] if known else [1, 1]
        header = b"\xff\xe0" + struct.pack(">H5sHBHHBB", 16, b"JFIF\0", 0x0102, int(known), *density, 0, 0)
        data = path.read_bytes()
        if data[2:4] != b"\xff\xe0":
            path.write_bytes(data[:2] + header + data[2:])


def _keep(image: pyvips.Image, kind: str) -> str:
    """All metadata; EXIF, which libvips makes up, only where there was some or where WebP needs it for a resolution."""
    resolution = kind == "webp" and image.get_typeof("resolution-unit")
    return "all" if image.get_typeof("exif-data") or resolution else "xmp|iptc|icc|other"
