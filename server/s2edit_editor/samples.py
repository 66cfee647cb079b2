"""Pictures taken apart and put together, in the standard library alone: an editor's Python may lack numpy."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from s2edit_wire.frames import ITEM_SIZE

from .pixels import Box, Picture

FULL = {"u1": 255, "u2": 65_535, "f4": 1.0}
"""The sample that means 1.0."""
_STRUCT = {"u1": "B", "u2": "H", "f4": "f"}


def interleave(colour: Picture, alpha: Picture) -> Picture:
    """Gray or RGB samples with the one channel of `alpha` (same size and dtype) beside them."""
    item, channels = ITEM_SIZE[colour.dtype], colour.channels
    out = bytearray(len(colour.data) + len(alpha.data))
    # Byte by byte, since slices of bytearrays are copied several times faster than those of typed memoryviews.
    for byte in range(channels * item):
        out[byte :: (channels + 1) * item] = colour.data[byte :: channels * item]
    for byte in range(item):
        out[channels * item + byte :: (channels + 1) * item] = alpha.data[byte::item]
    return Picture(colour.width, colour.height, channels + 1, colour.dtype, bytes(out))


def without_alpha(picture: Picture) -> Picture:
    """Gray or RGB samples of a picture that may have alpha beside them."""
    if picture.channels in (1, 3):
        return picture
    item, kept = ITEM_SIZE[picture.dtype], picture.channels - 1
    out = bytearray(len(picture.data) * kept // picture.channels)
    for byte in range(kept * item):
        out[byte :: kept * item] = picture.data[byte :: picture.channels * item]
    return Picture(picture.width, picture.height, kept, picture.dtype, bytes(out))


def is_full(plane: Picture) -> bool:
    """Whether every sample means 1.0."""
    full = struct.pack(f"={_STRUCT[plane.dtype]}", FULL[plane.dtype])
    return plane.data == full * (len(plane.data) // len(full))


def as_gray(colour: Picture) -> Picture:
    """One channel of an RGB picture: green, which carries most of the brightness."""
    plane = samples(colour.data, colour.dtype)[1 :: colour.channels].tobytes()
    return Picture(colour.width, colour.height, 1, colour.dtype, plane)


def as_rgb(gray: Picture) -> Picture:
    """A picture of one channel as RGB."""
    out = samples(bytearray(3 * len(gray.data)), gray.dtype)
    for channel in range(3):
        out[channel::3] = samples(gray.data, gray.dtype)
    return Picture(gray.width, gray.height, 3, gray.dtype, out.tobytes())


def fitting(picture: Picture, *, gray: bool) -> Picture:
    """A picture of 1 or 3 channels as a gray or coloured document wants it, which may have been converted meanwhile."""
    if gray == (picture.channels == 1):
        return picture
    return as_gray(picture) if gray else as_rgb(picture)


def are_alike(wanted: bytes | bytearray | memoryview, found: bytes, dtype: str, tolerance: float) -> bool:
    """Whether no sample is off by more than a part of the full range."""
    most = FULL[dtype] * tolerance
    pairs = zip(samples(wanted, dtype), samples(found, dtype), strict=True)
    return wanted == found or all(abs(one - other) <= most for one, other in pairs)


def sampled(take: Callable[[int, int, int, int], Any], box: Box, step: int) -> bytes:
    """Every `step`-th pixel of every `step`-th row, at a cost that hardly grows with the picture.

    Args:
        take: gives the bytes of a rectangle (x, y, width, height), any number of them a pixel.
    """
    if step == 1:
        return bytes(take(*box))
    rows = []
    for y in range(box.y, box.y + box.height, step):
        row = bytes(take(box.x, y, box.width, 1))
        size = len(row) // box.width
        thin = bytearray(size * box.thinned(step).width)
        for byte in range(size):
            thin[byte::size] = row[byte :: size * step]
        rows.append(thin)
    return b"".join(rows)


def samples(data: bytes | bytearray | memoryview, dtype: str) -> memoryview[Any]:
    """Bytes seen as samples; slices with a step pick channels."""
    code: Any = _STRUCT[dtype]
    return memoryview(data).cast(code)
