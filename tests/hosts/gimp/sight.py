"""What can be seen in a photograph of the screen: a field that has the cursor, its mark, and what has changed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels of the screen, the last two excluded."""
RING = 30
"""Steps of 255 by which the line around the field with the cursor differs from both its sides, in any theme."""
SHORTEST, HOLE = 120, 12
"""Pixels: the ring's long sides, and what is free between them; nothing but fields is such a pair of lines."""
ICON = 34
"""Pixels at a field's end in which GTK puts its icon."""
STANDS_OUT = 70
"""Steps of 255 by which an icon differs from the field's ground."""


def look(photograph: Path) -> Any:
    """The photograph as height x width x 3 signed integers."""
    return np.asarray(Image.open(photograph).convert("RGB")).astype(int)


def field_with_cursor(shot: Any, window: Box) -> Box | None:
    """The inside of the field that has the cursor in a window; None when none has, or its line is still fading in."""
    left, top, right, bottom = window
    part = shot[top:bottom, left:right]
    steps = np.abs(np.diff(part, axis=0)).max(axis=2)
    thin = (steps[:-1] > RING) & (steps[1:] > RING)
    lines = [(row + 1, *run) for row, run in enumerate(map(_longest, thin)) if run[1] >= SHORTEST]
    pairs = [(one, other) for one, other in pairwise(lines) if one[1:] == other[1:] and other[0] - one[0] > HOLE]
    if not pairs:
        return None
    # Where every field has a line around it, that of the one with the cursor stands out most.
    (above, start, length), (below, *_run) = max(pairs, key=lambda pair: steps[pair[0][0], pair[0][1]])
    return left + start, top + above + 1, left + start + length, top + below


def has_mark(shot: Any, field: Box) -> bool:
    """Whether there is an icon at the end of a field."""
    _left, top, right, bottom = field
    end = shot[top + 3 : bottom - 3, right - ICON : right - 4]
    ground = np.median(end.reshape(-1, 3), axis=0)
    return bool((np.abs(end - ground).max(axis=2) > STANDS_OUT).sum() > 20)


def changed(before: Any, after: Any, left: int) -> tuple[int, int]:
    """The middle of what differs between two photographs right of a column, as x, y; AssertionError when nothing."""
    rows, columns = np.nonzero((before != after).any(axis=2)[:, left:])
    assert len(rows), "nothing has changed there"
    return left + int(np.median(columns)), int(np.median(rows))


def _longest(line: Any) -> tuple[int, int]:
    """Start and length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], line.astype(int), [0]))))
    runs = list(zip(edges[::2], edges[1::2], strict=True))
    start, end = max(runs, key=lambda run: run[1] - run[0], default=(0, 0))
    return int(start), int(end - start)
