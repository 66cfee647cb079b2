"""The whole training of a domain in one call: every stage in its order, each gone on with where it was stopped."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s2edit.research.starter.package import weights_folder
from s2edit.research.starter.portraits import PORTRAITS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from s2edit.research.starter.domain import Domain


@dataclass(frozen=True)
class Amounts:
    """How much training: thousands of pictures, and the steps of the autoencoder and of the U-Net."""

    shards: int = 20
    autoencoder: int = 8_000
    unet: int = 10_000


def train_whole(
    folder: Path, domain: Domain[Any], target: Path, amounts: Amounts, *, seconds: float = math.inf
) -> Iterator[str]:
    """Train a checkpoint and export it; yields a sentence before each stage.

    Portraits begin from nothing; any other domain begins where the shipped portraits end, with its words added. After
    a stop, by `seconds`, a signal or a kill, the same call goes on where the last checkpoint was. Seeds are the stages'
    own. Once pictures are encoded the autoencoder stays as it is, whatever `amounts` says then.

    Args:
        folder: of the training. target: of the exported checkpoint.
        seconds: the stages end after so long, each with a checkpoint; nothing is exported then.
    """
    from s2edit.research.training.dataset import build
    from s2edit.research.training.export import export
    from s2edit.research.training.latents import cache
    from s2edit.research.training.train_unet import train_unet

    ends = time.monotonic() + seconds
    yield "Rendering pictures."
    build(folder, amounts.shards, name=domain.name)
    if not (folder / "latents").exists():
        yield "Training the autoencoder." if domain.size == PORTRAITS.size else "Growing the U-Net."
        if not _train_autoencoder(folder, domain, amounts, seconds=ends - time.monotonic()):
            yield "Stopped; the same command goes on from here."
            return
    yield "Encoding the pictures."
    cache(folder, amounts.shards)
    yield "Training text encoder and U-Net."
    left = ends - time.monotonic()
    facts = train_unet(folder, domain, shards=amounts.shards, steps=amounts.unet, seconds=left, seed=2)
    if facts["step"] < amounts.unet:
        yield "Stopped; the same command goes on from here."
        return
    export(folder, target, domain.size)
    yield f"The checkpoint is in {target}. Judge it with the command “assess”."


def _train_autoencoder(folder: Path, domain: Domain[Any], amounts: Amounts, *, seconds: float) -> bool:
    """From nothing for portraits; for other domains the portraits' gone on with. Whether it is done."""
    from s2edit.research.training.latents import adopt_refined
    from s2edit.research.training.train_vae import train_on, train_vae
    from s2edit.research.training.warm_start import warm_start

    limits: dict[str, Any] = {"shards": amounts.shards, "steps": amounts.autoencoder, "seconds": seconds}
    if domain.name == "portraits":
        return bool(train_vae(folder, **limits, seed=1)["step"] >= amounts.autoencoder)
    if not (folder / "unet.safetensors").exists():
        warm_start(weights_folder(), folder, domain, seed=6)
    if domain.size != PORTRAITS.size:
        return True  # the portraits' autoencoder serves larger pictures as well
    done = bool(train_on(folder, **limits, seed=5, with_encoder=True)["step"] >= amounts.autoencoder)
    if done:
        adopt_refined(folder, amounts.shards)
    return done
