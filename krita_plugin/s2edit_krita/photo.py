"""How photo-like a picture is, so that a model of drawings can be doubted before minutes are spent on it."""

from __future__ import annotations

from itertools import pairwise

_LINES = 48


def likeness(rgba: bytes | bytearray, width: int) -> float:
    """0.0 for flat colours to 1.0 where hardly two neighbours are alike, as a camera's noise leaves them.

    The smaller share of rows and columns counts, so that a drawn gradient is no photograph.

    Args:
        rgba: H x `width` x 4 samples of 8 bit.
        width: in pixels.
    """
    pixels = memoryview(rgba).cast("I")
    height = len(pixels) // width
    rows = [pixels[row * width : (row + 1) * width] for row in range(0, height, max(1, height // _LINES))]
    columns = [pixels[column::width] for column in range(0, width, max(1, width // _LINES))]
    return min(_changes(rows), _changes(columns))


def _changes(lines: list[memoryview[int]]) -> float:
    """Share of neighbours along these lines that differ."""
    different = sum(a != b for line in lines for a, b in pairwise(line))
    return different / max(1, sum(max(0, len(line) - 1) for line in lines))
