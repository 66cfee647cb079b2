"""Pixels in and out: any depth to the model's [-1, 1] and back, and what is wrong with a picture or mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..errors import ImageError, MaskError
from ..requests import Mask, ObjectSpec, Pixels

_SCALES = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}
GRAY = 0.5
"""What the model sees behind transparent parts."""
MAX_PIXELS = 1 << 28
"""Largest crop that is taken, px; beyond it the memory for resampling alone would be several GiB."""


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


def check_masks(image: Pixels, objects: Sequence[ObjectSpec], edit_mask: Mask | None) -> None:
    """Raise MaskError unless all painted masks of an edit fit the image and have a pixel inside."""
    for spec in objects:
        if spec.mask is not None:
            check_mask(spec.mask, image, f"mask of “{spec.word}”")
    if edit_mask is not None:
        check_mask(edit_mask, image, "edit mask")


def colour(image: Pixels) -> Tensor:
    """The colour channels, 1×C×H×W float32 with 1 as white, C 1 or 3; alpha is dropped."""
    channels = 1 if image.shape[2] < 3 else 3
    values = torch.from_numpy(image[:, :, :channels].astype(np.float32)) / _SCALES[str(image.dtype)]
    return values.permute(2, 0, 1)[None]


def seen(image: Pixels) -> tuple[Tensor, Tensor]:
    """The colours as the model sees them, transparent parts over middle gray, and the opacity.

    Returns:
        1×C×H×W in [0, 1], C 1 or 3, and H×W in [0, 1]. Colours under alpha 0 are not looked at.
    """
    values = colour(image).clamp(0, 1)
    if image.shape[2] not in (2, 4):
        return values, torch.ones(values.shape[-2:])
    alpha = (torch.from_numpy(image[:, :, -1].astype(np.float32)) / _SCALES[str(image.dtype)]).clamp(0, 1)
    return values * alpha + GRAY * (1 - alpha), alpha


def model_input(image: Pixels, size: tuple[int, int]) -> Tensor:
    """The picture as the model sees it: 1×3×h×w in [-1, 1], transparent parts over middle gray."""
    return resample(seen(image)[0], size).clamp(0, 1).expand(-1, 3, -1, -1) * 2 - 1


def resample(values: Tensor, size: tuple[int, int]) -> Tensor:
    """Bicubic, with a low-pass filter when shrinking; it may go beyond the range of its input at edges.

    Args:
        values: 1×C×H×W. size: (h, w), px.
    Returns:
        1×C×h×w; `values` itself where it has that size.
    """
    if values.shape[-2:] == size:
        return values
    return F.interpolate(values, size, mode="bicubic", align_corners=False, antialias=True)


def model_mask(mask: Mask, size: tuple[int, int]) -> Tensor:
    """The covered part of each of the model's pixels, h×w in [0, 1]."""
    inside = torch.from_numpy((mask > 127).astype(np.float32))
    return F.interpolate(inside[None, None], size, mode="area")[0, 0]


def image_mask(mask: Tensor, size: tuple[int, int]) -> Mask:
    """A mask at the model's size (h×w, 0 to 1) at the picture's, (H, W): H×W uint8, 255 from half on."""
    values = F.interpolate(mask[None, None].float(), size, mode="bilinear", align_corners=False)[0, 0]
    return ((values > 0.5).to(torch.uint8) * 255).numpy()


def binary(mask: Mask) -> Mask:
    """A painted mask as 0 and 255."""
    return (mask > 127).astype(np.uint8) * np.uint8(255)


def preview(decoded: Tensor) -> NDArray[np.uint8]:
    """What the decoder gives, 1×3×h×w, clipped to [-1, 1], as h×w×3 uint8."""
    pixels = ((decoded[0].float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return pixels.permute(1, 2, 0).cpu().numpy()


def quantised(values: Tensor, dtype: np.dtype[Any]) -> Pixels:
    """Values in [0, 1], of any shape, in a picture's dtype: uint8, uint16 (their largest is 1), float32."""
    if dtype == np.float32:
        return values.contiguous().numpy()
    return (values.double() * _SCALES[str(dtype)]).round().numpy().astype(dtype)


def alpha_channel(alpha: Tensor, dtype: np.dtype[Any]) -> Pixels:
    """Alpha H×W in [0, 1] as `quantised` has it, but what is above 0 never becomes 0."""
    values = quantised(alpha, dtype)
    if dtype != np.float32:
        values = np.maximum(values, (alpha > 0).numpy().astype(dtype))
    return values


def bounding_box(inside: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """x, y, width, height of what is True; all 0 for nothing."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return (0, 0, 0, 0)
    x, y = int(columns[0]), int(rows[0])
    return (x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1)
