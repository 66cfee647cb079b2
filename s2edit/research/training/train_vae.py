"""Stages `vae`, `refine` and `decoder`: the autoencoder whole, whole once more, its decoder alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F

from s2edit.research.training.dataset import crops, open_pictures
from s2edit.research.training.loop import Stage, run
from s2edit.research.training.models import new_vae

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

_SIDE = 64
_BATCH = 8
_SQUARES = 10.0


def to_tensor(pictures: NDArray[np.uint8]) -> torch.Tensor:
    """(N, H, W, 3) uint8 to (N, 3, H, W) float32 in -1 to 1."""
    return torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def reconstruction_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """L1 + weighted MSE + L1 of the horizontal and vertical differences, which keeps the drawings' edges sharp.

    The squared error, which is what PSNR counts, would be a fifth of the L1 error here; the weight makes them even, so
    that a thin frame of glasses, few pixels but far off, is worth drawing.
    """
    loss = F.l1_loss(output, target) + _SQUARES * F.mse_loss(output, target)
    for axis in (2, 3):
        loss = loss + F.l1_loss(output.diff(dim=axis), target.diff(dim=axis))
    return loss


def _batch(pictures: list[NDArray[np.uint8]], rng: np.random.Generator) -> tuple[torch.Tensor, torch.Generator]:
    target = to_tensor(crops(pictures, rng, _BATCH, _SIDE))
    return target, torch.Generator().manual_seed(int(rng.integers(1 << 62)))


def train_vae(folder: Path, *, shards: int, steps: int, seconds: float, seed: int) -> dict[str, Any]:
    """Stage `vae`: encoder and decoder from nothing; returns the checkpoint's facts."""
    torch.manual_seed(seed)
    vae = new_vae()
    pictures = open_pictures(folder, shards)

    def step_loss(step: int) -> torch.Tensor:
        target, generator = _batch(pictures, np.random.default_rng([seed, 0, step]))
        posterior = vae.encode(target).latent_dist
        output = vae.decode(posterior.sample(generator=generator)).sample
        loss: torch.Tensor = (
            reconstruction_loss(output, target) + 1e-5 * posterior.kl().mean() / posterior.mean[0].numel()
        )
        return loss

    return _run("vae", folder, vae, step_loss, shards=shards, steps=steps, seconds=seconds, seed=seed, rate=2e-3)


def train_on(folder: Path, *, shards: int, steps: int, seconds: float, seed: int, with_encoder: bool) -> dict[str, Any]:
    """Stages `refine` (with the encoder) and `decoder` (without): go on from the frozen autoencoder.

    `refine` lets the latents go where they must; `latents --adopt` turns them back towards those that the U-Net knows.
    `decoder` leaves the encoder, hence all latents, as it is.
    """
    from s2edit.research.training.latents import load_vae

    vae = load_vae(folder)
    if not with_encoder:
        vae.encoder.requires_grad_(requires_grad=False)
        vae.quant_conv.requires_grad_(requires_grad=False)
    pictures = open_pictures(folder, shards)

    def step_loss(step: int) -> torch.Tensor:
        target, generator = _batch(pictures, np.random.default_rng([seed, 1, step]))
        latents = vae.encode(target).latent_dist.mean
        # A little noise: what the U-Net makes is never exactly what the encoder makes.
        noisy = latents + 0.01 * torch.randn(latents.shape, generator=generator)
        return reconstruction_loss(vae.decode(noisy).sample, target)

    name = "refine" if with_encoder else "decoder"
    return _run(name, folder, vae, step_loss, shards=shards, steps=steps, seconds=seconds, seed=seed, rate=1e-3)


def _run(
    name: str,
    folder: Path,
    vae: Any,
    step_loss: Callable[[int], torch.Tensor],
    *,
    shards: int,
    seed: int,
    steps: int,
    seconds: float,
    rate: float,
) -> dict[str, Any]:
    stage = Stage(
        path=folder / f"{name}.safetensors",
        modules={"vae": vae},
        parameters=[parameter for parameter in vae.parameters() if parameter.requires_grad],
        step_loss=step_loss,
        steps=steps,
        rate=rate,
        warmup=min(200, steps // 10),
        decay=1e-4,
        facts={"stage": name, "batch": _BATCH, "crop": _SIDE, "seed": seed, "shards": shards},
    )
    return run(stage, seconds=seconds)
