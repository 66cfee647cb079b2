"""Stage `framing`: the network of `s2edit.framing`, on scenes whose portrait's place is known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tqdm import tqdm

from s2edit.framing import FOLDER, FramingNetwork
from s2edit.starter.checkpoint import write_tensors
from s2edit.starter.dataset import SHARD, needed
from s2edit.starter.loop import Stage, run
from s2edit.starter.scenes import scene

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Shard = tuple[NDArray[np.uint8], NDArray[np.float32]]

_BATCH = 32
_NEAR = 0.05
"""Error, as a share of the portrait's side, up to which it counts by its square."""


def build_scenes(folder: Path, shards: int) -> None:
    """Draw the shards that are missing; scene k is `scene(k)`."""
    (folder / "scenes").mkdir(parents=True, exist_ok=True)
    for index in range(shards):
        path = folder / "scenes" / f"{index:04d}.npz"
        if not path.exists():
            drawn = [scene(seed) for seed in tqdm(range(index * SHARD, (index + 1) * SHARD), desc="scenes")]
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                np.savez(file, pictures=np.stack([one for one, _ in drawn]), frames=np.stack([one for _, one in drawn]))
            part.replace(path)


def open_scenes(folder: Path, shards: int) -> list[Shard]:
    """Each shard's (SHARD, 64, 64, 3) uint8 pictures and (SHARD, 4) float32 frames.

    Raises:
        FileNotFoundError: a shard is missing; the stage `scenes` draws it.
    """
    found = []
    for index in range(shards):
        with np.load(needed(folder / "scenes" / f"{index:04d}.npz", "scenes")) as opened:
            found.append((opened["pictures"], opened["frames"]))
    return found


def framing_loss(answer: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
    """Huber loss of place and side as shares of the portrait's side, where there is one, and of the confidence.

    Args:
        answer: N×4 of the network. frames: N×4 as `scene` labels them.
    """
    there = frames[:, 3]
    side = frames[:, 2:3].clamp(min=0.05)
    apart = F.huber_loss(answer[:, :3] / side, frames[:, :3] / side, reduction="none", delta=_NEAR) / _NEAR
    loss: torch.Tensor = (apart.sum(dim=1) * there).sum() / there.sum().clamp(min=1)
    return loss + F.binary_cross_entropy_with_logits(answer[:, 3], there)


def train_framing(folder: Path, *, shards: int, steps: int, seconds: float, seed: int) -> dict[str, Any]:
    """Train from the last checkpoint on; returns the checkpoint's facts."""
    torch.manual_seed(seed)
    network = FramingNetwork()
    known = open_scenes(folder, shards)

    def step_loss(step: int) -> torch.Tensor:
        rng = np.random.default_rng([seed, 0, step])
        places = rng.integers(len(known) * SHARD, size=_BATCH)
        pictures = np.stack([known[at // SHARD][0][at % SHARD] for at in places]).astype(np.float32) / 255
        frames = np.stack([known[at // SHARD][1][at % SHARD] for at in places])
        tint, light = rng.uniform(0.85, 1.15, (_BATCH, 1, 1, 3)), rng.uniform(-0.08, 0.08, (_BATCH, 1, 1, 3))
        shown = np.clip(pictures * tint + light, 0, 1).astype(np.float32)
        return framing_loss(network(torch.from_numpy(shown).permute(0, 3, 1, 2)), torch.from_numpy(frames))

    stage = Stage(
        path=folder / "framing.safetensors",
        modules={"network": network},
        parameters=list(network.parameters()),
        step_loss=step_loss,
        steps=steps,
        rate=2e-3,
        warmup=min(100, steps // 10),
        facts={"stage": "framing", "batch": _BATCH, "seed": seed, "shards": shards},
    )
    return run(stage, seconds=seconds)


def export_framing(training: Path, target: Path) -> None:
    """Write the network in fp16 into a checkpoint's folder, for `s2edit.framing.load_framing`.

    Raises:
        FileNotFoundError: the stage has not run yet.
    """
    state = load_file(needed(training / "framing.safetensors", "framing"))
    network = FramingNetwork()
    network.load_state_dict({key.removeprefix("network:"): value for key, value in state.items() if ":" in key})
    place = target / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    write_tensors(place / "model.safetensors", {key: value.half() for key, value in network.state_dict().items()})
    (place / "config.json").write_text(json.dumps(network.config(), indent=2) + "\n", "utf-8")
