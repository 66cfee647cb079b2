"""Finds a crop again in a layer that was cropped or enlarged since, by its own pixels."""

from __future__ import annotations

from collections.abc import Iterator

from gi.repository import Gimp
from s2edit_wire.frames import ITEM_SIZE

from .pixels import Picture, read_colour

SEGMENT = 24
"""Pixels of a row that are looked for."""
PROBES = 9
"""Rows and columns of the crop from which segments are tried."""
AGREEING = 3
"""Segments that have to say the same."""


def shift_of(layer: Gimp.Drawable, sent: Picture) -> tuple[int, int] | None:
    """Where the crop's left upper corner is in the layer's coordinates (it may lie outside); None if not found."""
    whole = read_colour(layer, (0, 0, layer.get_width(), layer.get_height()))
    if (whole.channels, whole.dtype) != (sent.channels, sent.dtype):
        return None
    votes: dict[tuple[int, int], int] = {}
    for x, y, segment in _segments(sent):
        for found in _occurrences(whole, segment):
            shift = (found[0] - x, found[1] - y)
            votes[shift] = votes.get(shift, 0) + 1
            if votes[shift] >= AGREEING:
                return shift
    return None


def _segments(sent: Picture) -> Iterator[tuple[int, int, bytes]]:
    """Pieces of rows all over the crop that are not of one colour."""
    item = ITEM_SIZE[sent.dtype] * sent.channels
    for row in range(PROBES):
        y = (2 * row + 1) * sent.height // (2 * PROBES)
        for column in range(PROBES):
            x = (2 * column + 1) * max(0, sent.width - SEGMENT) // (2 * PROBES)
            start = (y * sent.width + x) * item
            segment = sent.data[start : start + SEGMENT * item]
            if segment != segment[:item] * (len(segment) // item):
                yield x, y, segment


def _occurrences(whole: Picture, segment: bytes, most: int = 4) -> Iterator[tuple[int, int]]:
    """Places of a segment, at most so many: one that is everywhere tells nothing."""
    item = ITEM_SIZE[whole.dtype] * whole.channels
    start = 0
    for _number in range(most):
        position = whole.data.find(segment, start)
        if position < 0:
            return
        start = position + 1
        if position % item == 0:
            yield position // item % whole.width, position // item // whole.width
