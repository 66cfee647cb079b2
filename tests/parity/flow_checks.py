"""What the tests of flow models share: a size, a sentence, a latent, a mask, and how near is equal."""

from __future__ import annotations

import torch
from torch import Tensor

SIZE = (8, 12)
"""(h, w) of the latents."""
TEXT = "a photo of a lady, smiling"


def assert_close(found: Tensor, wanted: Tensor) -> None:
    """Equal to 1e-5 of the largest number, or of 1."""
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5 * max(1.0, float(wanted.abs().max())))


def latent_of(seed: int) -> Tensor:
    """1×8×h×w of noise."""
    return torch.randn(1, 8, *SIZE, generator=torch.Generator().manual_seed(seed))


def painted() -> Tensor:
    """A mask at the picture's size, H×W, with a box in it."""
    mask = torch.zeros(8 * SIZE[0], 8 * SIZE[1])
    mask[10:40, 5:70] = 1
    return mask
