"""What the upscaler learns from: a checkpoint's pictures, each with the renderer's own, four times as large.

Half of them went through the autoencoder alone, which softens edges a little. The other half were inverted as well and
drawn anew by the U-Net, which softens them as it does in edits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tqdm import tqdm

from s2edit.starter.assess import decode, denoise, invert, open_pipeline
from s2edit.starter.dataset import needed
from s2edit.starter.train_vae import to_tensor
from s2edit.upscaling import SCALE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from s2edit.starter.domain import Domain

SHARD = 250  # pairs a file
_NOISE = 0.01  # of the latents' standard deviation, as in stage `decoder`
_STEPS, _REDRAWN = 18, 6  # of a whole drawing, and those of them that are drawn anew: things stay in their places
_GUIDANCE = (1.0, 2.0)  # more moves the outlines away from the truth's


def shard_paths(folder: Path, index: int) -> tuple[Path, Path]:
    """The files of what was drawn and of the truth, for seeds index * SHARD up to (index + 1) * SHARD."""
    return folder / "pairs" / f"{index:04d}-drawn.npy", folder / "pairs" / f"{index:04d}-truth.npy"


@torch.no_grad()
def redraw(pipeline: Any, latents: torch.Tensor, prompt: str, *, guidance: float) -> torch.Tensor:
    """Invert (1, 4, h, w) latents, in the U-Net's scale, as far as a drawing's last third, and draw that third anew."""
    noisy = invert(pipeline, latents, [prompt], steps=_STEPS, last=_REDRAWN)
    return denoise(pipeline, noisy, [prompt], steps=_STEPS, guidance=guidance, last=_REDRAWN)


@torch.no_grad()
def draw_pair(pipeline: Any, domain: Domain[Any], seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Thing `seed` as the checkpoint draws it, (size, size, 3) uint8, and the truth, four times as large.

    Even seeds go through the autoencoder, odd ones through the U-Net too.
    """
    thing = domain.sample(seed)
    rng = np.random.default_rng([seed, 0x4A])
    scale = float(pipeline.vae.config.scaling_factor)
    latents = pipeline.vae.encode(to_tensor(domain.render(thing, domain.size)[None])).latent_dist.mean * scale
    if seed % 2:
        latents = redraw(pipeline, latents, domain.caption(thing), guidance=rng.uniform(*_GUIDANCE))
    else:
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        latents = latents + scale * _NOISE * torch.randn(latents.shape, generator=generator)
    return decode(pipeline, latents)[0], domain.render(thing, SCALE * domain.size)


def build_pairs(folder: Path, domain: Domain[Any], model: Path, shards: int) -> None:
    """Draw the shards that are missing with the checkpoint in `model`; pair k is `draw_pair(…, k)`."""
    missing = [index for index in range(shards) if not all(path.exists() for path in shard_paths(folder, index))]
    if not missing:
        return
    (folder / "pairs").mkdir(parents=True, exist_ok=True)
    pipeline = open_pipeline(model)
    for index in missing:
        seeds = range(index * SHARD, (index + 1) * SHARD)
        drawn, truth = zip(*[draw_pair(pipeline, domain, seed) for seed in tqdm(seeds, desc="drawing")], strict=True)
        for path, pictures in zip(shard_paths(folder, index), (drawn, truth), strict=True):
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                np.save(file, np.stack(pictures))
            part.replace(path)


def open_pairs(folder: Path, shards: int) -> list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Memory maps of the shards: (SHARD, size, size, 3) uint8, and four times as large.

    Raises:
        FileNotFoundError: a shard is missing; the stage `pairs` draws it.
    """
    found = []
    for index in range(shards):
        drawn, truth = (np.load(needed(path, "pairs"), mmap_mode="r") for path in shard_paths(folder, index))
        found.append((drawn, truth))
    return found
