"""Stages `vae` and `decoder`: the autoencoder, first whole, later its decoder alone behind frozen latents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F

from s2edit.starter.dataset import crops, open_pictures
from s2edit.starter.loop import Stage, run
from s2edit.starter.models import new_vae

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_SIDE = 64
_BATCH = 16


def to_tensor(pictures: NDArray[np.uint8]) -> torch.Tensor:
    """(N, H, W, 3) uint8 to (N, 3, H, W) float32 in -1 to 1."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def reconstruction_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """L1 + MSE + L1 of the horizontal and vertical differences, which keeps the drawings' edges sharp."""
    loss = F.l1_loss(output, target) + F.mse_loss(output, target)
    for axis in (2, 3):
        loss = loss + F.l1_loss(output.diff(dim=axis), target.diff(dim=axis))
    return loss


def train_vae(
    folder: Path, *, shards: int, steps: int, seconds: float, seed: int, decoder_only: bool = False
) -> dict[str, Any]:
    """Train the autoencoder (or only its decoder) and return the checkpoint's facts.

    The decoder stage starts from the whitened autoencoder that the latents were cached with; its encoder stays.
    """
    torch.manual_seed(seed)
    vae = new_vae()
    name = "decoder" if decoder_only else "vae"
    if decoder_only:
        from s2edit.starter.latents import load_vae

        vae = load_vae(folder)
        vae.encoder.requires_grad_(requires_grad=False)
        vae.quant_conv.requires_grad_(requires_grad=False)
    pictures = open_pictures(folder, shards)

    def step_loss(step: int) -> torch.Tensor:
        rng = np.random.default_rng([seed, int(decoder_only), step])
        target = to_tensor(crops(pictures, rng, _BATCH, _SIDE))
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        if decoder_only:
            with torch.no_grad():
                latents = vae.encode(target).latent_dist.mean
            # A little noise: what the U-Net makes is never exactly what the encoder makes.
            latents = latents + 0.03 * torch.randn(latents.shape, generator=generator)
            return reconstruction_loss(vae.decode(latents).sample, target)
        posterior = vae.encode(target).latent_dist
        output = vae.decode(posterior.sample(generator=generator)).sample
        loss: torch.Tensor = (
            reconstruction_loss(output, target) + 1e-5 * posterior.kl().mean() / posterior.mean[0].numel()
        )
        return loss

    trained = [parameter for parameter in vae.parameters() if parameter.requires_grad]
    stage = Stage(
        path=folder / f"{name}.safetensors",
        modules={"vae": vae},
        parameters=trained,
        step_loss=step_loss,
        steps=steps,
        rate=5e-4 if decoder_only else 2e-3,
        warmup=200,
        decay=1e-4,
        facts={"stage": name, "batch": _BATCH, "crop": _SIDE, "seed": seed, "shards": shards},
    )
    return run(stage, seconds=seconds)
