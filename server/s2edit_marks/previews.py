"""What a file's metadata still shows or claims of the picture before an edit, taken out; all else stays to the byte.

Previews would show what the edit took away; claims of data that an edited file no longer has (a film behind a photo, a
gain map, a depth map) make phones show the old picture or nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from . import xmp

_PHOTOS = "http://ns.google.com/photos/"
_ALL = (
    f"{_PHOTOS}1.0/container/",
    f"{_PHOTOS}1.0/depthmap/",
    f"{_PHOTOS}1.0/image/",
    f"{_PHOTOS}1.0/audio/",
    f"{_PHOTOS}dd/1.0/device/",
    f"{_PHOTOS}dd/1.0/profile/",
    "http://ns.adobe.com/hdr-gain-map/1.0/",
    "http://ns.apple.com/HDRGainMap/1.0/",
    "http://ns.apple.com/pixeldatainfo/1.0/",
)
"""Namespaces that speak of nothing but further pictures in the file."""
_CAMERA = f"{_PHOTOS}1.0/camera/"
_CAMERA_NAMES = (
    "MotionPhoto",
    "MotionPhotoVersion",
    "MotionPhotoPresentationTimestampUs",
    "MicroVideo",
    "MicroVideoVersion",
    "MicroVideoOffset",
    "MicroVideoPresentationTimestampUs",
)
_SINGLE = (
    ("http://ns.adobe.com/xap/1.0/", "Thumbnails"),
    ("http://ns.adobe.com/xmp/note/", "HasExtendedXMP"),
    *((_CAMERA, name) for name in _CAMERA_NAMES),
)
_RESOURCES = frozenset({0x0409, 0x040C})
"""Photoshop's thumbnails, of version 4 and of 5 on (Photoshop File Formats Specification, "Image Resource IDs")."""
_IRB = b"Photoshop 3.0\0"
_JPEG, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"


def from_xmp(packet: bytes) -> bytes:
    """The packet without previews and claims; the same bytes when it has none. Raises xmp.Unreadable."""
    document = xmp.parse(packet)
    before = document.toxml()
    for space in _ALL:
        xmp.take(document, space, None)
    for space, name in _SINGLE:
        xmp.take(document, space, name)
    return packet if document.toxml() == before else xmp.serialise(document)


def from_photoshop(block: bytes) -> bytes:
    """Image resources (the content of JPEG's APP13 or of TIFF's tag 34377) without Photoshop's thumbnails.

    What can't be read as resources, and all that follows, stays.
    """
    head = _IRB if block.startswith(_IRB) else b""
    at, kept = len(head), [head]
    while True:
        found = _resource(block, at)
        if found is None:
            return b"".join([*kept, block[at:]])
        if found.number not in _RESOURCES:
            kept.append(block[at : found.end])
        at = found.end


@dataclass(frozen=True)
class _Resource:
    number: int
    end: int


def _resource(block: bytes, at: int) -> _Resource | None:
    if len(block) < at + 12 or block[at : at + 4] not in (b"8BIM", b"8B64", b"AgHg", b"DCSR", b"MeSa", b"PHUT"):
        return None
    (number,) = struct.unpack_from(">H", block, at + 4)
    # A Pascal string, padded to an even length with its count.
    size_at = at + 6 + (block[at + 6] + 2 & ~1)
    if len(block) < size_at + 4:
        return None
    (size,) = struct.unpack_from(">I", block, size_at)
    end = size_at + 4 + (size + 1 & ~1)
    if size_at + 4 + size > len(block):
        return None
    return _Resource(number, min(end, len(block)))


def from_exif(block: bytes) -> bytes:
    """An EXIF block (with or without its `Exif` header) of the same length without thumbnail and maker's previews.

    The first directory's link to the thumbnail's is cut, and every JPEG stream within is overwritten with zeros: makers
    keep previews in places of their own, whose offsets must not move. What is no EXIF comes back as it is.
    """
    start = 6 if block.startswith(b"Exif\0\0") else 0
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[start : start + 4])
    if order is None:
        return block
    result = bytearray(block)
    link = _link(block, start, order)
    if link is not None:
        result[link : link + 4] = bytes(4)
    for begin, end in _streams(block):
        result[begin:end] = bytes(end - begin)
    return bytes(result)


def _link(block: bytes, start: int, order: str) -> int | None:
    """Where the first directory says where the next one is."""
    if len(block) < start + 8:
        return None
    directory = start + struct.unpack_from(order + "I", block, start + 4)[0]
    if directory + 2 > len(block):
        return None
    link = directory + 2 + 12 * int(struct.unpack_from(order + "H", block, directory)[0])
    return link if link + 4 <= len(block) else None


def _streams(block: bytes) -> Iterator[tuple[int, int]]:
    """Where JPEG streams begin and end; one that breaks off reaches to the block's end."""
    at = 0
    while (begin := block.find(_JPEG, at)) >= 0:
        at = _end_of_jpeg(block, begin)
        if at > begin + 2:
            yield begin, at
        else:
            at = begin + 3


def _end_of_jpeg(block: bytes, begin: int) -> int:
    """Behind the stream's last byte, walking from segment to segment (ISO/IEC 10918-1, annex B).

    Returns `begin` when no segment follows: two bytes that happened to look like a stream's start. A preview within
    one of the preview's segments is passed over with it.
    """
    at, segments = begin + 2, 0
    while at + 4 <= len(block) and block[at] == 0xFF:
        marker, length = block[at + 1], struct.unpack_from(">H", block, at + 2)[0]
        if marker == 0xD9:
            return at + 2
        if marker < 0xC0 or length < 2:
            break
        at, segments = at + 2 + length, segments + 1
        if marker == 0xDA:
            end = block.find(_JPEG_END, at)
            return len(block) if end < 0 else end + 2
    return len(block) if segments else begin
