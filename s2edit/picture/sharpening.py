"""Edges as steep as drawn ones: a shock filter (Osher and Rudin 1990), for pictures that are known to have such edges.

A network that isn't sure of an edge to the pixel draws a slope in its place. The filter moves colours from both ends of
a slope towards its middle, by dilation on its bright side and erosion on its dark one, and adds no new values, which
unsharp masking would. Which side a pixel is on, the sign of the second derivative along the gradient says, of a
smoothed picture (Alvarez and Mazorra 1994), so that noise isn't taken for edges. Each channel for itself: where one
rises while another falls, luminance would move one of them the wrong way.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_SPREAD, _REACH = 1.0, 3
"""Standard deviation of the smoothing, and how far it is computed; px."""
_STEP = 0.25
"""Of the way to the largest or least value around a pixel, in one step; up to 1 nothing overshoots."""
_SURE = 1 / 510
"""Second derivative at which a pixel is taken to be on one side."""
_FLAT = 1e-6


def shock_filtered(picture: Tensor, steps: int) -> Tensor:
    """The picture with steeper edges: N×C×H×W of any range, each value between the least and the largest around it.

    Args:
        picture: N×C×H×W float. steps: 0 and more; each takes up to a quarter of a pixel from both ends of a slope.
    """
    for _ in range(steps):
        side = _side(picture)
        brighter = F.max_pool2d(picture, 3, stride=1, padding=1) - picture
        darker = picture + F.max_pool2d(-picture, 3, stride=1, padding=1)
        picture = picture - _STEP * torch.where(side < 0, side * brighter, side * darker)
    return picture


def _side(picture: Tensor) -> Tensor:
    """-1 on the bright side of a slope, 1 on its dark one, between them in its middle: N×C×H×W."""
    smooth = _smoothed(picture)
    height, width = smooth.shape[-2:]
    framed = F.pad(smooth, (1, 1, 1, 1), mode="replicate")

    def moved(down: int, right: int) -> Tensor:
        return framed[..., 1 + down : 1 + down + height, 1 + right : 1 + right + width]

    x, y = (moved(0, 1) - moved(0, -1)) / 2, (moved(1, 0) - moved(-1, 0)) / 2
    xx, yy = moved(0, 1) + moved(0, -1) - 2 * smooth, moved(1, 0) + moved(-1, 0) - 2 * smooth
    xy = (moved(1, 1) + moved(-1, -1) - moved(-1, 1) - moved(1, -1)) / 4
    along = (x * x * xx + 2 * x * y * xy + y * y * yy) / (x * x + y * y + _FLAT)
    return torch.tanh(along / _SURE)


def _smoothed(picture: Tensor) -> Tensor:
    """Gaussian blur of N×C×H×W, the border repeated."""
    away = torch.arange(-_REACH, _REACH + 1, dtype=picture.dtype, device=picture.device)
    kernel = torch.exp(-(away**2) / (2 * _SPREAD**2))
    kernel = (kernel / kernel.sum())[None, None, None]
    framed = F.pad(picture, (_REACH, _REACH, _REACH, _REACH), mode="replicate").flatten(0, 1)[:, None]
    return F.conv2d(F.conv2d(framed, kernel), kernel.mT).reshape(picture.shape)
