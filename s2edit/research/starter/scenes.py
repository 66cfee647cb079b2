"""Larger pictures with a portrait somewhere in them, and where it stands: what the framing network learns from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from s2edit.research.starter.attributes import BACKGROUNDS, sample_attributes
from s2edit.research.starter.canvas import rasterise
from s2edit.research.starter.renderer import render, rendered_figure

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GRAY = 128
_EMPTY_ODDS, _WHOLE_ODDS = 0.12, 0.25
_SHAPES = ((1, 1), (4, 3), (3, 4), (3, 2), (2, 3), (16, 9))


def scene(seed: int, side: int = 64) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A picture of any shape inside a gray square, with one portrait of any size in it, or none.

    The portrait is a picture of its own with an edge around it, a bust before the scene's wall, or one that rises from
    the lower border; now and then it fills everything, as in its training.

    Returns:
        (side, side, 3) uint8, and (4,) float32: the portrait's own square, its middle x and y and its side, of `side`;
        1 where there is one, else all 0.
    """
    rng = np.random.default_rng([0xF4A, seed])
    large = 2 * side
    wide, high = _SHAPES[rng.integers(len(_SHAPES))]
    width, height = large * wide // max(wide, high), large * high // max(wide, high)
    left, top = (large - width) // 2, (large - height) // 2
    canvas = np.full((large, large, 3), _GRAY, np.uint8)
    canvas[top : top + height, left : left + width] = _ground(rng, large)[:height, :width]
    label = np.zeros(4, np.float32)
    if rng.random() >= _EMPTY_ODDS:
        short = min(width, height)
        length = short if rng.random() < _WHOLE_ODDS else round(short * float(np.exp(rng.uniform(np.log(0.16), 0.05))))
        slack = 0.08 * length
        x = left + rng.uniform(-slack, max(slack, width - length + slack))
        y = top + rng.uniform(-slack, max(slack, height - length + slack))
        kind = rng.integers(3)
        if kind == 2:  # rises from the lower border
            y = top + height - length * rng.uniform(0.75, 1.0)
        inside = (left, top, left + width, top + height)
        _put(canvas, seed, (round(x), round(y), length), inside, bare=bool(kind > 0), flipped=bool(rng.random() < 0.5))
        label[:] = ((round(x) + length / 2) / large, (round(y) + length / 2) / large, length / large, 1)
    small = Image.fromarray(canvas).resize((side, side), Image.Resampling.BOX)
    return np.asarray(small), label


def _ground(rng: np.random.Generator, side: int) -> NDArray[np.uint8]:
    """A wall as the portraits have them, or colours that they never have."""
    kind = rng.integers(3)
    if kind:
        color = str(rng.choice(list(BACKGROUNDS.values()))) if kind == 1 else f"#{rng.integers(1 << 24):06x}"
        return rasterise(color, int(rng.integers(1 << 31)), "", side)
    cells = int(rng.integers(2, 24))
    noise = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
    found: NDArray[np.uint8] = np.asarray(noise.resize((side, side), Image.Resampling.BICUBIC))
    return found


def _put(
    canvas: NDArray[np.uint8],
    seed: int,
    square: tuple[int, int, int],
    inside: tuple[int, int, int, int],
    *,
    bare: bool,
    flipped: bool,
) -> None:
    """Draw portrait `seed` into a square (x, y, side) of the canvas, cut to a box (left, top, right, bottom)."""
    x, y, length = square
    portrait = sample_attributes(seed)
    size = max(length, 16)
    drawn = rendered_figure(portrait, size) if bare else np.dstack([render(portrait, size), np.full((size, size), 255)])
    drawn = drawn[:, ::-1] if flipped else drawn
    from_x, from_y = max(inside[0] - x, 0), max(inside[1] - y, 0)
    to_x, to_y = min(inside[2] - x, size), min(inside[3] - y, size)
    if from_x >= to_x or from_y >= to_y:
        return
    part = drawn[from_y:to_y, from_x:to_x].astype(np.float32)
    under = canvas[y + from_y : y + to_y, x + from_x : x + to_x]
    weight = part[..., 3:] / 255
    under[:] = np.rint(part[..., :3] * weight + under * (1 - weight)).astype(np.uint8)
