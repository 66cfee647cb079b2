"""Pixel bytes between Krita's order and the wire's, in the standard library alone (Krita's Python may lack numpy).

Krita holds 8- and 16-bit RGB pixels as blue, green, red, alpha and floats as red, green, blue, alpha; the wire's are
always red, green, blue(, alpha). Rows come one after the other, without padding. All work is done by slices, in C.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable
from typing import Any, NamedTuple

from s2edit_editor.pixels import Box


class Depth(NamedTuple):
    """How one of Krita's channel depths travels.

    Args:
        working: the depth that the pixels are converted to in Krita before they are read.
        dtype: the wire's name for it.
        code: the `array` type code.
        full: the value of full coverage.
        swapped: whether Krita's order is blue, green, red, alpha.
    """

    working: str
    dtype: str
    code: str
    full: float
    swapped: bool

    @property
    def bytes_a_pixel(self) -> int:
        """Of red, green, blue and alpha."""
        return 4 * array(self.code).itemsize


DEPTHS = {
    "U8": Depth("U8", "u1", "B", 255, True),
    "U16": Depth("U16", "u2", "H", 65_535, True),
    "F16": Depth("F32", "f4", "f", 1.0, False),
    "F32": Depth("F32", "f4", "f", 1.0, False),
}


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


def samples(depth: Depth, data: bytes | bytearray | memoryview) -> array[Any]:
    """The samples that little-endian wire bytes hold, in this machine's own order."""
    values: array[Any] = array(depth.code)
    values.frombytes(data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def to_wire(depth: Depth, data: bytes | bytearray) -> bytes | bytearray:
    """RGBA in the wire's order, from a layer's bytes in Krita's order."""
    if not depth.swapped:
        return data
    if depth.dtype == "u1":
        out = bytearray(data)
        out[0::4], out[2::4] = out[2::4], out[0::4]
        return out
    values = array(depth.code)
    values.frombytes(data)
    values[0::4], values[2::4] = values[2::4], values[0::4]
    return values.tobytes()


def to_krita(depth: Depth, data: bytes | bytearray | memoryview, channels: int) -> bytes | bytearray:
    """A layer's opaque bytes in Krita's order, from a patch of 1 or 3 channels in the wire's order."""
    order = (0, 0, 0) if channels == 1 else ((2, 1, 0) if depth.swapped else (0, 1, 2))
    if depth.dtype == "u1":
        source = bytes(data)
        out = bytearray(b"\xff") * (len(source) // channels * 4)
        for place, channel in enumerate(order):
            out[place::4] = source[channel::channels]
        return out
    values = samples(depth, data)
    full = int(depth.full) if depth.code == "H" else depth.full
    pixels: array[Any] = array(depth.code, [full]) * (len(values) // channels * 4)
    for place, channel in enumerate(order):
        pixels[place::4] = values[channel::channels]
    return pixels.tobytes()


def alpha_as_layer(depth: Depth, data: bytes | bytearray | memoryview) -> bytes:
    """A black layer's bytes whose alpha channel is `data` (one channel), so that Krita can convert it to 8 bit."""
    values = samples(depth, data)
    pixels: array[Any] = array(depth.code, [0]) * (len(values) * 4)
    pixels[3::4] = values
    return pixels.tobytes()
