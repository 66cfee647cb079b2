"""Take off what a model added to all colours alike, as measured where a picture was not to change."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from .compositing import match_colours
from .imaging import resample

_SIDE = 64
"""Side of the square with as many pixels as the picture on which slow changes are told."""
_REACH = 0.08
"""Of the mean around a pixel, as a share of the side: what changes faster is drawing, not tint."""
_TIMES, _TINT = 3, 0.12
"""How often the colours are matched; and the difference, of 1, at which a quarter of a pixel counts next time."""
_DOUBTED = 0.02
"""Weight of “no change” against what is seen around a pixel: far from anything seen, nothing is taken off."""


def untinted(answer: Tensor, source: Tensor, agrees: Tensor) -> Tensor:
    """The answer less its tint: a gain and an offset per channel, then what slowly varies of the rest.

    Args:
        answer, source: 1×3×h×w in [0, 1], one over the other. agrees: h×w in [0, 1], where both have the same
            edges and grain.
    Returns:
        1×3×h×w in [0, 1]. Below `agrees` 0, the tint of the surroundings is taken off.
    """
    evened = answer
    trusted = agrees
    for _ in range(_TIMES):
        evened = match_colours(answer, source, trusted > 0.5)
        # Flat parts show the same whatever their colours are; what differs by more than a tint was asked for.
        away = ((source - evened) ** 2).mean(dim=1)[0]
        trusted = agrees * (_TINT**2 / (_TINT**2 + away)) ** 2
    height, width = agrees.shape
    scale = min(1.0, _SIDE / (height * width) ** 0.5)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    weight = F.interpolate(trusted[None, None], size, mode="area")
    wrong = F.interpolate((source - evened) * trusted, size, mode="area")
    reach = max(1, round(_REACH * (size[0] * size[1]) ** 0.5))
    slow = _around(wrong, reach) / (_around(weight, reach) + _DOUBTED)
    return (evened + resample(slow, (height, width))).clamp(0, 1)


def _around(values: Tensor, reach: int) -> Tensor:
    """Twice the mean over a square, the outside counting as nothing."""
    for _ in range(2):
        values = F.avg_pool2d(values, 2 * reach + 1, stride=1, padding=reach)
    return values
