"""Pixels in and out: any depth to the model's [-1, 1] and back, the colour match, and the feathered alpha."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .errors import ImageError, MaskError
from .requests import Mask, Pixels

_SCALES = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}
MAX_PIXELS = 1 << 28
"""Largest crop that is taken, px; beyond it the memory for resampling alone would be several GiB."""
# Rec. 709 luma, for gray pictures.
_LUMA = (0.2126, 0.7152, 0.0722)


def check_image(image: Any, what: str = "picture") -> None:
    """Raise ImageError unless the array is H×W×{1,2,3,4} uint8, uint16 or finite float32."""
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] not in (1, 2, 3, 4) or not image.size:
        raise ImageError(
            f"The {what} has to have height, width and 1 to 4 channels.", code="image_shape", hint="Convert it to RGB."
        )
    if str(image.dtype) not in _SCALES:
        raise ImageError(
            f"The {what} has pixels of type {image.dtype}; 8 and 16 bit integers and 32 bit floats can be used.",
            code="image_dtype",
            hint="Convert it to one of these precisions.",
        )
    if image.shape[0] * image.shape[1] > MAX_PIXELS:
        raise ImageError(f"The {what} is too large.", code="image_size", hint="Mask a smaller area.")
    if image.dtype == np.float32 and not bool(np.isfinite(image).all()):
        raise ImageError(f"The {what} has pixels that are not numbers.", code="image_values", hint="Clean them first.")


def check_mask(mask: Any, image: Pixels, what: str) -> None:
    """Raise MaskError unless the mask is H×W uint8 of the image's size with a pixel inside."""
    if not isinstance(mask, np.ndarray) or mask.ndim != 2 or mask.dtype != np.uint8 or mask.shape != image.shape[:2]:
        size = "×".join(str(side) for side in getattr(mask, "shape", ())[::-1])
        raise MaskError(
            f"The {what} is {size} and the picture is {image.shape[1]}×{image.shape[0]} pixels.",
            code="mask_size",
            hint="Give a mask of the picture's size.",
        )
    if not bool((mask > 127).any()):
        raise MaskError(
            f"The {what} is empty.", code="mask_empty", hint="Paint over the object, or leave the mask out."
        )


def colour(image: Pixels) -> Tensor:
    """The colour channels, 1×C×H×W float32 with 1 as white, C 1 or 3; alpha is dropped."""
    channels = 1 if image.shape[2] < 3 else 3
    values = torch.from_numpy(image[:, :, :channels].astype(np.float32)) / _SCALES[str(image.dtype)]
    return values.permute(2, 0, 1)[None]


def model_input(image: Pixels, size: tuple[int, int]) -> Tensor:
    """The picture as the model sees it: 1×3×h×w in [-1, 1], transparent parts over middle gray."""
    values = colour(image).clamp(0, 1)
    if image.shape[2] in (2, 4):
        alpha = torch.from_numpy(image[:, :, -1].astype(np.float32)) / _SCALES[str(image.dtype)]
        values = values * alpha + 0.5 * (1 - alpha)
    return resample(values, size).clamp(0, 1).expand(-1, 3, -1, -1) * 2 - 1


def resample(values: Tensor, size: tuple[int, int]) -> Tensor:
    """Bicubic, with a low-pass filter when shrinking; 1×C×H×W to 1×C×h×w."""
    if values.shape[-2:] == size:
        return values
    return F.interpolate(values, size, mode="bicubic", align_corners=False, antialias=True)


def model_mask(mask: Mask, size: tuple[int, int]) -> Tensor:
    """The covered part of each of the model's pixels, h×w in [0, 1]."""
    inside = torch.from_numpy((mask > 127).astype(np.float32))
    return F.interpolate(inside[None, None], size, mode="area")[0, 0]


def image_mask(mask: Tensor, size: tuple[int, int]) -> Mask:
    """A mask at the model's size as H×W uint8, 0 or 255."""
    values = F.interpolate(mask[None, None].float(), size, mode="bilinear", align_corners=False)[0, 0]
    return ((values > 0.5).to(torch.uint8) * 255).numpy()


def preview(decoded: Tensor) -> NDArray[np.uint8]:
    """1×3×h×w in [-1, 1] to h×w×3 uint8."""
    pixels = ((decoded[0].float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return pixels.permute(1, 2, 0).cpu().numpy()


def feathered(inside: NDArray[np.bool_], feather: float) -> Tensor:
    """Alpha that rises from the mask's edge inwards.

    Args:
        inside: H×W. feather: px until alpha is 1. Where a stroke is too thin for that, alpha is 1 along its middle.
    Returns:
        H×W float32, exactly 0 outside, more than 0 inside.
    """
    mask = torch.from_numpy(inside.astype(np.float32))
    steps = round(feather)
    if steps < 2 or bool(inside.all()):
        return mask
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
    local = F.max_pool2d(distance[None, None], reach, stride=1, padding=reach // 2)[0, 0]
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


def grown(inside: NDArray[np.bool_], pixels: float) -> NDArray[np.bool_]:
    """The mask and what is within some pixels of it."""
    reach = round(pixels)
    if reach < 1:
        return inside
    # Two one-dimensional passes are the same square, and linear in its side.
    values = torch.from_numpy(inside.astype(np.float32))[None, None]
    values = F.max_pool2d(values, (2 * reach + 1, 1), stride=1, padding=(reach, 0))
    return (F.max_pool2d(values, (1, 2 * reach + 1), stride=1, padding=(0, reach))[0, 0] > 0).numpy()


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


def patch(decoded: Tensor, image: Pixels, ring: Tensor | None) -> Pixels:
    """The decoder's picture as a layer for the image.

    Args:
        decoded: 1×3×h×w in [-1, 1]. ring: for `match_colours`, or None.
    Returns:
        H×W×{1, 3} of the image's size, colour channels and dtype.
    """
    original = colour(image)
    values = resample((decoded.float().cpu() + 1) / 2, (image.shape[0], image.shape[1]))
    if original.shape[1] == 1:
        values = (values * torch.tensor(_LUMA)[None, :, None, None]).sum(dim=1, keepdim=True)
    if ring is not None:
        values = match_colours(values, original, ring)
    return quantised(values[0].permute(1, 2, 0).clamp(0, 1), image.dtype)


def quantised(values: Tensor, dtype: np.dtype[Any]) -> Pixels:
    """Values in [0, 1] in a picture's dtype, 1 becoming white."""
    if dtype == np.float32:
        return values.contiguous().numpy()
    return (values.double() * _SCALES[str(dtype)]).round().numpy().astype(dtype)


def bounding_box(inside: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """x, y, width, height of what is True; all 0 for nothing."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return (0, 0, 0, 0)
    x, y = int(columns[0]), int(rows[0])
    return (x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1)


def alpha_channel(alpha: Tensor, dtype: np.dtype[Any]) -> Pixels:
    """Alpha in [0, 1] in a picture's dtype; what is above 0 stays above 0."""
    values = quantised(alpha, dtype)
    if dtype != np.float32:
        values = np.maximum(values, (alpha > 0).numpy().astype(dtype))
    return values
