"""A PNG's chunks: read before the pixels, and put back after libvips has written a file of its own.

libvips neither reads nor writes gAMA, cHRM, cICP and sRGB, and always writes pHYs, with one of the two resolutions.
"""

from __future__ import annotations

import shutil
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

SIGNATURE = 8
MAX_CHUNK = 1 << 16
"""Bytes of the largest chunk that is read; those of interest have a few dozen."""


def chunks(path: Path) -> dict[bytes, bytes]:
    """The chunks before the pixels by type, the first of each; those over `MAX_CHUNK` bytes as empty.

    A chunk whose checksum is wrong is left out, as decoders do.
    """
    found: dict[bytes, bytes] = {}
    with path.open("rb") as file:
        file.seek(SIGNATURE)
        while len(head := file.read(8)) == 8 and head[4:] not in (b"IDAT", b"IEND"):
            length, kind = struct.unpack(">I4s", head)
            if length > MAX_CHUNK:
                file.seek(length + 4, 1)
                found.setdefault(kind, b"")
                continue
            data, check = file.read(length), file.read(4)
            if check == struct.pack(">I", zlib.crc32(kind + data)):
                found.setdefault(kind, data)
    return found


def copy(png: BinaryIO, target: BinaryIO, put_in: dict[bytes, bytes], leave_out: frozenset[bytes]) -> None:
    """Copy a PNG with chunks put in after IHDR, where colour and resolution may stand (PNG, 5.6), and others left out.

    Args:
        put_in: chunks by type; those of the same type in `png` are left out.
    """
    # The signature and IHDR, which comes first and has a fixed size.
    target.write(png.read(SIGNATURE + 25))
    for kind, data in put_in.items():
        target.write(_chunk(kind, data))
    while len(head := png.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind in leave_out or kind in put_in:
            png.seek(length + 4, 1)
            continue
        target.write(head)
        if kind == b"IDAT":
            break
        target.write(png.read(length + 4))
    shutil.copyfileobj(png, target, 1 << 20)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
