"""The edit at the picture's own resolution: what stays is the picture's own, what is new is drawn sharp (ours).

The model draws at its own size, often a fifth of the picture's. Enlarging what it decodes and pasting it would blur all
that it never meant to change. So the edit is taken as a *difference*, decoded edit against decoded source, which share
the autoencoder's errors; and only where they differ does the layer show at all.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .imaging import bounding_box, resample
from .sharpening import shock_filtered
from .upscaling import SCALE, Upscaler

Finish = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""Picture (1×C×H×W), reconstruction and edit (1×3×h×w), and where the edit may show (H×W bool), to reconstruction and
edit (1×3×kh×kw); all colours in [0, 1]."""

_WINDOW, _FLAT = 3, 4e-4
"""Of the local fit: pixels of the model's size on each side, and the variance below which colours count as one."""
_DRAWN, _FINISHED = (0.06, 0.2), (0.02, 0.06)
"""Differences, of 1, that count as none and as a change in full: of decoded colours, and of what an upscaler made."""
_WOBBLE, _MEANT = 0.04, 0.1
"""The same for pictures that are blurred over 3 × 3 pixels."""
_REACH, _SOFT = 0.75, 0.5
"""How far a change reaches around its pixels, and half the width of its soft edge; px of the model's size."""
_TWICE = 1.25
"""How many times larger than an upscaler's the picture has to be for a second pass to be worth its time."""
_TILE, _MARGIN = 64, 24
"""Of the second pass, px before it enlarges; the margin is what the network sees around a pixel."""
_LUMA = (0.2126, 0.7152, 0.0722)
"""Rec. 709, for gray pictures."""


def as_drawn(original: Tensor, before: Tensor, after: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """Both as the model drew them: where no upscaler fits, interpolation does all of the enlarging."""
    del original, inside
    return before, after


def finished_by(upscaler: Upscaler) -> Finish:
    """With an upscaler: what was there before is the picture itself, reduced to the upscaler's size."""

    def finish(original: Tensor, before: Tensor, after: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        small = (before.shape[-2], before.shape[-1])
        reduced = _in_colour(original, (SCALE * small[0], SCALE * small[1]))
        finished = upscaler(reduced, before, after)
        larger = _second_size((original.shape[-2], original.shape[-1]), small)
        if larger is None:
            return reduced, _sharpened(reduced, finished, upscaler.sharpening)
        half = (larger[0] // SCALE, larger[1] // SCALE)
        before, after = _in_colour(original, half), resample(finished, half).clamp(0, 1)
        shown = F.adaptive_max_pool2d(inside[None, None].float(), half)[0, 0] > 0
        large = _in_colour(original, larger)
        return large, _sharpened(large, _tiled(upscaler, large, before, after, shown), upscaler.sharpening)

    return finish


def _sharpened(before: Tensor, after: Tensor, steps: int) -> Tensor:
    """What is new with steeper edges; what is the picture's own stays."""
    if not steps:
        return after
    share = _ramped((after - before).abs().amax(dim=1), _FINISHED)[0]
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


def _tiled(upscaler: Upscaler, large: Tensor, before: Tensor, after: Tensor, shown: Tensor) -> Tensor:
    """The upscaler in tiles, so that memory stays bounded; tiles in which nothing changes are the picture's own."""
    difference = (after - before).abs().amax(dim=1)[0] * shown
    finished = large.clone()
    height, width = before.shape[-2:]
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            rows, inner_rows = _margined(top, height)
            columns, inner_columns = _margined(left, width)
            window = (..., rows, columns)
            if float(difference[top : top + _TILE, left : left + _TILE].max()) < _FINISHED[0]:
                continue
            source = large[..., _times(rows), _times(columns)]
            tile = upscaler(source, before[window], after[window])
            finished[..., _times(slice(top, top + _TILE)), _times(slice(left, left + _TILE))] = tile[
                ..., inner_rows, inner_columns
            ]
    return finished


def _margined(start: int, length: int) -> tuple[slice, slice]:
    """A tile with its margins, and where the tile lies in it, at the large size."""
    first, end = max(0, start - _MARGIN), min(length, start + _TILE + _MARGIN)
    return slice(first, end), slice(SCALE * (start - first), SCALE * (min(length, start + _TILE) - first))


def _times(part: slice) -> slice:
    return slice(SCALE * part.start, SCALE * part.stop)


def edited(
    original: Tensor, before: Tensor, after: Tensor, inside: Tensor, finish: Finish = as_drawn
) -> tuple[Tensor, Tensor]:
    """Colours of the edit at the picture's resolution, and where they differ from the picture's.

    Around each of the model's pixels, what the edit did is fitted as a linear map of colours, after = A · before + b
    (the colour-line model of Levin et al., 2008, over windows as in He and Sun, 2015). With U for enlarging,

        colours = U(after) + A · (original − U(before))

    Where the edit is drawn as large as the picture, nothing is left for A to carry, and colours = U(after). Elsewhere,
    where the edit recolours, the picture's own edges and grain go through A; where it draws something new or takes
    something away, A is near 0 and U(after) remains; where it did nothing, A is the identity and so is the result.

    Args:
        original: 1×C×H×W in [0, 1], C 1 or 3. before, after: 1×3×h×w in [0, 1], decoded from the source's latent and
            from the edit's. inside: H×W bool, where the edit may show. finish: see `Finish`.
    Returns:
        1×C×H×W in [0, 1], and the share, H×W in [0, 1]: 0 where nothing changed, 1 where the colours are meant in full.
    """
    size = (original.shape[-2], original.shape[-1])
    channels = original.shape[1]
    large_before, large_after = finish(original, before, after, inside)
    factor = large_after.shape[-1] / after.shape[-1]
    bounds = _DRAWN if factor == 1 else _FINISHED
    changed = _changed(large_before, large_after, factor, bounds)
    share = resample(changed[None, None], size).clamp(0, 1)[0, 0]
    if factor == 1:
        share = share * _fine(_meant(before, after), size)[0]
    large_before, large_after = (in_channels(each, channels) for each in (large_before, large_after))
    drawn = resample(large_after, size)
    if large_before.shape[-1] < size[1] - SCALE:
        drawn = drawn + _carried(large_before, large_after, original - resample(large_before, size))
    return drawn.clamp(0, 1), share


def _carried(before: Tensor, after: Tensor, left: Tensor) -> Tensor:
    """A · left: what the picture has beyond `before`, at its own size, in the colours of the edit."""
    size, channels = (left.shape[-2], left.shape[-1]), left.shape[1]
    slope = _fitted(before, after)
    rows = []
    for row in range(channels):
        # A channel pair at a time: at the picture's size, all of A would be nine pictures.
        carried = [_fine(slope[row, column], size) * left[:, column] for column in range(channels)]
        rows.append(torch.stack(carried).sum(dim=0))
    return torch.stack(rows, dim=1)


def _changed(before: Tensor, after: Tensor, factor: float, bounds: tuple[float, float]) -> Tensor:
    """Where two pictures of `factor` times the model's size differ: h×w in [0, 1]."""
    difference = (after - before).abs().amax(dim=1, keepdim=True)
    reach = max(1, round(_REACH * factor))
    difference = F.max_pool2d(difference, 2 * reach + 1, stride=1, padding=reach)
    return _box(_ramped(difference, bounds), max(1, round(_SOFT * factor)))[0, 0]


def _ramped(difference: Tensor, bounds: tuple[float, float]) -> Tensor:
    """0 up to the first bound, 1 from the second on, a smooth step between."""
    ramp = ((difference - bounds[0]) / (bounds[1] - bounds[0])).clamp(0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def _meant(before: Tensor, after: Tensor) -> Tensor:
    """Where a difference is more than an edge that moved by a part of a pixel: h×w in [0, 1], at the model's size.

    Such an edge all but vanishes from the difference of blurred pictures; a thing of one pixel's width keeps a third.
    """
    difference = (_box(after, 1) - _box(before, 1)).abs().amax(dim=1, keepdim=True)
    return _box(F.max_pool2d(_ramped(difference, (_WOBBLE, _MEANT)), 5, stride=1, padding=2), 1)[0, 0]


def _fitted(before: Tensor, after: Tensor) -> Tensor:
    """A of the local maps, C×C×h×w: ridge regression in each window, then the mean of the windows around a pixel."""
    count = before.shape[1]
    mean, goal = _box(before, _WINDOW), _box(after, _WINDOW)
    spread = _products(before, before) - mean[0][:, None] * mean[0]
    together = _products(after, before) - goal[0][:, None] * mean[0]
    spread = spread.permute(2, 3, 0, 1) + _FLAT * torch.eye(count)
    together = together.permute(2, 3, 0, 1)
    slope = torch.linalg.solve(spread, together.mT).mT.permute(2, 3, 0, 1)
    return _box(slope, _WINDOW)


def _products(one: Tensor, other: Tensor) -> Tensor:
    """Mean of one_i · other_j over each window: C×C×h×w."""
    count, (height, width) = one.shape[1], one.shape[-2:]
    products = (one[:, :, None] * other[:, None]).reshape(1, count * count, height, width)
    return _box(products, _WINDOW).reshape(count, count, height, width)


def in_channels(picture: Tensor, count: int) -> Tensor:
    """1×3×h×w to 1×count×h×w: colours as they are, or their luma."""
    return picture if count == 3 else (picture * torch.tensor(_LUMA)[None, :, None, None]).sum(dim=1, keepdim=True)


def _box(values: Tensor, reach: int) -> Tensor:
    """Mean over a square of 2 · reach + 1 pixels a side, the border repeated."""
    return F.avg_pool2d(F.pad(values, (reach, reach, reach, reach), mode="replicate"), 2 * reach + 1, stride=1)


def _fine(values: Tensor, size: tuple[int, int]) -> Tensor:
    """An h×w map at another size, bilinear: 1×H×W."""
    return F.interpolate(values[None, None], size, mode="bilinear", align_corners=False)[0]
