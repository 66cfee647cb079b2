"""Masks as a hand paints them: around what should change, too large, with an edge that wobbles; strokes and boxes too.

They are made on a coarse grid, since a brush follows no pixels, and enlarged.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

Region = NDArray[np.bool_]
Manner = Literal["hull", "strokes", "box"]
MANNERS: tuple[Manner, ...] = get_args(Manner)
LEAST, MOST = 0.01, 0.03
"""How far a mask reaches beyond what changes, as shares of the portrait's side."""
_GRID = 256
_SLACK = 1.6
"""A hull that is so many times what it is around covers much else: a painter then follows the outline."""
_BRUSH, _GAP = 0.07, 0.012
"""Width of a stroke, and of the gap that is left between two, as shares of the portrait's side."""


def painted(changed: Region, manner: Manner, rng: np.random.Generator, side: int) -> NDArray[np.uint8]:
    """The mask that a painter makes for a change.

    Args:
        changed: H x W, what will change, at least one pixel of it.
        manner: a hull with a wobbling edge, strokes with gaps between them, or a box.
        rng: for the hand. side: of the portrait, px; what is too large is a share of it.
    Returns:
        H x W uint8, 0 or 255. Hulls and boxes reach 1 to 3 % of the side beyond the change; strokes leave gaps in it.
    """
    height, width = changed.shape
    step = max(1.0, side / _GRID)
    grid = (max(1, round(height / step)), max(1, round(width / step)))
    coarse = _covered(changed, grid)
    unit = side / step
    if manner == "box":
        mask = _box(coarse, rng, unit)
    else:
        mask = _wobbling(_hull(coarse), rng, unit)
        if manner == "strokes":
            mask &= _strokes(mask, rng, unit)
    enlarged = Image.fromarray(np.where(mask, 255, 0).astype(np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    return np.where(np.asarray(enlarged) > 127, 255, 0).astype(np.uint8)


def _covered(region: Region, grid: tuple[int, int]) -> Region:
    """Which cells of a grid hold a pixel of the region."""
    found = np.zeros(grid, bool)
    rows, columns = np.nonzero(region)
    found[rows * grid[0] // region.shape[0], columns * grid[1] // region.shape[1]] = True
    return found


def _hull(region: Region) -> Region:
    """The convex hull; for what fills little of it, its own outline with the holes filled, or left when they are most.

    A wall behind a figure is painted around the figure: filling it would paint all.
    """
    rows, columns = np.nonzero(region)
    points = np.column_stack([columns, rows])
    filled: Region = ndimage.binary_fill_holes(region)
    if filled.sum() > region.size / 2:
        return region
    try:
        corners = points[ConvexHull(points).vertices]
    except QhullError:  # all in a line
        return filled
    canvas = Image.new("1", (region.shape[1], region.shape[0]))
    ImageDraw.Draw(canvas).polygon([(int(x), int(y)) for x, y in corners], fill=1, outline=1)
    convex: Region = np.asarray(canvas, dtype=bool)
    return convex if convex.sum() <= _SLACK * filled.sum() else filled


def _wobbling(region: Region, rng: np.random.Generator, unit: float) -> Region:
    """The region grown by `LEAST` to `MOST` of a side of `unit` cells, differently from place to place."""
    rough = ndimage.gaussian_filter(rng.standard_normal(region.shape), unit * rng.uniform(0.03, 0.08), mode="wrap")
    rough = (rough - rough.min()) / max(float(np.ptp(rough)), 1e-9)
    reach = unit * (LEAST + (MOST - LEAST) * rough)
    grown: Region = ndimage.distance_transform_edt(~region) <= reach
    return grown


def _box(region: Region, rng: np.random.Generator, unit: float) -> Region:
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    more = np.ceil(unit * rng.uniform(LEAST, MOST, 4)).astype(int)
    found = np.zeros(region.shape, bool)
    found[
        max(0, rows[0] - more[0]) : rows[-1] + 1 + more[1], max(0, columns[0] - more[2]) : columns[-1] + 1 + more[3]
    ] = True
    return found


def _strokes(region: Region, rng: np.random.Generator, unit: float) -> Region:
    """Slanting lines back and forth over the whole grid, `_BRUSH` wide and `_GAP` apart, none quite straight."""
    rows, columns = np.indices(region.shape)
    angle = rng.uniform(-0.6, 0.6) + rng.choice([0.0, np.pi / 2])
    across = rows * np.cos(angle) + columns * np.sin(angle)
    bend = ndimage.gaussian_filter(rng.standard_normal(region.shape), unit * 0.06, mode="wrap")
    across = across + unit * 0.008 * bend / max(float(bend.std()), 1e-9)
    period = unit * (_BRUSH + _GAP)
    covered: Region = (across + rng.uniform(0, period)) % period < unit * _BRUSH
    return covered
