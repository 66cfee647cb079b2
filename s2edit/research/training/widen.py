"""Give a trained network more channels without changing what it computes (Net2Net: Chen, Goodfellow, Shlens 2016)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from s2edit.research.training.checkpoint import write_tensors
from s2edit.research.training.models import new_vae

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@torch.no_grad()
def widen(network: torch.nn.Module, narrow: Mapping[str, torch.Tensor]) -> None:
    """Fill a fresh network's first channels with a narrower one's weights; the others keep their random start.

    No old channel reads a new one (its weights there are 0), so the outputs stay the same, while new channels read all
    and are learned from the first steps on. Group normalisation must keep its group *size*, so that no group mixes old
    and new: twice the channels take twice the groups.

    Args:
        network: freshly initialised, with the same modules and at least the narrow one's channels; changed in place.
        narrow: the state of the narrower network, by the same names.

    Raises:
        ValueError: the networks differ in more than width, or a tensor of the narrow one is the wider.
    """
    state = network.state_dict()
    if state.keys() != narrow.keys():
        raise ValueError(f"The networks differ in {sorted(state.keys() ^ narrow.keys())[0]}, not only in width.")
    for name, tensor in state.items():
        old = narrow[name]
        if old.ndim != tensor.ndim or any(few > many for few, many in zip(old.shape, tensor.shape, strict=True)):
            raise ValueError(f"{name} is {tuple(tensor.shape)}; {tuple(old.shape)} does not fit in there.")
        rows = old.shape[0]
        if tensor.ndim > 1:
            tensor[:rows] = 0
        tensor[tuple(slice(0, length) for length in old.shape)] = old


def begin_wider(checkpoint: Path, folder: Path, *, seed: int) -> None:
    """Freeze a checkpoint's autoencoder, widened to today's channels, as the one that `refine` goes on from.

    Args:
        checkpoint: a folder that `AutoencoderKL.from_pretrained` opens, under `vae`.
        folder: of the training.
        seed: of the new channels.

    Raises:
        ValueError: the checkpoint's autoencoder is the wider one, or of another depth.
    """
    from diffusers import AutoencoderKL

    narrow = AutoencoderKL.from_pretrained(checkpoint / "vae", local_files_only=True).float().state_dict()
    torch.manual_seed(seed)
    vae = new_vae()
    widen(vae, narrow)
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors(folder / "frozen.safetensors", vae.state_dict())
