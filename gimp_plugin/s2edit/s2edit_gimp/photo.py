"""How photo-like a picture is, from its own pixels: drawings are flat, photographs are not."""

from __future__ import annotations

from itertools import pairwise

from .pixels import FULL, Picture, samples

ROWS = 48
FLAT = 0.15
"""Share of neighbours that differ in drawings with soft edges."""
TEXTURED = 0.65
"""Share in photographs."""
EQUAL = 1.5 / 255
"""Differences up to this count as none."""


def likeness(picture: Picture) -> float:
    """0 for a drawing to 1 for a photograph: how many horizontal neighbours differ, in a few dozen rows."""
    values = samples(picture.data, picture.dtype)[:: picture.channels]
    limit = EQUAL * FULL[picture.dtype]
    differing = seen = 0
    for row in range(min(ROWS, picture.height)):
        start = (row * picture.height // min(ROWS, picture.height)) * picture.width
        line = values[start : start + picture.width].tolist()
        seen += len(line) - 1
        differing += sum(abs(a - b) > limit for a, b in pairwise(line))
    share = differing / seen if seen else 0.0
    return min(1.0, max(0.0, (share - FLAT) / (TEXTURED - FLAT)))
