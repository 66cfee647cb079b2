"""Both pictures of an edit, the reconstruction and what was made of it, drawn larger than the model draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from .esrgan import Enlarger
from .imaging import bounding_box, resample
from .sharpening import shock_filtered
from .upscaling import SCALE, Upscaler

DRAWN, FINISHED = (0.06, 0.2), (0.02, 0.06)
"""Differences, of 1, that count as none and as a change in full: of decoded colours, and of what an upscaler made."""
_TWICE = 1.25
"""How many times larger than an upscaler's the picture has to be for a second pass to be worth its time."""
_TILE, _MARGIN = 64, 24
"""Px before a tile is enlarged; the margin is what the network sees around a pixel."""


@dataclass(frozen=True, eq=False)
class Finished:
    """An edit beside what was there before.

    Args:
        before, after: 1×3×kh×kw in [0, 1], k times the model's size.
        is_picture: whether `before` is the picture itself at that size, or what the model made of it.
    """

    before: Tensor
    after: Tensor
    is_picture: bool


Finish = Callable[[Tensor, Tensor, Tensor, Tensor], Finished]
"""Of picture (1×C×H×W), reconstruction and edit (1×3×h×w), and where the edit may show (H×W bool), all in [0, 1]."""


def as_drawn(original: Tensor, before: Tensor, after: Tensor, inside: Tensor) -> Finished:
    """A `Finish` that does nothing: where no upscaler fits, interpolation does all of the enlarging."""
    del original, inside
    return Finished(before, after, is_picture=False)


def finish_of(upscaler: Upscaler | Enlarger | None, check: Callable[[], None] = lambda: None) -> Finish:
    """What a checkpoint's upscaler makes of an edit. `check`: called before each tile; may raise to stop."""
    if upscaler is None:
        return as_drawn
    return enlarged_by(upscaler, check) if isinstance(upscaler, Enlarger) else finished_by(upscaler, check)


def enlarged_by(enlarger: Enlarger, check: Callable[[], None] = lambda: None) -> Finish:
    """The `Finish` of a general upscaler: it enlarges reconstruction and edit alike, so that they still differ only by
    what was edited.

    Args:
        check: called before each tile; may raise to stop.
    """

    def finish(original: Tensor, before: Tensor, after: Tensor, inside: Tensor) -> Finished:
        del original
        small = (before.shape[-2], before.shape[-1])
        shown = F.adaptive_max_pool2d(inside[None, None].float(), small)[0, 0] > 0
        large = [resample(each, (SCALE * small[0], SCALE * small[1])).clamp(0, 1) for each in (before, after)]
        for tile in _tiles(before, after, shown, DRAWN[0]):
            check()
            for whole, part in zip(large, (before, after), strict=True):
                whole[tile.place] = enlarger(part[tile.window])[tile.inner]
        return Finished(large[0], large[1], is_picture=False)

    return finish


def finished_by(upscaler: Upscaler, check: Callable[[], None] = lambda: None) -> Finish:
    """The `Finish` of this method's upscaler, for which the picture itself is what was there before the edit.

    Args:
        check: called before each tile; may raise to stop.
    """

    def finish(original: Tensor, before: Tensor, after: Tensor, inside: Tensor) -> Finished:
        small = (before.shape[-2], before.shape[-1])
        reduced = _in_colour(original, (SCALE * small[0], SCALE * small[1]))
        finished = upscaler(reduced, before, after)
        larger = _second_size((original.shape[-2], original.shape[-1]), small)
        if larger is None:
            return Finished(reduced, _sharpened(reduced, finished, upscaler.sharpening), is_picture=True)
        half = (larger[0] // SCALE, larger[1] // SCALE)
        before, after = _in_colour(original, half), resample(finished, half).clamp(0, 1)
        shown = F.adaptive_max_pool2d(inside[None, None].float(), half)[0, 0] > 0
        large = _in_colour(original, larger)
        finished = large.clone()
        for tile in _tiles(before, after, shown, FINISHED[0]):
            check()
            source = large[..., _times(tile.window[1]), _times(tile.window[2])]
            finished[tile.place] = upscaler(source, before[tile.window], after[tile.window])[tile.inner]
        return Finished(large, _sharpened(large, finished, upscaler.sharpening), is_picture=True)

    return finish


def _sharpened(before: Tensor, after: Tensor, steps: int) -> Tensor:
    """What is new with steeper edges; what is the picture's own stays."""
    if not steps:
        return after
    share = ramped((after - before).abs().amax(dim=1), FINISHED)[0]
    x, y, width, height = bounding_box((share > 0).numpy())
    if not width:
        return after
    part = np.s_[..., y : y + height, x : x + width]
    sharpened = after.clone()
    sharpened[part] += share[part] * (shock_filtered(after[part], steps) - after[part])
    return sharpened


def _in_colour(original: Tensor, size: tuple[int, int]) -> Tensor:
    return resample(original, size).clamp(0, 1).expand(-1, 3, -1, -1)


def _second_size(size: tuple[int, int], model: tuple[int, int]) -> tuple[int, int] | None:
    """The size of a second pass, which draws sharp at up to SCALE² times the model's; None where one pass is enough."""
    scale = min((size[0] * size[1] / (model[0] * model[1])) ** 0.5, SCALE**2)
    if scale < _TWICE * SCALE:
        return None
    return SCALE * round(model[0] * scale / SCALE), SCALE * round(model[1] * scale / SCALE)


@dataclass(frozen=True)
class _Tile:
    """Where a network looks (`window`), which part of its answer counts (`inner`), and where that goes (`place`)."""

    window: tuple[Any, slice, slice]
    inner: tuple[Any, slice, slice]
    place: tuple[Any, slice, slice]


def _tiles(before: Tensor, after: Tensor, shown: Tensor, least: float) -> Iterator[_Tile]:
    """The tiles in which the pictures differ by `least` where it shows: memory stays bounded, all else costs none."""
    difference = (after - before).abs().amax(dim=1)[0] * shown
    height, width = difference.shape
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            if float(difference[top : top + _TILE, left : left + _TILE].max()) < least:
                continue
            rows, inner_rows = _margined(top, height)
            columns, inner_columns = _margined(left, width)
            place = (..., _times(slice(top, top + _TILE)), _times(slice(left, left + _TILE)))
            yield _Tile((..., rows, columns), (..., inner_rows, inner_columns), place)


def _margined(start: int, length: int) -> tuple[slice, slice]:
    """A tile with its margins, and where the tile lies in it, at the large size."""
    first, end = max(0, start - _MARGIN), min(length, start + _TILE + _MARGIN)
    return slice(first, end), slice(SCALE * (start - first), SCALE * (min(length, start + _TILE) - first))


def _times(part: slice) -> slice:
    return slice(SCALE * part.start, SCALE * part.stop)


def ramped(difference: Tensor, bounds: tuple[float, float]) -> Tensor:
    """0 up to the first bound, 1 from the second on, 3t² - 2t³ between: of any shape, in the same."""
    ramp = ((difference - bounds[0]) / (bounds[1] - bounds[0])).clamp(0, 1)
    return ramp * ramp * (3 - 2 * ramp)
