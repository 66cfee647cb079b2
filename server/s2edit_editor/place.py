"""Where a result belongs in a document that was moved, cropped, scaled or turned while the edit was made.

No editor tells a plug-in what was done to a picture, but its size, its layers' places and its pixels do: each way that
the crop may have gone is tried on a few dozen of its pixels, and the one that fits is taken.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from s2edit_wire.frames import ITEM_SIZE

from .pixels import Box, Picture

GRID = 8
"""Points along each side of the crop that are looked at."""
ALIKE = 24
"""Steps of 255 by which a pixel may differ, as scaling blurs."""
LEAST = 0.3
"""Share of points that have to be alike: the painter may have painted on others."""
CLEARLY = 0.2
"""By how much another way has to fit better than the plain one."""
TURNED, LOST = "turned", "lost"
Look = Callable[[int, int], "int | None"]
"""The source layer's green at a canvas pixel, 0 to 255; None beside the layer."""


def looker(whole: Box | None, read: Callable[[Box], bytes | bytearray | memoryview], *, at_once: bool) -> Look:
    """Looks at a layer by reading it.

    Args:
        whole: what it has of the canvas, None for nothing. read: gives the 8-bit RGBA pixels of a box within that.
        at_once: read all of it first, where reading a little costs as much.
    """
    if whole is None:
        return lambda _x, _y: None
    held = read(whole) if at_once else b""

    def look(x: int, y: int) -> int | None:
        point = Box(x, y, 1, 1)
        if not whole.holds(point):
            return None
        if held:
            return held[4 * ((y - whole.y) * whole.width + x - whole.x) + 1]
        return read(point)[1]

    return look


@dataclass(frozen=True)
class Sent:
    """How the document was when a crop of it was sent.

    Args:
        canvas: width and height. at: the source layer's left upper corner. crop: what was sent.
        points: green, 0 to 255, of `GRID` x `GRID` pixels of the crop, row by row; empty when not known.
    """

    canvas: tuple[int, int]
    at: tuple[int, int]
    crop: Box
    points: tuple[int, ...] = ()


class Found(NamedTuple):
    """The result's box now (of another size than the patch when the picture was scaled), or why there is none."""

    box: Box | None
    why: str = ""


class _Way(NamedTuple):
    box: Box
    turn: Callable[[float, float], tuple[float, float]]
    turned: bool = False


def points_of(picture: Picture) -> tuple[int, ...]:
    """`Sent.points` of a crop as it is sent."""
    item, green = ITEM_SIZE[picture.dtype], 1 if picture.channels > 2 else 0
    found = []
    for x, y in _grid():
        column, row = int(x * picture.width), int(y * picture.height)
        start = ((row * picture.width + column) * picture.channels + green) * item
        found.append(_as_byte(bytes(picture.data[start : start + item]), picture.dtype))
    return tuple(found)


def find(sent: Sent, canvas: tuple[int, int], at: tuple[int, int] | None, look: Look) -> Found:
    """Where the crop is now.

    Args:
        canvas: the document's size now. at: the source layer's corner now, None when the layer is gone.
    """
    if at is None or not sent.points:
        moved = sent.crop if at is None else sent.crop.moved(at[0] - sent.at[0], at[1] - sent.at[1])
        return Found(moved) if canvas == sent.canvas or at is not None else Found(None, LOST)
    first, *others = _ways(sent, canvas, at)
    plain = best = (_likeness(sent, first, canvas, look), first)
    if plain[0] + CLEARLY <= 1.0:  # else none can fit clearly better, and every look costs an editor's own time
        best = max([plain, *((_likeness(sent, way, canvas, look), way) for way in others)], key=lambda entry: entry[0])
        if best[0] < plain[0] + CLEARLY:
            best = plain
    if best[1].turned:
        return Found(None, TURNED)
    if best[0] < LEAST and canvas != sent.canvas:
        return Found(None, LOST)
    return Found(best[1].box)


def _ways(sent: Sent, canvas: tuple[int, int], at: tuple[int, int]) -> Iterator[_Way]:
    """The plain one first: with its layer."""

    def straight(x: float, y: float) -> tuple[float, float]:
        return x, y

    yield _Way(sent.crop.moved(at[0] - sent.at[0], at[1] - sent.at[1]), straight)
    yield _Way(sent.crop, straight)
    if canvas != sent.canvas:
        yield _Way(_stretched(sent.crop, sent.canvas, canvas), straight)
    turns: tuple[tuple[bool, Callable[[float, float], tuple[float, float]]], ...] = (
        (False, lambda x, y: (1 - x, 1 - y)),
        (False, lambda x, y: (1 - x, y)),
        (False, lambda x, y: (x, 1 - y)),
        (True, lambda x, y: (1 - y, x)),
        (True, lambda x, y: (y, 1 - x)),
    )
    whole = Box(0, 0, *canvas)
    for sideways, turn in turns:
        if sideways == (canvas == sent.canvas[::-1]) or sent.canvas[0] == sent.canvas[1]:
            yield _Way(whole, turn, turned=True)


def _stretched(box: Box, old: tuple[int, int], new: tuple[int, int]) -> Box:
    across, down = new[0] / old[0], new[1] / old[1]
    x, y = round(box.x * across), round(box.y * down)
    return Box(x, y, max(1, round(box.right * across) - x), max(1, round(box.bottom * down) - y))


def _likeness(sent: Sent, way: _Way, canvas: tuple[int, int], look: Look) -> float:
    """Share of the points that are alike where the way puts them.

    Beyond the canvas nothing is known: what was cropped away speaks neither for a way nor against it, as long as a
    quarter of the points are left.
    """
    alike, beyond = 0, 0
    for (x, y), wanted in zip(_grid(), sent.points, strict=True):
        if way.turned:  # the whole picture was turned, and the crop with it
            column = (sent.crop.x + x * sent.crop.width) / sent.canvas[0]
            row = (sent.crop.y + y * sent.crop.height) / sent.canvas[1]
            across, down = way.turn(column, row)
            seen = look(int(across * way.box.width), int(down * way.box.height))
        else:
            column, row = way.box.x + int(x * way.box.width), way.box.y + int(y * way.box.height)
            if not (0 <= column < canvas[0] and 0 <= row < canvas[1]):
                beyond += 1
                continue
            seen = look(column, row)
        alike += seen is not None and abs(seen - wanted) <= ALIKE
    return alike / max(len(sent.points) - beyond, len(sent.points) // 4)


def _grid() -> Iterator[tuple[float, float]]:
    for row in range(GRID):
        for column in range(GRID):
            yield (column + 0.5) / GRID, (row + 0.5) / GRID


def _as_byte(sample: bytes, dtype: str) -> int:
    if dtype == "f4":
        value: float = struct.unpack("<f", sample)[0]
        return round(255 * min(1.0, max(0.0, value)))
    return sample[-1]  # of two little-endian bytes, the higher
