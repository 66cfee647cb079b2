"""The mark put into a finished file's XMP, whoever wrote it; not a pixel, and nothing else, changes. Standard library.

For editors whose exporters have no way to say it. Places: XMP specification part 3, 1.1 (JPEG, PNG, TIFF, WebP).
"""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

from . import carriers, xmp

MAX_FILE = 1 << 30
"""Bytes of the largest file that is rewritten; it passes through memory."""
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"


class CannotEmbed(ValueError):
    """The file can't carry the mark; the message says why."""


def mark_file(path: Path, version: str) -> None:
    """Set the mark in a PNG, JPEG, TIFF or WebP; the file is replaced in one step, or left as it was.

    Raises:
        CannotEmbed: it is of another kind, damaged, too large, or its XMP can't be changed. OSError.
    """
    carried = carriers.read(path)
    if carried.kind not in _WRITERS:
        raise CannotEmbed("files of this kind have no place for it")
    if path.stat().st_size > MAX_FILE:
        raise CannotEmbed("the file is over 1 GiB")
    try:
        packet = xmp.marked(carried.xmp[0] if carried.xmp else None, version)
        changed = _WRITERS[carried.kind](path.read_bytes(), packet)
    except xmp.Unreadable as error:
        raise CannotEmbed(f"its metadata can't be changed: {error}") from error
    except (struct.error, IndexError) as error:
        raise CannotEmbed("the file is damaged") from error
    descriptor, name = tempfile.mkstemp(prefix=".s2edit-", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(changed)
        draft.chmod(path.stat().st_mode & 0o777)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _png(data: bytes, packet: bytes) -> bytes:
    body = b"iTXtXML:com.adobe.xmp" + bytes(5) + packet
    added = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    parts, at = [data[:33], added], 33  # behind the signature and IHDR
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + size
        if not (kind in (b"iTXt", b"zTXt", b"tEXt") and data[at + 8 : at + 26] == b"XML:com.adobe.xmp\0"):
            parts.append(data[at:end])
        at = end
    return b"".join(parts)


def _jpeg(data: bytes, packet: bytes) -> bytes:
    if len(packet) > 65_535 - 2 - len(_JPEG_XMP):
        raise CannotEmbed("its metadata is too long for a JPEG")
    added = b"\xff\xe1" + struct.pack(">H", 2 + len(_JPEG_XMP) + len(packet)) + _JPEG_XMP + packet
    parts, at, put = [data[:2]], 2, False
    while data[at] == 0xFF and data[at + 1] not in (0xDA, 0xD9):
        (size,) = struct.unpack_from(">H", data, at + 2)
        segment, first = data[at : at + 2 + size], data[at + 1] == 0xE0 or data[at + 4 : at + 10] == b"Exif\0\0"
        if not first and not put:
            parts.append(added)
            put = True
        if not segment[4:].startswith(_JPEG_XMP):
            parts.append(segment)
        at += 2 + size
    return b"".join([*parts, *([] if put else [added]), data[at:]])


def _webp(data: bytes, packet: bytes) -> bytes:
    at = 12
    chunks: list[tuple[bytes, bytes]] = []
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        chunks.append((name, data[at + 8 : at + 8 + size]))
        at += 8 + size + (size & 1)
    if chunks[0][0] != b"VP8X":
        chunks.insert(0, (b"VP8X", _webp_header(*chunks[0])))
    header = bytearray(chunks[0][1])
    header[0] |= 0x04  # WebP container specification: the flag of XMP
    kept = [(b"VP8X", bytes(header)), *(chunk for chunk in chunks[1:] if chunk[0] != b"XMP "), (b"XMP ", packet)]
    body: bytes = b"".join(
        struct.pack("<4sI", name, len(content)) + content + bytes(len(content) & 1) for name, content in kept
    )
    head: bytes = struct.pack("<4sI4s", b"RIFF", len(body) + 4, b"WEBP")
    return head + body


def _webp_header(name: bytes, content: bytes) -> bytes:
    """The extended header of a file that has none: flags, then width and height less one as 24-bit numbers."""
    if name == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 1)
        width, height, alpha = bits & 0x3FFF, bits >> 14 & 0x3FFF, bits >> 28 & 1
    elif name == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", content, 6))
        width, height, alpha = width - 1, height - 1, 0
    else:
        raise CannotEmbed("the file is damaged")
    return struct.pack("<B3x", alpha << 4) + struct.pack("<I", width)[:3] + struct.pack("<I", height)[:3]


def _tiff(data: bytes, packet: bytes) -> bytes:
    """The first directory written anew at the file's end, with the packet; all that it points at stays in its place."""
    order = "<" if data[:2] == b"II" else ">"
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    count_form, entry_form, offset_form, at = ("Q", "HHQ8s", "Q", 8) if big else ("H", "HHI4s", "I", 4)
    (start,) = struct.unpack_from(order + offset_form, data, at)
    (count,) = struct.unpack_from(order + count_form, data, start)
    start += struct.calcsize(count_form)
    size = struct.calcsize(order + entry_form)
    entries = [struct.unpack_from(order + entry_form, data, start + size * row) for row in range(count)]
    following = data[start + size * count :][: struct.calcsize(offset_form)]
    body = data + bytes(-len(data) % 8)
    entries = [entry for entry in entries if entry[0] != 700]
    entries.append((700, 1, len(packet), struct.pack(order + offset_form, len(body))))
    body += packet + bytes(-len(packet) % 8)
    directory = struct.pack(order + count_form, len(entries))
    directory += b"".join(struct.pack(order + entry_form, *entry) for entry in sorted(entries)) + following
    if not big and len(body) + len(directory) >= 1 << 32:
        raise CannotEmbed("the file is too large for a TIFF")
    return (
        body[:at] + struct.pack(order + offset_form, len(body)) + body[at + struct.calcsize(offset_form) :] + directory
    )


_WRITERS: dict[str, Callable[[bytes, bytes], bytes]] = {"png": _png, "jpeg": _jpeg, "webp": _webp, "tiff": _tiff}
