"""The frozen encoder: whitened once after stage `vae`, then every training portrait encoded once and cached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import load_file
from tqdm import tqdm

from s2edit.research.training.checkpoint import write_tensors
from s2edit.research.training.dataset import needed, open_pictures
from s2edit.research.training.models import new_vae
from s2edit.research.training.train_vae import to_tensor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_BATCH = 20


@torch.no_grad()
def encode(vae: Any, pictures: NDArray[np.uint8]) -> torch.Tensor:
    """Posterior means of (N, H, W, 3) uint8 pictures: (N, 4, H/8, W/8) float32, without the scaling factor."""
    parts = [
        vae.encode(to_tensor(pictures[start : start + _BATCH])).latent_dist.mean
        for start in range(0, len(pictures), _BATCH)
    ]
    return torch.cat(parts)


@torch.no_grad()
def whiten(vae: Any, latents: torch.Tensor, like: torch.Tensor | None = None) -> None:
    """Make the latents zero-mean, unit-variance and uncorrelated over their channels, without changing what is decoded.

    The affine map goes into the 1x1 convolutions beside the bottleneck, so the checkpoint stays an ordinary
    AutoencoderKL, whose single scaling factor then sets the standard deviation of every channel. White latents stay
    white under rotation; with `like`, they are rotated as near to those as can be (orthogonal Procrustes, Schönemann
    1966), so that a U-Net which has learned `like` has the least to learn anew.

    Args:
        vae: the autoencoder, changed in place.
        latents: (N, 4, h, w) posterior means of training pictures.
        like: (N, 4, h, w) other latents of the same pictures.
    """
    flat = latents.transpose(0, 1).flatten(1).double()
    mean = flat.mean(1)
    values, vectors = torch.linalg.eigh(torch.cov(flat))
    whitening = (vectors * values.rsqrt()) @ vectors.T
    coloring = (vectors * values.sqrt()) @ vectors.T
    if like is not None:
        known = like.transpose(0, 1).flatten(1).double()
        left, _, right = torch.linalg.svd((known - known.mean(1, keepdim=True)) @ (whitening @ flat).T)
        whitening, coloring = left @ right @ whitening, coloring @ (left @ right).T
    before, after = vae.quant_conv, vae.post_quant_conv
    weight, bias = before.weight[:, :, 0, 0].double(), before.bias.double()
    before.weight[:4] = (whitening @ weight[:4]).float()[:, :, None, None]
    before.bias[:4] = (whitening @ (bias[:4] - mean)).float()
    before.bias[4:] += whitening.square().sum(1).log().float()
    weight = after.weight[:, :, 0, 0].double()
    after.bias += (weight @ mean).float()
    after.weight[:] = (weight @ coloring).float()[:, :, None, None]


def _sample(folder: Path, shards: int) -> NDArray[np.uint8]:
    return np.concatenate([shard[:200] for shard in open_pictures(folder, shards)[:4]])


def freeze(folder: Path, shards: int) -> Any:
    """The whitened autoencoder of this training, made from stage `vae` the first time."""
    path = folder / "frozen.safetensors"
    vae = new_vae()
    if not path.exists():
        vae.load_state_dict(_trained(needed(folder / "vae.safetensors", "vae")))
        whiten(vae, encode(vae, _sample(folder, shards)))
        write_tensors(path, vae.state_dict())
    return load_vae(folder)


def load_vae(folder: Path, size: int = 128, *, newest_decoder: bool = False) -> Any:
    """The frozen autoencoder, with the scaling factor for pictures of `size` px.

    With `newest_decoder`, the one whose decoder was trained on, if that stage has run.
    """
    vae = new_vae(size)
    trained, frozen = folder / "decoder.safetensors", needed(folder / "frozen.safetensors", "latents")
    vae.load_state_dict(_trained(trained) if newest_decoder and trained.exists() else load_file(frozen))
    return vae


def _trained(path: Path) -> dict[str, torch.Tensor]:
    """The autoencoder's weights in a stage's checkpoint."""
    return {key.removeprefix("vae:"): value for key, value in load_file(path).items() if key.startswith("vae:")}


def adopt_refined(folder: Path, shards: int) -> None:
    """Freeze the autoencoder of stage `refine`, its latents whitened and turned towards those in use.

    Cached latents and a trained-on decoder are out of date then.
    """
    known, refined = load_vae(folder), new_vae()
    refined.load_state_dict(_trained(needed(folder / "refine.safetensors", "refine")))
    sample = _sample(folder, shards)
    whiten(refined, encode(refined, sample), like=encode(known, sample))
    write_tensors(folder / "frozen.safetensors", refined.state_dict())
    for stale in [*(folder / "latents").glob("*.npy"), folder / "decoder.safetensors", folder / "refine.safetensors"]:
        stale.unlink(missing_ok=True)


def cache(folder: Path, shards: int) -> None:
    """Encode the shards that have no latents yet into (SHARD, 4, h, w) float16 files."""
    vae = freeze(folder, shards)
    (folder / "latents").mkdir(exist_ok=True)
    for index, pictures in enumerate(tqdm(open_pictures(folder, shards), desc="encoding", unit="k")):
        path = folder / "latents" / f"{index:04d}.npy"
        if not path.exists():
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                np.save(file, encode(vae, pictures).half().numpy())
            part.replace(path)


def open_latents(folder: Path, shards: int) -> Sequence[NDArray[np.float16]]:
    """The cached latents, one (SHARD, 4, h, w) float16 array a shard.

    Raises:
        FileNotFoundError: a shard is missing; the stage `latents` encodes it.
    """
    return [np.load(needed(folder / "latents" / f"{index:04d}.npy", "latents")) for index in range(shards)]
