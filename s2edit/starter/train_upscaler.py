"""Stage `upscaler`: the network of `s2edit.upscaling`, from what a checkpoint draws to the renderer's picture."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from s2edit.starter.checkpoint import write_tensors
from s2edit.starter.dataset import needed
from s2edit.starter.loop import Stage, run
from s2edit.starter.pairs import open_pairs
from s2edit.upscaling import FOLDER, SCALE, UpscalerNetwork

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CHANNELS, BLOCKS = 48, 6
EMA = 0.995
_SIDE = 32
_BATCH = 4
_DIFFERENCES, _STEEPNESS = 0.5, 1.0


def to_unit(pictures: NDArray[np.uint8]) -> torch.Tensor:
    """(N, H, W, 3) uint8 to (N, 3, H, W) float32 in 0 to 1."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float().div(255)


def upscaling_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """L1, L1 of the differences between neighbours, and L1 of how steep the edges are, wherever exactly they lie.

    Where an edge is known to a pixel or two only, the squared error asks for a blur, the absolute one for an edge in
    the median place, and that of the differences for no edge at all. The third part asks for edges as steep as the
    truth's: the root of the mean square of the differences over windows of 8 px, halfway overlapping.
    """
    loss = F.l1_loss(output, target)
    for axis in (2, 3):
        found, wanted = output.diff(dim=axis), target.diff(dim=axis)
        steep, wanted_steep = (F.avg_pool2d(each.square(), 8, 4).add(1e-6).sqrt() for each in (found, wanted))
        loss = loss + _DIFFERENCES * F.l1_loss(found, wanted) + _STEEPNESS * F.l1_loss(steep, wanted_steep)
    return loss


def draw_batch(
    pairs: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]], rng: np.random.Generator, count: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Random crops, mirrored half the time: (N, 3, 32, 32) as drawn and (N, 3, 128, 128) as is right.

    Of four places the one with most in it is taken: walls are learned soon.
    """
    low = np.empty((count, _SIDE, _SIDE, 3), np.uint8)
    high = np.empty((count, SCALE * _SIDE, SCALE * _SIDE, 3), np.uint8)
    for row in range(count):
        drawn, truth = pairs[rng.integers(len(pairs))]
        index = rng.integers(len(drawn))
        places = rng.integers(0, drawn.shape[1] - _SIDE + 1, size=(4, 2))
        crops = [drawn[index, top : top + _SIDE, left : left + _SIDE] for top, left in places]
        fuller = int(np.argmax([crop.std(axis=(0, 1)).sum() for crop in crops]))
        small = crops[fuller]
        rows, columns = (slice(SCALE * at, SCALE * (at + _SIDE)) for at in places[fuller])
        large = truth[index, rows, columns]
        mirrored = rng.random() < 0.5
        low[row], high[row] = (small[:, ::-1], large[:, ::-1]) if mirrored else (small, large)
    return to_unit(low), to_unit(high)


def train_upscaler(folder: Path, *, shards: int, steps: int, seconds: float, seed: int) -> dict[str, Any]:
    """Train from the last checkpoint on, on `shards` quarter thousands of pairs; returns the checkpoint's facts."""
    torch.manual_seed(seed)
    networks: list[Any] = [UpscalerNetwork(CHANNELS, BLOCKS) for _ in range(2)]
    network, average = (each.to(memory_format=torch.channels_last) for each in networks)
    average.load_state_dict(network.state_dict())
    pairs = open_pairs(folder, shards)

    def step_loss(step: int) -> torch.Tensor:
        drawn, truth = draw_batch(pairs, np.random.default_rng([seed, 0, step]), _BATCH)
        return upscaling_loss(network(drawn.to(memory_format=torch.channels_last)), truth)

    @torch.no_grad()
    def update_average(step: int) -> None:
        keep = min(EMA, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - keep)

    stage = Stage(
        path=folder / "upscaler.safetensors",
        modules={"network": network, "average": average},
        parameters=list(network.parameters()),
        step_loss=step_loss,
        steps=steps,
        rate=6e-4,
        betas=(0.9, 0.99),
        warmup=min(200, steps // 10),
        decay=0,
        after_step=update_average,
        facts={"stage": "upscaler", "batch": _BATCH, "crop": _SIDE, "ema": EMA, "seed": seed, "shards": shards},
    )
    return run(stage, seconds=seconds)


def export_upscaler(training: Path, target: Path) -> None:
    """Write the average of the weights in fp16 into a checkpoint's folder, for `s2edit.upscaling.load_upscaler`.

    Raises:
        FileNotFoundError: the stage has not run yet.
    """
    state = load_file(needed(training / "upscaler.safetensors", "upscaler"))
    network = UpscalerNetwork(CHANNELS, BLOCKS)
    network.load_state_dict({key.split(":", 1)[1]: each for key, each in state.items() if key.startswith("average:")})
    place = target / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    write_tensors(place / "model.safetensors", {key: each.half() for key, each in network.state_dict().items()})
    (place / "config.json").write_text(json.dumps(network.config(), indent=2) + "\n", "utf-8")
