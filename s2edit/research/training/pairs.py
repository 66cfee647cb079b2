"""What the upscaler learns from: edits as a checkpoint makes them, with the renderer's pictures, four times as large.

Each has the source and the right answer at the large size, and what the autoencoder makes of the source and of an edit
at the checkpoint's own. Edits are made in the ways in which they go wrong: outlines that moved, rims of the old colour
where a mask ended, smears, and wobbling where nothing was to change. What an edit *should* have shown is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from tqdm import tqdm

from s2edit.picture.upscaling import SCALE
from s2edit.research.training.assess import decode, denoise, invert, open_pipeline
from s2edit.research.training.dataset import needed
from s2edit.research.training.train_vae import to_tensor

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from s2edit.research.starter.domain import Domain, Thing

    Picture = NDArray[np.uint8]

SHARD = 125  # edits a file
PARTS = ("source", "truth", "before", "after")
"""Of an edit: the first two are four times as large as the others."""
_NOISE = 0.02  # of the latents' standard deviation
_STEPS = 18  # of a whole drawing
_REDRAWN, _EDITED = (2, 9), (8, 16)  # least and most of its last steps: of the answer drawn anew, and of an edit
_GUIDANCE = (1.0, 3.0)
_RIGHT = 0.45  # gain from which on a free edit counts as one that shows what was asked
_WAYS = ("plain", "redrawn", "free", "nothing")
_ODDS = (0.15, 0.45, 0.3, 0.1)


def shard_path(folder: Path, index: int, part: str) -> Path:
    """The file of one of `PARTS`, for seeds index * SHARD up to (index + 1) * SHARD."""
    return folder / "pairs" / f"{index:04d}-{part}.npy"


def draw_edit(pipeline: Any, domain: Domain[Any], seed: int) -> dict[str, Picture]:
    """Edit `seed`, by `PARTS`: (h, w, 3) uint8 sRGB each. One in ten changes nothing."""
    rng = np.random.default_rng([seed, 0xED17])
    source, target = _things(domain, seed, rng)
    large = domain.render(source, SCALE * domain.size)
    truth = domain.render(target, SCALE * domain.size)
    way = str(rng.choice(_WAYS, p=_ODDS))
    if way == "nothing":
        target, truth = source, large
    small, wanted = _reduced(large), _reduced(truth)
    scale = float(pipeline.vae.config.scaling_factor)
    with torch.no_grad():
        here, there = (pipeline.vae.encode(to_tensor(each[None])).latent_dist.mean * scale for each in (small, wanted))
    prompts = domain.caption(source), domain.caption(target)
    mask = torch.from_numpy(_mask(large, truth, here.shape[-1], rng))
    before = decode(pipeline, here)[0]
    after = decode(pipeline, _edit(pipeline, way, (here, there), prompts, mask, rng))[0]
    if way == "free" and _gain(after, small, wanted) < _RIGHT:
        after = decode(pipeline, _edit(pipeline, "redrawn", (here, there), prompts, mask, rng))[0]
    return {"source": large, "truth": truth, "before": before, "after": after}


def _things(domain: Domain[Any], seed: int, rng: np.random.Generator) -> tuple[Thing, Thing]:
    """Something and what an edit of the domain makes of it, or the other way round."""
    thing = domain.sample(seed)
    able = [edit for edit in domain.edits if edit.needs(thing)]
    target = thing.change(**able[rng.integers(len(able))].changes) if able else thing
    return (thing, target) if rng.random() < 0.5 else (target, thing)


def _edit(
    pipeline: Any,
    way: str,
    latents: tuple[torch.Tensor, torch.Tensor],
    prompts: tuple[str, str],
    mask: torch.Tensor,
    rng: np.random.Generator,
) -> torch.Tensor:
    """The edit's latents: (1, 4, h, w) in the U-Net's scale, as those of the source and of the answer."""
    here, there = latents
    if way == "plain":
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        return there + _NOISE * torch.randn(there.shape, generator=generator)
    guidance = float(rng.uniform(*_GUIDANCE))
    if way == "free":
        last, start, prompt = int(rng.integers(*_EDITED)), here, prompts[0]
    else:
        last, start, prompt = int(rng.integers(*_REDRAWN)), mask * there + (1 - mask) * here, prompts[1]
    noisy = invert(pipeline, start, [prompt], steps=_STEPS, last=last)
    drawn = denoise(pipeline, noisy, [prompts[1]], steps=_STEPS, guidance=guidance, last=last)
    return mask * drawn + (1 - mask) * here


def _mask(source: Picture, truth: Picture, cells: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Where the latents are the edit's, cells x cells of 0 or 1: a few cells too large, now and then one too small."""
    side = len(source) // cells
    differs = (
        (np.abs(source.astype(np.int16) - truth).max(axis=2) > 8).reshape(cells, side, cells, side).max(axis=(1, 3))
    )
    if not differs.any() or rng.random() < 0.15:
        return np.ones((cells, cells), np.float32)
    cut = rng.random() < 0.15
    grown = differs if cut else ndimage.binary_dilation(differs, iterations=int(rng.integers(1, 5)))
    return np.asarray(grown, np.float32)


def _reduced(picture: Picture) -> Picture:
    """The mean of SCALE x SCALE pixels each."""
    return np.asarray(Image.fromarray(picture).reduce(SCALE))


def _gain(result: Picture, source: Picture, truth: Picture) -> float:
    """1 - the result's squared distance from the truth as a share of the source's; 0 where there is none."""
    asked = float(np.square(source.astype(np.float64) - truth).sum())
    return 1 - float(np.square(result.astype(np.float64) - truth).sum()) / asked if asked else 0.0


def build_pairs(folder: Path, domain: Domain[Any], model: Path, shards: int) -> None:
    """Draw the shards that are missing with the checkpoint in `model`; edit k is `draw_edit(…, k)`."""
    missing = [k for k in range(shards) if not all(shard_path(folder, k, part).exists() for part in PARTS)]
    if not missing:
        return
    (folder / "pairs").mkdir(parents=True, exist_ok=True)
    pipeline = open_pipeline(model)
    for index in missing:
        seeds = range(index * SHARD, (index + 1) * SHARD)
        drawn = [draw_edit(pipeline, domain, seed) for seed in tqdm(seeds, desc="drawing", mininterval=10)]
        for part in PARTS:
            path = shard_path(folder, index, part)
            unfinished = path.with_suffix(".part")
            with unfinished.open("wb") as file:
                np.save(file, np.stack([edit[part] for edit in drawn]))
            unfinished.replace(path)


def open_pairs(folder: Path, shards: int) -> list[dict[str, NDArray[np.uint8]]]:
    """Memory maps of the shards, by `PARTS`: (SHARD, h, w, 3) uint8 each.

    Raises:
        FileNotFoundError: a shard is missing; the stage `pairs` draws it.
    """
    return [
        {part: np.load(needed(shard_path(folder, index, part), "pairs"), mmap_mode="r") for part in PARTS}
        for index in range(shards)
    ]
