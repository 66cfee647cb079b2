"""Files that somebody made to do harm, and formats that are not taken: bombs, lies about sizes, circles, many parts."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from tests.field.case import Case
from tests.field.files.samples import drawing, image
from tests.field.files.throwing import edit

TAKEN, DAMAGED, NO_PICTURE = "^taken$", "^refused: .*is damaged", "^refused: .*is not a PNG, JPEG, WebP or TIFF"
BOMB = zlib.compress(bytes(64 << 20), 1)
"""64 MiB of zeros."""
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "' + b"A" * 1_000 + b'">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + level, b"&%c;" % (97 + level) * 50) for level in range(8))
    + b'><x:xmpmeta xmlns:x="adobe:ns:meta/">&i;</x:xmpmeta>'
)  # fmt: skip
"""50^8 times a thousand letters, for who expands entities."""


_STRIP, _WEBP = image(drawing(1, 64)).jpegsave_buffer(), image(drawing(3, 64)).webpsave_buffer(lossless=True)


def cases() -> list[Case]:
    """All of them."""
    table: list[tuple[str, Callable[[Path], str], str]] = [
        ("PNG, 100,000 texts", partial(_png, _chunk(b"tEXt", b"a\0b") * 100_000), TAKEN),
        ("PNG, 64 MiB in a zTXt", partial(_png, _chunk(b"zTXt", b"k\0\0" + BOMB)), TAKEN),
        ("PNG, 64 MiB as EXIF in a zTXt", partial(_png, _chunk(b"zTXt", b"Raw profile type exif\0\0" + BOMB)), TAKEN),
        ("PNG, 64 MiB as XMP", partial(_png, _chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + BOMB)), TAKEN),
        ("PNG, 64 MiB as profile", partial(_png, _chunk(b"iCCP", b"k\0\0" + BOMB)), "^told: .*profile .* damaged"),
        ("PNG, XMP of entities", partial(_png, _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + LAUGHS)), TAKEN),
        ("PNG, XMP 200,000 deep", partial(_png, _chunk(b"iTXt", _deep())), TAKEN),
        ("PNG, EXIF with a lie in it", partial(_png, _chunk(b"eXIf", b"II*\0\x08\0\0\0" + b"\xff" * 2_000)), TAKEN),
        ("PNG, two headers", partial(_png, _chunk(b"IHDR", _head(9, 9))), DAMAGED),
        ("PNG, a chunk of 4 GiB", partial(_png, struct.pack(">I4s", 0xFFFFFFF0, b"tEXt"), end=True), DAMAGED),
        ("PNG, 32,768 x 32,768 RGBA of 16 bits", partial(_bare_png, _head(32_768, 32_768, 16, 6)), "more than 4 GiB"),
        ("PNG, 0 x 0", partial(_bare_png, _head(0, 0)), DAMAGED),
        ("JPEG, 65,500 x 65,500", partial(_jpeg_of, 65_500), "^refused: .*over 32768 pixels"),
        ("JPEG, 0 lines", partial(_jpeg_of, 0), DAMAGED),
        ("JPEG, 13 MB of EXIF", partial(_jpeg_with, _app1(b"Exif\0\0" + bytes(65_000)) * 200), TAKEN),
        ("JPEG, XMP of entities", partial(_jpeg_with, _app1(b"http://ns.adobe.com/xap/1.0/\0" + LAUGHS)), TAKEN),
        ("JPEG, two pictures (MPO)", partial(_pillow, "in.jpg", "MPO", {"save_all": True}), "^told: .*second picture"),
        ("JPEG, CMYK", partial(_pillow, "in.jpg", "JPEG", {}, mode="CMYK"), "^refused: .*is CMYK"),
        ("WebP, a size of 4 GiB", partial(_webp_size, 0xFFFFFFFE), DAMAGED),
        ("WebP, a size of 4 bytes", partial(_webp_size, 4), DAMAGED),
        ("TIFF, directories in a circle", partial(_tiff, after=8), TAKEN),
        ("TIFF, 4 billion strips", partial(_tiff, strips=0xFFFFFFFF), DAMAGED),
        ("TIFF, floats of 16 bits", partial(_tiff, bits=16, sample=3), "^refused: .*8 or 16 bits"),
        ("TIFF, whole numbers with a sign", partial(_tiff, bits=16, sample=2), "^refused: .*8 or 16 bits"),
        ("TIFF, JPEG and WebP in a strip", _strips_as_they_should_be, TAKEN),
        (
            "TIFF, 65,500 px of JPEG in a strip",
            partial(_tiff, pixels=_sized_jpeg(65_500), compression=7),
            DAMAGED,
        ),
        ("TIFF, a larger WebP in a strip", partial(_tiff, pixels=_small("WEBP", {}), compression=50_001), DAMAGED),
        ("TIFF, 4 GiB of JPEG in a strip", partial(_tiff, pixels=_STRIP, compression=7, length=0xFFFFFFF0), DAMAGED),
        ("TIFF, 1 MiB of JPEG in a strip", partial(_tiff, pixels=_STRIP + bytes(1 << 20), compression=7), DAMAGED),
        ("TIFF, no JPEG in a strip of it", partial(_tiff, pixels=_STRIP[:100], compression=7), DAMAGED),
        ("TIFF, JPEG in the way before 1995", partial(_tiff, pixels=_STRIP, compression=6), "^refused: .*cannot read"),
        ("TIFF, 7 channels", _seven, "^refused: .*has 7 channels"),
    ]
    others: list[tuple[str, Callable[[Path], str], str]] = [
        (f"{kind}, called .png", partial(_pillow, "in.png", kind, {}), NO_PICTURE)
        for kind in ("ICO", "GIF", "BMP", "AVIF", "PPM")
    ]
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    texts = {"SVG": svg, "HEIC": b"\0\0\0\x18ftypheic" + bytes(99), "a web page": b"<!DOCTYPE html>404", "nothing": b""}
    others += [(f"{kind}, called .png", partial(_stored, data), NO_PICTURE) for kind, data in texts.items()]
    return [Case("hostile", name, throw, expected) for name, throw, expected in [*table, *others]]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _head(width: int, height: int, bits: int = 8, colour: int = 2) -> bytes:
    return struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)


def _deep() -> bytes:
    return b'XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta xmlns:x="adobe:ns:meta/">' + b"<a>" * 200_000


def _app1(data: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data


def _small(kind: str, options: Mapping[str, object], mode: str = "RGB") -> bytes:
    picture, target = Image.fromarray(drawing()).convert(mode), io.BytesIO()
    more = {"append_images": [picture]} if options else {}
    picture.save(target, kind, **options, **more)
    return target.getvalue()


def _stored(data: bytes, folder: Path, name: str = "in.png") -> str:
    path = folder / name
    path.write_bytes(data)
    return edit(path)


def _pillow(name: str, kind: str, options: Mapping[str, object], folder: Path, mode: str = "RGB") -> str:
    return _stored(_small(kind, options, mode), folder, name)


def _png(chunks: bytes, folder: Path, *, end: bool = False) -> str:
    """With these after the header; with `end`, nothing comes then."""
    whole = _small("PNG", {})
    return _stored(whole[:33] + chunks + (b"" if end else whole[33:]), folder)


def _bare_png(head: bytes, folder: Path) -> str:
    pixels = _chunk(b"IDAT", zlib.compress(bytes(1_000)))
    return _stored(b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + pixels + _chunk(b"IEND", b""), folder)


def _jpeg_with(segments: bytes, folder: Path) -> str:
    whole = _small("JPEG", {})
    return _stored(whole[:2] + segments + whole[2:], folder, "in.jpg")


def _sized_jpeg(side: int) -> bytes:
    whole = bytearray(_small("JPEG", {}, "L"))
    place = whole.index(b"\xff\xc0") + 5  # the frame's height and width
    whole[place : place + 4] = struct.pack(">HH", side, side or 16)
    return bytes(whole)


def _jpeg_of(side: int, folder: Path) -> str:
    return _stored(_sized_jpeg(side), folder, "in.jpg")


def _webp_size(size: int, folder: Path) -> str:
    whole = _small("WEBP", {})
    return _stored(whole[:4] + struct.pack("<I", size) + whole[8:], folder, "in.webp")


def _strips_as_they_should_be(folder: Path) -> str:
    """What the lies of the others are told from."""
    said = {_tiff(folder, pixels=_STRIP, compression=7), _tiff(folder, pixels=_WEBP, compression=50_001, samples=3)}
    return " ".join(said)


def _tiff(
    folder: Path,
    *,
    bits: int = 8,
    sample: int = 1,
    strips: int = 1,
    after: int = 0,
    compression: int = 1,
    pixels: bytes = b"",
    length: int = 0,
    samples: int = 1,
) -> str:
    """64 x 64 samples in one strip, by hand: noise, or `pixels`, of which is said that they have this length.

    Args:
        after: where the next directory is. samples: of a pixel.
    """
    side = 64
    pixels = pixels or np.random.default_rng(7).bytes(side * side * bits // 8)
    start = 8 + 2 + 12 * 10 + 4
    tags = {
        256: side,
        257: side,
        258: bits,
        259: compression,
        262: 1 if samples == 1 else 2,
        273: start,
        277: samples,
        278: side,
        279: length or len(pixels),
    }
    entries = [struct.pack("<HHII", tag, 4, strips if tag in (273, 279) else 1, value) for tag, value in tags.items()]
    entries.append(struct.pack("<HHII", 339, 4, 1, sample))
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", after)
    return _stored(b"II*\0\x08\0\0\0" + directory + pixels, folder, "in.tif")


def _seven(folder: Path) -> str:
    path = folder / "in.tif"
    bands = image(drawing())
    bands.bandjoin([bands[0], bands[1], bands[2], bands[0]]).tiffsave(str(path))
    return edit(path)
