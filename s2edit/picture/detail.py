"""The edit at the picture's own resolution: what stays is the picture's own, what is new is drawn sharp (ours).

The model draws at its own size, often a fifth of the picture's. Enlarging what it decodes and pasting it would blur all
that it never meant to change. So the edit is taken as a *difference*, decoded edit against decoded source, which share
the autoencoder's errors; and only where they differ does the layer show at all.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .finishing import DRAWN, FINISHED, Finish, as_drawn, ramped
from .imaging import resample
from .upscaling import SCALE

_WINDOW, _FLAT = 3, 4e-4
"""Of the local fit: pixels of the model's size on each side, and the variance below which colours count as one."""
_WOBBLE, _MEANT = 0.04, 0.1
"""The same for pictures that are blurred over 3 × 3 pixels."""
_REACH, _SOFT = 0.75, 0.5
"""How far a change reaches around its pixels, and half the width of its soft edge; px of the model's size."""
_LUMA = (0.2126, 0.7152, 0.0722)
"""Rec. 709, for gray pictures."""


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
    finished = finish(original, before, after, inside)
    # Where the model's reconstruction stands for the picture, both pictures share the autoencoder's errors, and what
    # has changed shows at the model's size; where the picture itself does, at the size of what was made of it.
    pair = (finished.before, finished.after) if finished.is_picture else (before, after)
    factor = pair[0].shape[-1] / before.shape[-1]
    changed = _changed(*pair, factor, FINISHED if finished.is_picture else DRAWN)
    share = resample(changed[None, None], size).clamp(0, 1)[0, 0]
    if not finished.is_picture:
        share = share * _fine(_meant(before, after), size)[0]
    drawn = resample(in_channels(finished.after, channels), size)
    enlarged = finished.before.shape[-1] > before.shape[-1]
    if finished.before.shape[-1] < size[1] - SCALE or (enlarged and not finished.is_picture):
        left = original - resample(in_channels(finished.before, channels), size)
        drawn = drawn + _carried(in_channels(pair[0], channels), in_channels(pair[1], channels), left)
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
    return _box(ramped(difference, bounds), max(1, round(_SOFT * factor)))[0, 0]


def _meant(before: Tensor, after: Tensor) -> Tensor:
    """Where a difference is more than an edge that moved by a part of a pixel: h×w in [0, 1], at the model's size.

    Such an edge all but vanishes from the difference of blurred pictures; a thing of one pixel's width keeps a third.
    """
    difference = (_box(after, 1) - _box(before, 1)).abs().amax(dim=1, keepdim=True)
    return _box(F.max_pool2d(ramped(difference, (_WOBBLE, _MEANT)), 5, stride=1, padding=2), 1)[0, 0]


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
    """A picture 1×3×h×w in `count` channels: as it is (3), or its luma by Rec. 709 (1)."""
    return picture if count == 3 else (picture * torch.tensor(_LUMA)[None, :, None, None]).sum(dim=1, keepdim=True)


def _box(values: Tensor, reach: int) -> Tensor:
    """Mean over a square of 2 · reach + 1 pixels a side, the border repeated."""
    return F.avg_pool2d(F.pad(values, (reach, reach, reach, reach), mode="replicate"), 2 * reach + 1, stride=1)


def _fine(values: Tensor, size: tuple[int, int]) -> Tensor:
    """An h×w map at another size, bilinear: 1×H×W."""
    return F.interpolate(values[None, None], size, mode="bilinear", align_corners=False)[0]
