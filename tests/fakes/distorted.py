"""What models that redraw a picture do to all of it: shift, stretch and tint, of a known size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from s2edit.picture.imaging import model_input

PHOTOGRAPHS = Path(__file__).parents[1] / "photographs"


@dataclass(frozen=True)
class Distortion:
    """What the source shows at x, the answer shows at (1 + stretch) · x + shift (down, across; from -1 to 1)."""

    stretch: tuple[float, float]
    shift: tuple[float, float]

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Distortion:
        """Up to 3 % longer or shorter sides, up to 5 % of a side away."""
        down, across = (float(each) for each in rng.uniform(-0.03, 0.03, 2))
        return cls((down, across), (float(rng.uniform(-0.1, 0.1)), float(rng.uniform(-0.1, 0.1))))

    def laid(self, picture: Tensor) -> Tensor:
        """A picture (1×3×h×w) as such an answer has it; what it shows beyond the source's border is mirrored."""
        axes = []
        for length, stretch, shift in zip(picture.shape[-2:], self.stretch, self.shift, strict=True):
            places = (torch.arange(length) + 0.5) * 2 / length - 1
            axes.append((places - shift) / (1 + stretch))
        y, x = torch.meshgrid(*axes, indexing="ij")
        grid = torch.stack([x, y], dim=-1)[None]
        return F.grid_sample(picture, grid, mode="bicubic", padding_mode="reflection", align_corners=False).clamp(0, 1)

    def away(self, found: Distortion, size: tuple[int, int]) -> float:
        """How far a corner is from where another distortion has it, px."""
        pairs = zip((*self.stretch, *self.shift), (*found.stretch, *found.shift), strict=True)
        down, across, up, left = (abs(one - other) for one, other in pairs)
        return max((down + up) * size[0], (across + left) * size[1]) / 2


def tinted(picture: Tensor, rng: np.random.Generator) -> Tensor:
    """Gains of 15 %, offsets of 0.06 and a slow change of up to 0.08, by channel."""
    gain, offset = (torch.tensor(rng.uniform(-1, 1, (1, 3, 1, 1))).float() for _ in range(2))
    slow = torch.tensor(rng.uniform(-0.08, 0.08, (1, 3, 3, 3))).float()
    slow = F.interpolate(slow, picture.shape[-2:], mode="bicubic", align_corners=False)
    return (picture * (1 + 0.15 * gain) + 0.06 * offset + slow).clamp(0, 1)


def as_tensor(picture: NDArray[np.uint8], size: tuple[int, int]) -> Tensor:
    """A picture as a model of that (h, w) sees it, 1×3×h×w in [0, 1]."""
    return (model_input(picture, size) + 1) / 2


def photographs() -> Iterator[NDArray[np.uint8]]:
    """Those that lie with the tests, H×W×3."""
    for file in sorted(PHOTOGRAPHS.glob("*.jpg")):
        with Image.open(file) as opened:
            yield np.asarray(opened.convert("RGB"))
