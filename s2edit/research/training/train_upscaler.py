"""Stage `upscaler`: the network of `picture.upscaling`, from edits as a checkpoint makes them to the renderer's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from s2edit.picture.resolution import UPSCALER
from s2edit.picture.upscaling import UpscalerNetwork
from s2edit.research.training.checkpoint import write_tensors
from s2edit.research.training.dataset import needed
from s2edit.research.training.loop import Stage, run
from s2edit.research.training.pairs import PARTS, open_pairs

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CHANNELS, BLOCKS, SHARPENING = 64, 6, 4
EMA = 0.995
_SIDE = 32
_BATCH = 4
_CHANGING = 0.75
_DIFFERENCES, _STEEPNESS = 0.5, 2.0


def to_unit(pictures: NDArray[np.uint8]) -> torch.Tensor:
    """(N, H, W, 3) uint8 to (N, 3, H, W) float32 in 0 to 1."""
    return torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float().div(255)


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
    edits: list[dict[str, NDArray[np.uint8]]], rng: np.random.Generator, count: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Random crops, mirrored half the time: source, before, after and truth, (N, 3, 128, 128) and (N, 3, 32, 32).

    Of four places the one where most changes is taken, three times in four: all else is learned soon.
    """
    drawn: dict[str, list[NDArray[np.uint8]]] = {part: [] for part in PARTS}
    for _ in range(count):
        edit = edits[rng.integers(len(edits))]
        index = int(rng.integers(len(edit["before"])))
        places = rng.integers(0, edit["before"].shape[1] - _SIDE + 1, size=(4, 2))
        changes = [_change(edit, index, place) for place in places]
        place = places[int(np.argmax(changes)) if rng.random() < _CHANGING else 0]
        mirror = slice(None, None, -1 if rng.random() < 0.5 else 1)
        for part in PARTS:
            scale = edit[part].shape[1] // edit["before"].shape[1]
            drawn[part].append(edit[part][index][_window(place, scale)][:, mirror])
    source, truth, before, after = (to_unit(np.stack(drawn[part])) for part in PARTS)
    return source, before, after, truth


def _window(place: NDArray[np.int64], scale: int) -> tuple[slice, slice]:
    top, left = place
    return slice(scale * top, scale * (top + _SIDE)), slice(scale * left, scale * (left + _SIDE))


def _change(edit: dict[str, NDArray[np.uint8]], index: int, place: NDArray[np.int64]) -> float:
    """How much the edit changes in a window, as the checkpoint drew it."""
    before, after = (edit[part][index][_window(place, 1)].astype(np.int16) for part in ("before", "after"))
    return float(np.abs(after - before).mean())


def train_upscaler(folder: Path, *, shards: int, steps: int, seconds: float, seed: int) -> dict[str, Any]:
    """Train from the last checkpoint on, on `shards` files of edits; returns the checkpoint's facts."""
    torch.manual_seed(seed)
    networks: list[Any] = [UpscalerNetwork(CHANNELS, BLOCKS) for _ in range(2)]
    network, average = (each.to(memory_format=torch.channels_last) for each in networks)
    average.load_state_dict(network.state_dict())
    edits = open_pairs(folder, shards)

    def step_loss(step: int) -> torch.Tensor:
        *given, truth = draw_batch(edits, np.random.default_rng([seed, 0, step]), _BATCH)
        return upscaling_loss(network(*(each.to(memory_format=torch.channels_last) for each in given)), truth)

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
        rate=1e-3,
        betas=(0.9, 0.99),
        warmup=min(200, steps // 10),
        decay=0,
        after_step=update_average,
        facts={"stage": "upscaler", "batch": _BATCH, "crop": _SIDE, "ema": EMA, "seed": seed, "shards": shards},
    )
    return run(stage, seconds=seconds)


def export_upscaler(training: Path, target: Path) -> None:
    """Write the average of the weights in fp16 into a checkpoint's folder, for `picture.upscaling.load_upscaler`.

    Raises:
        FileNotFoundError: the stage has not run yet.
    """
    state = load_file(needed(training / "upscaler.safetensors", "upscaler"))
    network = UpscalerNetwork(CHANNELS, BLOCKS, SHARPENING)
    network.load_state_dict({key.split(":", 1)[1]: each for key, each in state.items() if key.startswith("average:")})
    place = target / UPSCALER
    place.mkdir(parents=True, exist_ok=True)
    write_tensors(place / "model.safetensors", {key: each.half() for key, each in network.state_dict().items()})
    (place / "config.json").write_text(json.dumps(network.config(), indent=2) + "\n", "utf-8")
