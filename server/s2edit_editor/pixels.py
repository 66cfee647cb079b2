"""Boxes and pictures as they pass between an editor and the wire; all boxes are in the picture's (canvas) pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from s2edit_wire.frames import ITEM_SIZE

from .turns import BAND


class Box(NamedTuple):
    """A rectangle of pixels: left, top, width, height. Left and top may be negative, as a layer may reach outside."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column beyond."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row beyond."""
        return self.y + self.height

    def united(self, other: Box) -> Box:
        """The smallest box around both."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Box(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)

    def cut(self, other: Box) -> Box | None:
        """What both have in common, or None."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        width, height = min(self.right, other.right) - x, min(self.bottom, other.bottom) - y
        return Box(x, y, width, height) if width > 0 and height > 0 else None

    def clipped(self, width: int, height: int) -> Box | None:
        """The part inside a canvas of this size, or None."""
        return self.cut(Box(0, 0, width, height))

    def moved(self, x: int, y: int) -> Box:
        """The same size elsewhere."""
        return Box(self.x + x, self.y + y, self.width, self.height)

    def within(self, area: Box) -> Box:
        """The same box as seen from the area's left upper corner."""
        return self.moved(-area.x, -area.y)

    def out_of(self, area: Box) -> Box:
        """The reverse of `within`."""
        return self.moved(area.x, area.y)

    def holds(self, other: Box) -> bool:
        """Whether the other box lies inside this one."""
        return self.cut(other) == other

    def thinned(self, step: int) -> Box:
        """The size of every `step`-th pixel of every `step`-th row, at 0, 0."""
        return Box(0, 0, -(-self.width // step), -(-self.height // step))

    def bands(self, most: int) -> Iterator[Box]:
        """The box in bands of whole rows, each of at most `most` pixels (but one row at least), from the top down."""
        rows = max(1, most // self.width)
        for y in range(self.y, self.bottom, rows):
            yield Box(self.x, y, self.width, min(rows, self.bottom - y))


def around(boxes: list[Box]) -> Box | None:
    """The smallest box around all; None of none."""
    if not boxes:
        return None
    whole = boxes[0]
    for box in boxes[1:]:
        whole = whole.united(box)
    return whole


def covered(data: bytes, width: int) -> Box | None:
    """The smallest box that holds every non-zero byte of a plane so wide; None when all are zero."""
    lead = len(data) - len(data.lstrip(b"\0"))
    if lead == len(data):
        return None
    top, bottom = lead // width, (len(data.rstrip(b"\0")) - 1) // width
    left, right = width, 0
    for row in range(top, bottom + 1):
        line = data[row * width : (row + 1) * width]
        start = width - len(line.lstrip(b"\0"))
        if start < width:
            left, right = min(left, start), max(right, len(line.rstrip(b"\0")))
    return Box(left, top, right - left, bottom - top + 1)


def is_blank(data: bytes | bytearray) -> bool:
    """Whether every byte is zero; copies no more than a band of them."""
    return not any(data[place : place + BAND].strip(b"\0") for place in range(0, len(data), BAND))


def kept_where(alpha: bytes, own: bytes, dtype: str) -> bytes:
    """One channel's samples, 0 where another plane of the same size and dtype is 0."""
    item = ITEM_SIZE[dtype]
    some = 0
    for byte in range(item):
        some |= int.from_bytes(own[byte::item], "little")
    count = len(own) // item
    there = int.from_bytes(some.to_bytes(count, "little").translate(_ANY), "little")
    out = bytearray(len(alpha))
    for byte in range(item):
        out[byte::item] = (int.from_bytes(alpha[byte::item], "little") & there).to_bytes(count, "little")
    return bytes(out)


_ANY = b"\0" + b"\xff" * 255


def coloured(mask: bytes | bytearray | memoryview, colour: Sequence[int]) -> bytearray:
    """8-bit pixels of one colour, of three samples, with the mask's as alpha."""
    coverage = bytes(mask)
    out = bytearray((*colour, 0)) * len(coverage)
    out[3::4] = coverage
    return out


@dataclass(frozen=True)
class Picture:
    """Pixels as they travel: rows from the top down, channels interleaved, little-endian, sRGB-encoded.

    Args:
        width, height: in pixels, from 1.
        channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA.
        dtype: `u1` (0 to 255), `u2` (0 to 65535) or `f4` (0.0 to 1.0, beyond allowed).
        data: width x height x channels samples.
    """

    width: int
    height: int
    channels: int
    dtype: str
    data: bytes | bytearray | memoryview

    def __post_init__(self) -> None:
        """Raises ValueError when the data has another size than that."""
        wanted = self.width * self.height * self.channels * ITEM_SIZE[self.dtype]
        if len(self.data) != wanted:
            raise ValueError(f"{len(self.data)} bytes instead of {wanted}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, channels, as the wire has it."""
        return self.height, self.width, self.channels

    def rows(self, top: int, height: int) -> Picture:
        """So many rows of it, which are not copied."""
        stride = len(self.data) // self.height
        part = memoryview(self.data)[top * stride : (top + height) * stride]
        return Picture(self.width, height, self.channels, self.dtype, part)
