"""Stage `framing`: the network of `s2edit.picture.framing`, on scenes whose portrait's place is known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tqdm import tqdm

from s2edit.picture.framing import Frame, FramingNetwork, load_framing, overlap
from s2edit.picture.imaging import GRAY
from s2edit.picture.resolution import FRAMING
from s2edit.research.starter.attributes import TRAINING_SEED_LIMIT
from s2edit.research.starter.scenes import scene
from s2edit.research.training.checkpoint import write_tensors
from s2edit.research.training.dataset import SHARD, needed
from s2edit.research.training.loop import Stage, run
from s2edit.research.training.train_upscaler import to_unit

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


def viewed(
    pictures: torch.Tensor, frames: NDArray[np.float32], zooms: NDArray[np.float64], shifts: NDArray[np.float64]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Scenes seen in another square, gray where that reaches beyond, and their frames in it.

    Args:
        pictures: N×3×h×h in [0, 1]. frames: N×4 as `scene` labels them. zooms: N sides of the new square, of the old
            one's. shifts: N×2 places of its middle, x and y, from the old one's.
    """
    matrix = np.zeros((len(zooms), 2, 3), np.float32)
    matrix[:, 0, 0] = matrix[:, 1, 1] = zooms
    matrix[:, :, 2] = 2 * shifts
    grid = F.affine_grid(torch.from_numpy(matrix), list(pictures.shape), align_corners=False)
    shown = F.grid_sample(pictures - GRAY, grid, mode="bilinear", align_corners=False) + GRAY
    moved = frames.copy()
    moved[:, :2] = (frames[:, :2] - 0.5 - shifts) / zooms[:, None] + 0.5
    moved[:, 2] /= zooms
    # What the square cuts off in good part is nothing to be found in it.
    half = moved[:, 2:3] * 0.35
    inside = ((moved[:, :2] - half > -0.02) & (moved[:, :2] + half < 1.02)).all(axis=1)
    moved *= (inside & (frames[:, 3] > 0))[:, None]
    return shown, torch.from_numpy(moved)


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
        tint, light = rng.uniform(0.8, 1.2, (_BATCH, 1, 1, 3)), rng.uniform(-0.1, 0.1, (_BATCH, 1, 1, 3))
        shown = torch.from_numpy(np.clip(pictures * tint + light, 0, 1).astype(np.float32)).permute(0, 3, 1, 2)
        zooms, shifts = np.exp(rng.uniform(-0.35, 0.45, _BATCH)), rng.uniform(-0.15, 0.15, (_BATCH, 2))
        seen, moved = viewed(shown, frames, zooms, shifts)
        return framing_loss(network(seen), moved)

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
    """Write the network in fp16 into a checkpoint's folder, for `s2edit.picture.framing.load_framing`.

    Raises:
        FileNotFoundError: the stage has not run yet.
    """
    state = load_file(needed(training / "framing.safetensors", "framing"))
    network = FramingNetwork()
    trained = {key.split(":", 1)[1]: value for key, value in state.items() if key.startswith("network:")}
    network.load_state_dict(trained)
    place = target / FRAMING
    place.mkdir(parents=True, exist_ok=True)
    write_tensors(place / "model.safetensors", {key: value.half() for key, value in network.state_dict().items()})
    (place / "config.json").write_text(json.dumps(network.config(), indent=2) + "\n", "utf-8")


def framing_report(model: Path, *, count: int, side: int = 256) -> str:
    """How well a checkpoint's framing network does on `count` scenes that training never saw, as text.

    Says the mean intersection over union of the square found with the true one, the share of portraits found (0.7 and
    more), and the share of scenes without one in which it finds something.
    """
    framing = load_framing(model)
    if framing is None:
        return f"{model.name} has no framing network."
    overlaps, false, empty = [], 0, 0
    for seed in range(TRAINING_SEED_LIMIT, TRAINING_SEED_LIMIT + count):
        picture, label = scene(seed, side)
        found = framing.find(to_unit(picture[None].copy()))
        if label[3]:
            true = Frame(side * (label[0] - label[2] / 2), side * (label[1] - label[2] / 2), side * label[2], 1)
            overlaps.append(0.0 if found is None else overlap(found, true))
        else:
            empty, false = empty + 1, false + (found is not None)
    within = sum(each >= 0.7 for each in overlaps) / len(overlaps)
    return (
        f"IoU {np.mean(overlaps):.3f}, {within:.3f} of {len(overlaps)} found; {false} of {empty} empty scenes not empty"
    )
