"""A picture's metadata made ready for writing after an edit: marked, and clear of what speaks of the picture before."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from . import previews, xmp

if TYPE_CHECKING:
    import pyvips

_BLOBS: dict[str, Callable[[bytes], bytes]] = {
    "exif-data": previews.from_exif,
    "iptc-data": previews.from_photoshop,
    "photoshop-data": previews.from_photoshop,
}
_GONE = ("jpeg-thumbnail-data", "gainmap-data")
_RAW: dict[str, Callable[[bytes], bytes]] = {
    "exif": previews.from_exif,
    "app1": previews.from_exif,
    "8bim": previews.from_photoshop,
    "iptc": previews.from_photoshop,
}
"""What ImageMagick and its kin put into a PNG as text: hexadecimal digits behind a line with their number."""


@dataclass(frozen=True)
class Ready:
    """A picture that may be written.

    Args:
        image: with the mark in its XMP, unless `unmarked` says why not.
        unmarked: why the XMP could not be marked and is as it was, or "".
    """

    image: pyvips.Image
    unmarked: str = ""


def ready(image: pyvips.Image, version: str, *, mark: bool = True, prompt: str = "") -> Ready:
    """A copy of an edited picture, ready for writing.

    Args:
        version: this program's. mark: whether XMP says that a model had a hand in it. prompt: told there, if not "".
    """
    import pyvips

    result = image.copy()
    for name in result.get_fields():
        # libvips would write the fields of the thumbnail's directory anew.
        if name in _GONE or name.startswith(("exif-ifd1-", "gainmap-")) or _is_thumbnail_text(name):
            result.remove(name)
        elif name in _BLOBS:
            result.set(name, _BLOBS[name](bytes(result.get(name))))
        elif name.startswith("png-comment-") and "Raw profile type " in name:
            result.set(name, _raw_profile(name, result.get(name)))
    packet = bytes(result.get("xmp-data")) if result.get_typeof("xmp-data") else None
    try:
        if packet is not None:
            packet = previews.from_xmp(packet)
        if mark:
            packet = xmp.marked(packet, version, prompt)
    except xmp.Unreadable as error:
        # A photographer's metadata is not thrown away for a mark.
        return Ready(result, f"the picture's XMP can't be changed ({error}) and stays as it is")
    if packet is not None:
        result.set_type(pyvips.GValue.blob_type, "xmp-data", packet)
    return Ready(result)


def save_png(image: pyvips.Image, target: BinaryIO, **options: object) -> None:
    """Write a picture as PNG with XMP and texts as other programs look for them.

    libvips (8.18) would write both compressed as `zTXt`, where UTF-8 is taken for Latin-1, and keywords only as far as
    its first space. XMP's place: specification part 3, 1.1.5.

    Args:
        options: for `pngsave_target`.
    """
    import pyvips

    chunks, bare = [], image.copy()
    for name in image.get_fields():
        if name == "xmp-data":
            chunks.append(_text_chunk(b"XML:com.adobe.xmp", bytes(image.get(name))))
        elif name.startswith("png-comment-"):
            keyword = name.split("-", 3)[3].encode("latin-1", "replace")
            chunks.append(_text_chunk(keyword, image.get(name).encode()))
        else:
            continue
        bare.remove(name)
    inner = pyvips.TargetCustom()
    written = _Insertion(target, b"".join(chunks))
    inner.on_write(written.write)
    bare.pngsave_target(inner, **options)


class _Insertion:
    """Passes a PNG on with chunks put in behind its signature and IHDR, which comes first and has a fixed size."""

    def __init__(self, target: BinaryIO, chunks: bytes) -> None:
        self._target, self._chunks, self._at = target, chunks, 0

    def write(self, data: bytes) -> int:
        head = max(0, min(len(data), 8 + 25 - self._at))
        self._target.write(data[:head])
        self._at += len(data)
        if self._chunks and self._at >= 8 + 25:
            self._target.write(self._chunks)
            self._chunks = b""
        self._target.write(data[head:])
        return len(data)


def _text_chunk(keyword: bytes, text: bytes) -> bytes:
    # Keyword, not compressed, by no method, no language, no translated keyword.
    body = b"iTXt" + keyword[:79] + bytes(5) + text
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def _is_thumbnail_text(name: str) -> bool:
    # Thumbnail Managing Standard (freedesktop.org), "Thumbnail Attributes".
    return name.startswith("png-comment-") and "-Thumb::" in name


def _raw_profile(name: str, text: str) -> str:
    lines = text.strip("\n").split("\n")
    clean = _RAW.get(name.rpartition(" ")[2].lower())
    if clean is None or len(lines) < 3:
        return text
    try:
        before = bytes.fromhex("".join(lines[2:]))
    except ValueError:
        return text
    after = clean(before)
    digits = after.hex()
    rows = [digits[at : at + 72] for at in range(0, len(digits), 72)]
    return text if after == before else "\n".join(["", lines[0], f"{len(after):8d}", *rows, ""])
