"""The object mask M: its pooled versions for each attention layer, and the automatic one from a word's attention."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import MaskError


class MaskPyramid:
    """M at every layer's resolution, by area pooling, so that a small stroke weighs little instead of vanishing.

    Args:
        mask: h×w float32 in [0, 1] at the model's pixel size.
    """

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask
        self._pooled: dict[tuple[int, int], Tensor] = {}

    def at(self, height: int, width: int) -> Tensor:
        """The covered part of each cell of a layer, in [0, 1]: height·width values, row by row."""
        key = (height, width)
        if key not in self._pooled:
            self._pooled[key] = area_pool(self.mask, height, width).flatten()
        return self._pooled[key]


def area_pool(mask: Tensor, height: int, width: int) -> Tensor:
    """Mean of an h×w mask over each of height×width cells of equal size; cells overlap where they don't divide it."""
    return F.adaptive_avg_pool2d(mask[None, None], (height, width))[0, 0]


def object_mask(attention: Tensor, size: tuple[int, int], threshold: float, word: str) -> Tensor:
    """The automatic M (ours in detail; the paper binarises "the cross-attention map of the word").

    Args:
        attention: H×W, the word's maps summed over heads, coarse layers and steps.
        size: (h, w) of the mask, px. threshold: of the map divided by its maximum.
    Returns:
        h×w float32, 0 or 1.
    Raises:
        MaskError: the word attends to nothing, or nowhere beyond the threshold.
    """
    inside = upsampled(normalised(attention, word), size) > threshold
    if not bool(inside.any()):
        raise nowhere(word)
    return inside.float()


def normalised(attention: Tensor, word: str) -> Tensor:
    """A map divided by its maximum; raises MaskError where there is nothing to divide by."""
    peak = attention.max()
    if not bool(torch.isfinite(peak)) or float(peak) <= 0:
        raise nowhere(word)
    return attention / peak


def nowhere(word: str) -> MaskError:
    """The error of an automatic mask with nothing inside."""
    return MaskError(
        f"The model finds no place for “{word}” in the picture.",
        code="mask_empty",
        hint="Paint the mask by hand, or name the object with another word.",
    )


def upsampled(attention: Tensor, size: tuple[int, int]) -> Tensor:
    """A map H×W at `size` (h, w), bilinear."""
    return F.interpolate(attention[None, None], size, mode="bilinear", align_corners=False)[0, 0]


def local_blend_mask(attention: Tensor, size: tuple[int, int], threshold: float) -> Tensor:
    """Prompt-to-Prompt's LocalBlend mask of one branch.

    Args:
        attention: H×W, the changed words' maps summed over heads, coarse layers and steps.
        size: of the latent. threshold: of the pooled and resized map divided by its maximum.
    Returns:
        Bool of the latent's size; all False for an all-zero map.
    """
    pooled = F.max_pool2d(attention[None, None], 3, stride=1, padding=1)
    resized = F.interpolate(pooled, size, mode="nearest")[0, 0]
    peak = resized.max()
    return resized > threshold * peak if float(peak) > 0 else torch.zeros_like(resized, dtype=torch.bool)
