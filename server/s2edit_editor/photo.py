"""How photo-like a picture is, so that a model of drawings is doubted before minutes are spent on it.

Two things set photographs apart, and only both together: neighbours differ a little nearly everywhere (noise, skin,
leaves, where drawings are flat, change evenly, or jump at an outline), and no few colours make up most of it. Both are
judged in a grid of at most `SIDE` pixels over all that is sent, so that enlarged and shrunk pictures are judged alike.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from itertools import compress, starmap
from math import log2, nan
from operator import eq

from .pixels import Box, Picture

SIDE = 128
"""Pixels of the grid along the longer side."""
_SMALL = frozenset({*range(2, 17), *range(-16, -1)})
"""By how much, of 255, a pixel of a photograph is off the middle of its two neighbours."""
_SOFT = (0.12, 0.32)
"""Share of such pixels in the direction with fewer: up to the first a drawing, from the second on a photograph."""
_COLOURS = (5.0, 5.9)
"""The same of how many colours there are, each by its share (log2 of the inverse Simpson index, Hill 1973)."""
_GRAY = 8
"""What red and blue are off green at most, of 255, where a picture has no colours."""
_EIGHTHS = bytes(value >> 3 for value in range(256))
"""Shades that count as one colour."""
_LEAST = 64
"""Pixels that have to be visible to say anything."""


def step_of(crop: Box) -> int:
    """Every how many pixels of a crop are looked at: what a host that reads thinned pixels has to take."""
    return -(-max(crop.width, crop.height) // SIDE)


def likeness(picture: Picture) -> float:
    """0.0 for a drawing to 1.0 for a photograph; from 0.5 on the daemon takes it for one. Hidden colours don't count.

    Args:
        picture: all that is sent, or every `step_of` of its pixels in both directions.
    """
    step = step_of(Box(0, 0, picture.width, picture.height))
    across, channels = len(range(0, picture.width, step)), picture.channels
    planes = [_thinned(picture, channel, step) for channel in range(channels)]
    colours, alpha = (planes[:-1], planes[-1]) if channels in (2, 4) else (planes, None)
    seen = [True] * len(planes[0]) if alpha is None else [value > 0 for value in alpha]
    if sum(seen) < _LEAST:
        return 0.0
    lightness = colours[len(colours) // 2]
    known = [value if shown else nan for value, shown in zip(lightness, seen, strict=True)]
    rows = [known[start : start + across] for start in range(0, len(known), across)]
    soft = min(_softness(rows), _softness(list(zip(*rows, strict=True))))
    return round(min(_between(soft, *_SOFT), _between(_variety(colours, seen), *_COLOURS)), 3)


def _thinned(picture: Picture, channel: int, step: int) -> bytes:
    """One channel as 8 bit."""
    stride, out = len(picture.data) // picture.height, bytearray()
    for row in range(0, picture.height, step):
        line = bytes(picture.data[row * stride : (row + 1) * stride])
        if picture.dtype == "f4":
            values = array("f", line)[channel :: picture.channels * step]
            out += bytes(round(min(255.0, max(0.0, value * 255))) for value in values)  # no number counts as 0
        elif picture.dtype == "u2":  # little-endian: the second byte is the one that counts
            out += line[2 * channel + 1 :: 2 * picture.channels * step]
        else:
            out += line[channel :: picture.channels * step]
    return bytes(out)


def _softness(lines: Sequence[Sequence[float]]) -> float:
    """The share of pixels that are a little off the middle of their neighbours along these lines."""
    small = count = 0
    for line in lines:
        off = [before - 2 * here + after for before, here, after in zip(line, line[1:], line[2:], strict=False)]
        small += len([value for value in off if value in _SMALL])
        count += sum(map(eq, off, off))  # a hidden pixel's makes no number, which equals nothing
    return small / max(1, count)


def _variety(colours: Sequence[bytes], seen: Sequence[bool]) -> float:
    """How many colours there are, as the log2 of a number; of gray pictures, how many grays."""
    if len(colours) == 1 or all(starmap(_is_gray, compress(zip(*colours, strict=True), seen))):
        held = Counter(compress(zip(colours[len(colours) // 2], strict=True), seen))
    else:
        coarse = [plane.translate(_EIGHTHS) for plane in colours]
        held = Counter(compress(zip(*coarse, strict=True), seen))
    return log2(sum(held.values()) ** 2 / sum(count * count for count in held.values()))


def _is_gray(red: int, green: int, blue: int) -> bool:
    return abs(red - green) <= _GRAY and abs(blue - green) <= _GRAY


def _between(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))
