"""How finely an edit can be drawn, told before it is made: integer arithmetic on boxes. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .region import LATENT_STRIDE, Box

UPSCALER, FRAMING = "upscaler", "framing"
"""Folders inside a checkpoint's, of networks that lie beside its own: `upscaling` and `framing` read them."""
UPSCALED = 4
"""How many times wider and higher than the model's own size a checkpoint's upscaler draws."""


@dataclass(frozen=True)
class Resolution:
    """What the model has for an edit.

    Args:
        size: width and height of what was painted, in the model's pixels, at least 1; the model's own size where
            nothing was painted.
        finest: width of the finest thing it draws, in the picture's pixels; 1 is as sharp as the picture.
        framed: whether the model looks for its figure in the crop by itself; `size` is then the least, `finest` the
            most that it comes to.
    """

    size: tuple[int, int]
    finest: float
    framed: bool

    @property
    def is_coarse(self) -> bool:
        """Whether what was painted is less than one cell of the latents wide or high."""
        return min(self.size) < LATENT_STRIDE and not self.framed


def resolution(crop: Box, mask_box: Box | None, model_size: tuple[int, int], checkpoint: Path | None) -> Resolution:
    """What the model has for this edit.

    Args:
        crop: what is sent, px. mask_box: bounding box of what was painted, px; None for the whole crop.
        model_size: height and width at which the model sees the crop.
        checkpoint: its folder, in which companions may lie; None where it isn't known.
    """
    height, width = model_size
    across, down = width / crop[2], height / crop[3]
    painted = crop if mask_box is None else mask_box
    size = (max(1, round(painted[2] * across)), max(1, round(painted[3] * down)))
    drawn = UPSCALED if _has(checkpoint, UPSCALER) else 1
    finest = max(1.0, 1 / (drawn * min(across, down)))
    return Resolution(size, round(finest, 2), _has(checkpoint, FRAMING))


def _has(checkpoint: Path | None, folder: str) -> bool:
    return checkpoint is not None and (checkpoint / folder / "model.safetensors").is_file()
