"""How close a picture is to the truth, inside and outside the region that had to change; all in floating point."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torchmetrics.functional.image import structural_similarity_index_measure

Picture = NDArray[np.uint8]
Region = NDArray[np.bool_]

CEILING = 60.0
"""dB that count for equal pictures, so that means stay finite."""


def psnr(picture: Picture, truth: Picture, region: Region | None = None) -> float:
    """Peak signal-to-noise ratio in dB, at most `CEILING`.

    Args:
        picture, truth: H×W×3 uint8. region: H×W bool, the pixels that count; all when None.
    Raises:
        ValueError: the sizes differ, or the region is empty.
    """
    _check(picture, truth, region)
    error = np.square(picture.astype(np.float64) - truth.astype(np.float64)).mean(axis=2)
    mean = float(error.mean() if region is None else error[region].mean())
    return CEILING if mean == 0 else min(CEILING, float(10 * np.log10(255.0**2 / mean)))


def ssim(picture: Picture, truth: Picture, region: Region | None = None) -> float:
    """Structural similarity (Wang et al. 2004: 11×11 Gaussian, σ 1.5), averaged over the region; see `psnr`."""
    _check(picture, truth, region)
    pair = [torch.from_numpy(p.astype(np.float64)).permute(2, 0, 1)[None] for p in (picture, truth)]
    found: Any = structural_similarity_index_measure(pair[0], pair[1], data_range=255.0, return_full_image=True)
    local = found[1][0].mean(dim=0).numpy()
    return float(local.mean() if region is None else local[region].mean())


def _check(picture: Picture, truth: Picture, region: Region | None) -> None:
    if picture.shape != truth.shape:
        raise ValueError(f"The picture has the size {picture.shape}, the truth {truth.shape}.")
    if region is not None and not region.any():
        raise ValueError("The region has no pixel.")
