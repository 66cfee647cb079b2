"""Stage `classifier`: trained on the renderer's pictures, measured on seeds that no training has seen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F

from s2edit.research.starter.attributes import TRAINING_SEED_LIMIT
from s2edit.research.starter.classifier import SIDE, network_of, split_scores, trained_network
from s2edit.research.training.checkpoint import write_tensors
from s2edit.research.training.dataset import SHARD, open_pictures
from s2edit.research.training.loop import Stage, run

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from s2edit.research.starter.domain import Domain

_BATCH = 64
_UNSEEN = -100  # cross_entropy's own mark for "no target here"


def _labels(domain: Domain[Any], seeds: NDArray[np.int64]) -> torch.Tensor:
    rows = []
    for seed in seeds:
        thing = domain.sample(int(seed))
        shown, named = domain.visible(thing), thing.named()
        rows.append([v.index(named[name]) if name in shown else _UNSEEN for name, v in domain.values.items()])
    return torch.tensor(rows)


def _degrade(pictures: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Blur, noise and a change of brightness, since generated pictures are softer and dirtier than rendered ones."""
    if rng.random() < 0.4:
        small = F.interpolate(pictures, scale_factor=0.5, mode="area")
        pictures = F.interpolate(small, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
    noise = torch.from_numpy(rng.standard_normal(pictures.shape, dtype=np.float32)) * rng.uniform(0, 0.05)
    return (pictures * rng.uniform(0.92, 1.08) + noise).clamp(0, 1)


def train_classifier(
    folder: Path, domain: Domain[Any], *, shards: int, steps: int, seed: int, seconds: float = math.inf
) -> dict[str, Any]:
    """Train on the domain's rendered shards, write the weights into the package, return the checkpoint's facts."""
    torch.manual_seed(seed)
    network = network_of(domain)
    pictures = open_pictures(folder, shards)

    def step_loss(step: int) -> torch.Tensor:
        rng = np.random.default_rng([seed, 11, step])
        torch.manual_seed(int(rng.integers(1 << 62)))  # dropout's draw
        seeds = rng.integers(shards * SHARD, size=_BATCH)
        stack = np.stack([pictures[at // SHARD][at % SHARD] for at in seeds])
        batch = F.avg_pool2d(torch.from_numpy(stack).permute(0, 3, 1, 2).float() / 255, domain.size // SIDE)
        scores, labels = split_scores(network(_degrade(batch, rng)), domain.values), _labels(domain, seeds)
        losses = [F.cross_entropy(part, labels[:, column]) for column, part in enumerate(scores.values())]
        return torch.stack(losses).mean()

    stage = Stage(
        path=folder / "classifier.safetensors",
        modules={"network": network},
        parameters=list(network.parameters()),
        step_loss=step_loss,
        steps=steps,
        rate=3e-3,
        facts={"stage": "classifier", "batch": _BATCH, "seed": seed, "shards": shards},
    )
    facts = run(stage, seconds=seconds)
    write_tensors(domain.classifier, network.state_dict())
    return facts


@torch.no_grad()
def accuracy(domain: Domain[Any], count: int = 1000, first_seed: int = TRAINING_SEED_LIMIT) -> dict[str, float]:
    """Share of right answers for each field, over its visible cases among `count` fresh pictures."""
    seeds = np.arange(first_seed, first_seed + count)
    stack = np.stack([domain.picture(int(seed))[0] for seed in seeds])
    batch = F.avg_pool2d(torch.from_numpy(stack).permute(0, 3, 1, 2).float() / 255, domain.size // SIDE)
    scores, labels = split_scores(trained_network(domain)(batch), domain.values), _labels(domain, seeds)
    result = {}
    for column, (name, part) in enumerate(scores.items()):
        seen = labels[:, column] != _UNSEEN
        result[name] = float((part.argmax(1) == labels[:, column])[seen].float().mean())
    return result
