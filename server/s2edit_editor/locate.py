"""Finds a crop again in a layer that was cropped or enlarged since, by its own pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from s2edit_wire.frames import ITEM_SIZE

from .pixels import Picture

SEGMENT = 24
"""Pixels of a row that are looked for."""
PROBES = 9
"""Rows and columns of the crop from which segments are tried."""
MOST_PLACES = 64
"""A segment that is at more places than these tells nothing."""
CANDIDATES = 16
"""Shifts that are looked at closely: the ones that most segments agree on."""
COMPARED_ROWS = 48
LIKENESS = 0.3
"""Share of the compared rows that must be the same: the painter may have painted on others."""


def shift_of(whole: Picture, sent: Picture) -> tuple[int, int] | None:
    """Where the crop's left upper corner is in the whole layer (it may lie outside); None if not found."""
    if (whole.channels, whole.dtype) != (sent.channels, sent.dtype):
        return None
    votes: Counter[tuple[int, int]] = Counter()
    for x, y, segment in _segments(sent):
        votes.update((found_x - x, found_y - y) for found_x, found_y in _occurrences(whole, segment))
    scored = [(_likeness(whole, sent, shift), shift) for shift, _votes in votes.most_common(CANDIDATES)]
    best, shift = max(scored, default=(0.0, (0, 0)))
    return shift if best >= LIKENESS else None


def _segments(sent: Picture) -> Iterator[tuple[int, int, bytes]]:
    """Pieces of rows all over the crop that are not of one colour."""
    item = ITEM_SIZE[sent.dtype] * sent.channels
    for row in range(PROBES):
        y = (2 * row + 1) * sent.height // (2 * PROBES)
        for column in range(PROBES):
            x = (2 * column + 1) * max(0, sent.width - SEGMENT) // (2 * PROBES)
            start = (y * sent.width + x) * item
            segment = bytes(sent.data[start : start + SEGMENT * item])
            if segment != segment[:item] * (len(segment) // item):
                yield x, y, segment


def _occurrences(whole: Picture, segment: bytes) -> list[tuple[int, int]]:
    """All places of a segment; none when there are too many."""
    item = ITEM_SIZE[whole.dtype] * whole.channels
    found: list[tuple[int, int]] = []
    data = bytes(whole.data)
    position = data.find(segment)
    while position >= 0:
        if position % item == 0:
            found.append((position // item % whole.width, position // item // whole.width))
            if len(found) > MOST_PLACES:
                return []
        position = data.find(segment, position + 1)
    return found


def _likeness(whole: Picture, sent: Picture, shift: tuple[int, int]) -> float:
    """The share of rows that are the same where the shifted crop and the layer overlap."""
    item = ITEM_SIZE[whole.dtype] * whole.channels
    left, right = max(0, shift[0]), min(whole.width, shift[0] + sent.width)
    top, bottom = max(0, shift[1]), min(whole.height, shift[1] + sent.height)
    if right - left < SEGMENT or bottom <= top:
        return 0.0
    rows = range(top, bottom, max(1, (bottom - top) // COMPARED_ROWS))
    same = 0
    for y in rows:
        here = (y * whole.width + left) * item
        there = ((y - shift[1]) * sent.width + left - shift[0]) * item
        length = (right - left) * item
        same += whole.data[here : here + length] == sent.data[there : there + length]
    return same / len(rows)
