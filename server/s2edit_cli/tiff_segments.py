"""A TIFF's strips and tiles that are JPEGs or WebPs of their own, each as a whole stream.

Tags: TIFF 6.0, sections 8 and 15; JPEG: Adobe Photoshop TIFF Technical Notes (2002), part 2, “new-style” JPEG, which
keeps what all of them share in JPEGTables; WebP: libtiff's compression 50001, a file in each strip or tile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from s2edit_wire.limits import MAX_SIDE

from . import jpeg_stream
from .tiff_tags import Directory

_WIDTH, _HEIGHT, _COMPRESSION, _SAMPLES, _ROWS, _PLANAR = 256, 257, 259, 277, 278, 284
_STRIP_OFFSETS, _STRIP_BYTES, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES = 273, 279, 322, 323, 324, 325
_TABLES = 347
_JPEG, _WEBP = 7, 50001
_APART = 2
"""PlanarConfiguration: each sample has strips or tiles of its own."""
_MAX_TABLES = 65_536
"""Bytes; four tables of each kind take 3 kB."""
_MAX_GROWTH, _MAX_HEAD = 10, 4096
"""A strip's code is at most so many times its samples, and so many bytes more: libtiff's own bound."""


@dataclass(frozen=True)
class Segment:
    """A strip or tile.

    Args:
        data: its bytes in the file. stream: a JPEG's parts, tables included; None for a WebP.
        width, height: px; its picture may not be larger. place: where in the picture it begins, for people.
        percent: how much of the picture has been reached with it.
    """

    data: bytes
    stream: jpeg_stream.Stream | None
    width: int
    height: int
    place: str
    percent: int


def coded_ones(file: BinaryIO, start: int) -> Iterator[Segment]:
    """All strips or tiles of a directory, one at a time; none where they are neither JPEG nor WebP.

    Args:
        file: an open TIFF. start: where in it the directory begins.
    Raises:
        ValueError: one does not lie in the file, is longer than its samples can be, or is no JPEG.
    """
    tags = Directory(file, start)
    compression = tags.number(_COMPRESSION, 1)
    if compression not in (_JPEG, _WEBP):
        return
    width, height = tags.number(_WIDTH, 0), tags.number(_HEIGHT, 0)
    tiled = tags.number(_TILE_WIDTH, 0) > 0
    across = tags.number(_TILE_WIDTH, 0) if tiled else width
    down = tags.number(_TILE_HEIGHT, 0) if tiled else min(height, tags.number(_ROWS, height))
    if not (0 < across <= MAX_SIDE and 0 < down <= MAX_SIDE and 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise ValueError(f"strips or tiles of {across} x {down} pixels")
    columns, rows = -(-width // across), -(-height // down)
    samples = tags.number(_SAMPLES, 1)
    planes = samples if tags.number(_PLANAR, 1) == _APART else 1
    count = columns * rows * planes
    # Like libtiff: the strips' tags may tell of tiles, too.
    offsets = tags.numbers(_STRIP_OFFSETS if tags.place(_TILE_OFFSETS) is None else _TILE_OFFSETS, count)
    lengths = tags.numbers(_STRIP_BYTES if tags.place(_TILE_BYTES) is None else _TILE_BYTES, count)
    if (offsets.size, lengths.size) != (count, count):
        raise ValueError(f"{offsets.size} places and {lengths.size} lengths of {count} strips or tiles")
    tables = tags.blob(_TABLES, _MAX_TABLES)
    longest = _MAX_GROWTH * across * down * (samples // planes) + _MAX_HEAD
    for index, (offset, length) in enumerate(zip(offsets.tolist(), lengths.tolist(), strict=True)):
        if not 0 < length <= longest:
            raise ValueError(f"a strip or tile of {length} bytes")
        data = tags.read(offset, length)
        stream = jpeg_stream.parse(jpeg_stream.with_tables(tables, data)) if compression == _JPEG else None
        if compression == _JPEG and stream is None:
            raise ValueError("a strip or tile that is no JPEG")
        row, column = divmod(index % (columns * rows), columns)
        place = f"{column * across}, {row * down}"
        yield Segment(data, stream, across, down, place, 100 * (index + 1) // count)
