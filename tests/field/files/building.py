"""Files that are built in unusual ways, and masks that are painted in unusual ways."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from s2edit_cli import tiff_pages, tiff_tags

from tests.field.case import Case
from tests.field.files import samples
from tests.field.files.samples import SIDE, drawing, image, png
from tests.field.files.throwing import edit, mask

TAKEN = "^taken$"
INSIDE = np.s_[40:100, 50:130]
SHARE = "13 %"


def cases() -> list[Case]:
    """All of them."""
    return [*_pages(), *_depths(), *_masks()]


def _pages() -> list[Case]:
    smaller, several = "^told: .*smaller copies", "^refused: .*several pages"
    return [
        Case("build", "TIFF, a smaller copy after the picture", _pages_of([SIDE, 64], [0, 1]), smaller),
        Case("build", "TIFF, a smaller copy before the picture", _pages_of([64, SIDE], [1, 0]), smaller),
        Case("build", "TIFF, three smaller copies", _pages_of([SIDE, 96, 48, 24], [0, 1, 1, 1]), smaller),
        Case("build", "TIFF, two pictures", _pages_of([SIDE, SIDE], [0, 0]), several),
        Case("build", "TIFF, two pages by tag", _pages_of([SIDE, SIDE], [2, 2]), several),
        Case("build", "TIFF, a transparency mask as page", _pages_of([SIDE, SIDE], [0, 4]), several),
        Case("build", "TIFF, a saved selection", _extra(0), TAKEN),
        Case("build", "TIFF, a saved selection, to PNG", _extra(0, ".png"), "^refused: .*saved selection"),
        Case("build", "TIFF, premultiplied transparency", _extra(1), "^told: .*premultiplied"),
        Case("build", "TIFF, transparency", _extra(2), TAKEN),
        Case("build", "TIFF, BigTIFF", _tiff(bigtiff=True), TAKEN),
        Case("build", "TIFF, white is 0", _tiff(miniswhite=True), TAKEN),
        Case("build", "TIFF, a pyramid", _tiff(tile=True, tile_width=64, tile_height=64, pyramid=True), smaller),
        Case("build", "TIFF, a pyramid inside", _tiff(tile=True, pyramid=True, subifd=True), TAKEN),
        Case("build", "TIFF, floating point", _floating, "^refused: .*8 or 16 bits"),
        Case("build", "PNG, interlaced", lambda folder: edit(png(folder, drawing(), interlace=True)), TAKEN),
        Case("build", "TIFF, a compression that is not built in", _zstd, "^refused: .*cannot read"),
        Case("build", "JPEG, 12 bits", _twelve_bits, "^refused: .*cannot read"),
        Case("build", "APNG", lambda folder: edit(png(folder, drawing(), {b"acTL": bytes(8)})), "^refused: .*animated"),
        Case("build", "WebP, animated", _animated_webp, "^refused: .*several pages or frames"),
    ]


def _depths() -> list[Case]:
    palette = "^told: .*palette, .*full colours"
    found = [
        Case("depth", f"{suffix[1:].upper()}, {bits} bit", _shallow(suffix, bits), f"^told: .*{bits} bits? a sample")
        for suffix in (".png", ".tif")
        for bits in (1, 2, 4)
    ]
    return [
        *found,
        Case("depth", "PNG, palette", lambda folder: edit(png(folder, drawing(), palette=True)), palette),
        Case("depth", "TIFF, palette", _palette_tiff, palette),
        Case("depth", "PNG, gray, 16 bit", lambda folder: edit(png(folder, drawing(1).astype(np.uint16) * 257)), TAKEN),
    ]


def _masks() -> list[Case]:
    marked = np.zeros((SIDE, SIDE), np.uint8)
    marked[INSIDE] = 255
    upper = np.where(np.indices(marked.shape)[0] < 120, 255, 0)
    opaque, clear = np.full_like(marked, 255), np.zeros_like(marked)
    nearly, edge = opaque.copy(), opaque.copy()
    nearly[3, 4] = 254
    edge[:1, :8] = 0
    ramp = marked.copy()
    ramp[40:100, 130:140] = np.linspace(250, 5, 10).astype(np.uint8)
    striped = np.where(np.arange(SIDE)[:, None] % 20 < 10, marked, 0).astype(np.uint8)
    nothing = "^refused: .*marks nothing: it reaches 49 %"
    much, right = "^told: The mask marks 8. % .*turn the mask round", f"^taken: The mask marks {SHARE} "
    table: list[tuple[str, NDArray[Any], str]] = [
        ("white on black", marked[:, :, None], right),
        ("white on black, opaque alpha", _rgba(marked, opaque), right),
        ("white on black, one pixel nearly opaque", _rgba(marked, nearly), right),
        ("white on black, eight clear pixels", _rgba(marked, edge), right),
        ("white painted on nothing", _rgba(opaque, marked), right),
        ("black painted on nothing", _rgba(clear, marked), right),
        ("white on black, and clear around it", _rgba(marked, upper), right),
        ("16 bits", marked[:, :, None].astype(np.uint16) * 257, right),
        ("soft edge", ramp[:, :, None], "^taken: The mask marks 1[34] % "),
        ("turned round", 255 - marked[:, :, None], much),
        ("the object erased", _rgba(clear, 255 - marked), much),
        ("stripes", striped[:, :, None], "^taken: The mask marks [67] % "),
        ("49 %, everywhere in the object", marked[:, :, None] // 255 * 126, nothing),
        ("51 %, everywhere in the object", marked[:, :, None] // 255 * 130, right),
        ("all black", clear[:, :, None], "^refused: .*all black"),
        ("all clear", _rgba(opaque, clear), "^refused: .*all black"),
        ("one pixel", _one_pixel(), "^taken: The mask marks 0.00 % "),
    ]
    found = [Case("mask", name, _mask(pixels), expected) for name, pixels, expected in table]
    return [*found, Case("mask", "damaged", _damaged_mask, "^refused: .*is damaged")]


def _rgba(plane: NDArray[Any], alpha: NDArray[Any]) -> NDArray[np.uint8]:
    return np.stack([plane, plane, plane, alpha], axis=2).astype(np.uint8)


def _one_pixel() -> NDArray[np.uint8]:
    plane = np.zeros((SIDE, SIDE, 1), np.uint8)
    plane[5, 5] = 255
    return plane


def _mask(pixels: NDArray[Any]) -> Callable[[Path], str]:
    return lambda folder: mask(png(folder, pixels), (SIDE, SIDE))


def _damaged_mask(folder: Path) -> str:
    return mask(samples.cut(png(folder, drawing(1))), (SIDE, SIDE))


def _pages_of(sides: list[int], subfiles: list[int]) -> Callable[[Path], str]:
    return lambda folder: edit(samples.tiff_pages(folder, sides, subfiles))


def _extra(kind: int, suffix: str = ".tif") -> Callable[[Path], str]:
    def throw(folder: Path) -> str:
        path = folder / "in.tif"
        image(drawing(4)).tiffsave(str(path))
        tiff_tags.set_short(path, tiff_pages.EXTRA_SAMPLES, kind)
        return edit(path, suffix)

    return throw


def _tiff(**options: Any) -> Callable[[Path], str]:
    def throw(folder: Path) -> str:
        path = folder / "in.tif"
        image(drawing(1)).tiffsave(str(path), **options)
        return edit(path)

    return throw


def _zstd(folder: Path) -> str:
    path = samples.tiff(folder, "deflate", tile=False)
    tiff_tags.set_short(path, 259, 50_000)  # Compression
    return edit(path)


def _twelve_bits(folder: Path) -> str:
    path = samples.jpeg(folder)
    data = bytearray(path.read_bytes())
    data[data.index(b"\xff\xc0") + 4] = 12  # the frame's precision
    path.write_bytes(data)
    return edit(path)


def _floating(folder: Path) -> str:
    path = folder / "in.tif"
    (image(drawing()) / 255).copy(interpretation="scrgb").tiffsave(str(path))
    return edit(path)


def _shallow(suffix: str, bits: int) -> Callable[[Path], str]:
    def throw(folder: Path) -> str:
        path = folder / f"in{suffix}"
        image(drawing(1)).write_to_file(str(path), bitdepth=bits)
        return edit(path)

    return throw


def _palette_tiff(folder: Path) -> str:
    from PIL import Image

    path = folder / "in.tif"
    Image.fromarray(drawing()).quantize(64).save(path)
    return edit(path)


def _animated_webp(folder: Path) -> str:
    path = folder / "in.webp"
    joined = image(np.concatenate([drawing(), 255 - drawing()])).copy()
    joined.set_type(_int_type(), "page-height", SIDE)
    joined.webpsave(str(path))
    return edit(path)


def _int_type() -> Any:
    import pyvips

    return pyvips.GValue.gint_type
