"""The edited crop as a layer: colours matched around the mask, resampled, with a feathered alpha."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..method.masks import upsampled
from ..requests import Mask, Pixels
from ..settings import BlendSettings
from .detail import edited, in_channels
from .finishing import Finish, as_drawn
from .imaging import GRAY, alpha_channel, bounding_box, quantised, resample, seen

_RING = 32
"""Width of the ring on which colours are matched, px of the model's size."""
_FINE = 64
"""Steps of the feather's ramp, at most, that are computed pixel by pixel."""
_FAINT = 1e-4
"""Alpha that is shown inside at least; it still rounds to something above 0."""
_ENLARGED = 1.25
"""How many times larger than the model's a picture has to be for an upscaler to be worth its time."""


def composite(
    image: Pixels,
    decoded: Tensor,
    edit_mask: Mask | None,
    blend: Tensor | None,
    settings: BlendSettings,
    unedited: Tensor | None = None,
    finish: Finish = as_drawn,
) -> tuple[Pixels, Pixels]:
    """Patch and alpha for a picture.

    Args:
        image: H×W×C. decoded: 1×3×h×w in [-1, 1]. unedited: the same of the picture's own latent, for `detail`.
        edit_mask: as painted, or None for `blend`, the latent's bool mask; both None means everywhere.
        finish: what draws the edit larger, for `detail`.
    Returns:
        H×W×{1, 3} and H×W in the image's dtype; alpha is exactly 0 outside the mask (and what `grow` and `close` add to
        it), and with `detail` wherever the edit does nothing. Colours under the image's alpha 0 are not looked at.
    """
    size = (image.shape[0], image.shape[1])
    scale = (size[0] * size[1] / (decoded.shape[-2] * decoded.shape[-1])) ** 0.5
    inside = _inside(size, scale, edit_mask, blend, settings)
    after = (decoded.float().cpu() + 1) / 2
    original, opacity = seen(image)
    alpha = feathered(inside, settings.feather * scale)
    if settings.detail and unedited is not None:
        before = (unedited.float().cpu() + 1) / 2
        values, share = edited(
            original, before, after, torch.from_numpy(inside), finish if scale > _ENLARGED else as_drawn
        )
        alpha = alpha * share
    else:
        values = resample(in_channels(after, original.shape[1]), size)
        if settings.colour_match:
            ring = torch.from_numpy(grown(inside, _RING * scale) & ~inside) & (opacity == 1)
            values = match_colours(values, original, ring)
    soft = (opacity > 0) & (opacity < 1)
    if bool(soft.any()):
        # At a soft border the model saw the colour over gray: what is under the gray is wanted, as faint as it was.
        values = torch.where(soft, ((values - GRAY * (1 - opacity)) / opacity.clamp(min=_FAINT)), values)
        alpha = torch.where(soft, alpha * opacity, alpha)
    patch = quantised(values[0].permute(1, 2, 0).clamp(0, 1), image.dtype)
    return patch, alpha_channel(alpha, image.dtype)


def _inside(
    size: tuple[int, int], scale: float, edit_mask: Mask | None, blend: Tensor | None, settings: BlendSettings
) -> NDArray[np.bool_]:
    """Where alpha may be above 0, H×W."""
    if edit_mask is not None:
        inside = closed(edit_mask > 127, settings.close * scale)
    elif blend is not None:
        # Half a latent cell beyond the mask, where the feather is still thin.
        inside = (F.interpolate(blend[None, None].float(), size, mode="bilinear")[0, 0] > 0).cpu().numpy()
    else:
        inside = np.ones(size, bool)
    return grown(inside, settings.grow * scale)


def match_colours(edited: Tensor, original: Tensor, ring: Tensor) -> Tensor:
    """Undo the shift that the decoder gives to all colours, as measured where nothing was to change.

    Args:
        edited, original: 1×C×H×W. ring: H×W bool, around the mask.
    Returns:
        `edited` with a gain (0.8 to 1.25) and an offset per channel that fit the ring best in least squares.
    """
    if int(ring.sum()) < 64:
        return edited
    found = edited[0][:, ring].double()
    wanted = original[0][:, ring].double()
    mean, goal = found.mean(dim=1, keepdim=True), wanted.mean(dim=1, keepdim=True)
    spread = ((found - mean) ** 2).mean(dim=1, keepdim=True)
    together = ((found - mean) * (wanted - goal)).mean(dim=1, keepdim=True)
    # A flat ring says nothing about the gain.
    gain = torch.where(spread > 1e-4, together / spread.clamp(min=1e-4), torch.ones_like(spread)).clamp(0.8, 1.25)
    gain, offset = gain.float()[None, :, :, None], (goal - gain * mean).float()[None, :, :, None]
    return edited * gain + offset


def feathered(inside: NDArray[np.bool_], feather: float) -> Tensor:
    """Alpha that rises from the mask's edge inwards.

    Args:
        inside: H×W. feather: px until alpha is 1. Where a stroke is too thin for that, alpha is 1 along its middle.
    Returns:
        H×W float32, exactly 0 outside, more than 0 inside.
    """
    mask = torch.from_numpy(inside.astype(np.float32))
    steps = round(feather)
    if steps < 2 or bool(inside.all()) or not bool(inside.any()):
        return mask
    # Nothing happens but inside: where the mask is small in a large picture, that saves nearly everything.
    x, y, width, height = bounding_box(inside)
    part = (slice(y, y + height), slice(x, x + width))
    cell = steps // (_FINE // 2) if steps > _FINE else 1
    left, top = cell * (x > 0), cell * (y > 0)
    right, bottom = cell * (x + width < inside.shape[1]), cell * (y + height < inside.shape[0])
    framed = F.pad(mask[part], (left, right, top, bottom))
    ramp = _ramp(framed, steps) if cell == 1 else _coarse_ramp(framed, steps, cell)
    found = torch.zeros_like(mask)
    found[part] = mask[part] * ramp[top : top + height, left : left + width]
    return found


def _coarse_ramp(mask: Tensor, steps: int, cell: int) -> Tensor:
    """`_ramp` on cells, which count as inside when any of their pixels is: so wide a ramp looks the same from them."""
    coarse = _ramp(F.max_pool2d(mask[None, None], cell, ceil_mode=True)[0, 0], round(steps / cell))
    ramp = upsampled(coarse, (coarse.shape[0] * cell, coarse.shape[1] * cell))[: mask.shape[0], : mask.shape[1]]
    # Strokes that no cell fits into have no place in it.
    inside = mask.numpy() > 0
    thin = torch.from_numpy(inside & ~grown(~grown(~inside, cell), 2 * cell))
    if bool(thin.any()):
        ramp = torch.where(thin, _ramp(mask, 2 * cell), ramp)
    return ramp.clamp(min=_FAINT)


def _ramp(mask: Tensor, steps: int) -> Tensor:
    """`feathered` in so many steps of a pixel."""
    # Distance from the edge by repeated erosion, the picture's border not being an edge.
    distance = mask.clone()
    eroded = mask
    for step in range(1, steps):
        # Squares and crosses in turn: an octagon, nearer to a circle than either.
        eroded = _eroded(eroded, cross=step % 2 == 0)
        if not bool(eroded.any()):
            break
        distance += eroded
    reach = 2 * (steps // 2) + 1
    # Two one-dimensional passes are the same square.
    local = F.max_pool2d(distance[None, None], (reach, 1), stride=1, padding=(reach // 2, 0))
    local = F.max_pool2d(local, (1, reach), stride=1, padding=(0, reach // 2))[0, 0]
    ratio = mask * distance / local.clamp(min=1)
    return ratio * ratio * (3 - 2 * ratio)


def _eroded(mask: Tensor, *, cross: bool) -> Tensor:
    outside = 1 - mask[None, None]
    if cross:
        grown = torch.maximum(
            F.max_pool2d(outside, (3, 1), stride=1, padding=(1, 0)),
            F.max_pool2d(outside, (1, 3), stride=1, padding=(0, 1)),
        )
    else:
        grown = F.max_pool2d(outside, 3, stride=1, padding=1)
    return 1 - grown[0, 0]


def closed(inside: NDArray[np.bool_], pixels: float) -> NDArray[np.bool_]:
    """The mask with gaps and holes up to `pixels` wide filled (morphological closing)."""
    reach = round(pixels / 2)
    if reach < 1:
        return inside
    framed = np.pad(inside, reach)
    filled = ~grown(~grown(framed, reach), reach)
    return np.asarray(filled[reach:-reach, reach:-reach] | inside)


def grown(inside: NDArray[np.bool_], pixels: float) -> NDArray[np.bool_]:
    """The mask and what is within some pixels of it."""
    reach = round(pixels)
    if reach < 1:
        return inside
    return _widened(_widened(inside, reach).T, reach).T


def _widened(inside: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """What has a True within `reach` along its column. By running sums, so that a wide reach takes no longer."""
    height = len(inside)
    sums = np.zeros((height + 1, inside.shape[1]), np.int32)
    np.cumsum(inside, axis=0, out=sums[1:])
    rows = np.arange(height)
    return sums[np.minimum(rows + reach + 1, height)] > sums[np.maximum(rows - reach, 0)]
