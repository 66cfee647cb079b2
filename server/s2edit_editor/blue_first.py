"""Raw pixels of an editor that holds blue before red, as Krita does, to and from the wire's order.

8- and 16-bit RGB pixels are blue, green, red, alpha there, and floats red, green, blue, alpha; the wire's are always
red, green, blue(, alpha). Rows come one after the other, without padding; alpha is the last channel in every colour
model. All work is done by slices, in C, in the standard library alone.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from typing import Any, NamedTuple


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


_FULL = {"U8": b"\xff", "U16": b"\xff\xff", "F16": b"\x00\x3c", "F32": b"\x00\x00\x80\x3f"}
"""Alpha of an opaque pixel, little-endian."""
_ANY = b"\0" + b"\xff" * 255


class Own(NamedTuple):
    """A layer's own alpha in a box.

    Args:
        opaque: whether it is full all over.
        there: a byte for each pixel, 255 where it is not 0.
    """

    opaque: bool
    there: bytes

    @classmethod
    def of(cls, data: bytes, depth: str, count: int) -> Own:
        """Of so many raw pixels, of any colour model, of a channel depth (`DEPTHS`)."""
        planes = alpha_planes(data, depth, count)
        opaque = all(plane == bytes([value]) * len(plane) for plane, value in zip(planes, _FULL[depth], strict=True))
        some = 0
        for plane in planes:
            some |= int.from_bytes(plane, "little")
        return cls(opaque, some.to_bytes(count, "little").translate(_ANY))


def alpha_planes(data: bytes, depth: str, count: int) -> list[bytes]:
    """The alpha samples of so many raw pixels, a plane for each of their bytes."""
    size, item = len(data) // count, len(_FULL[depth])
    return [data[size - item + byte :: size] for byte in range(item)]


def with_alpha(data: bytes, planes: Sequence[bytes], count: int) -> bytes:
    """So many raw pixels with these alpha samples (`alpha_planes`) in place of their own."""
    out = bytearray(data)
    size = len(out) // count
    for byte, plane in enumerate(planes):
        out[size - len(planes) + byte :: size] = plane
    return bytes(out)


def opaque(data: bytes, depth: str, count: int) -> bytes:
    """So many raw pixels with full alpha."""
    return with_alpha(data, [bytes([value]) * count for value in _FULL[depth]], count)
