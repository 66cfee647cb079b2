"""How much of the networks stage 1 trains, for cards too small for the paper's way, and what each level's memory is.

Which of them a family has, `families` says. Only "full" and "checkpointing" compute what the paper describes.
"adam8bit" rounds the optimiser's state; "kv" and "lora" train a part of the weights, which the paper found worse.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import OutOfMemory, SettingError
from ..settings import AUTOMATIC, IdentitySettings, Level
from .abilities import check_level
from .backbone import Backbone
from .families import FAMILIES

_LORA_RATE = 50
"""Low-rank factors start at zero and need larger steps than the weights: 1e-4 where full training takes 2e-6 (ours)."""
_SMALL, _BLOCK = 4096, 256
"""Numbers of a weight that `AdamW8bit` does not round, and of those that share a scale."""


@contextmanager
def training(
    checkpoint: Backbone, settings: IdentitySettings, seed: int
) -> Iterator[tuple[list[nn.Parameter], torch.optim.Optimizer]]:
    """Make a checkpoint's networks trainable at a level; yields the parameters and their optimiser.

    Afterwards the networks are as before in form and carry what was learned in their weights.

    Args:
        settings: its `level` (not "auto"), `learning_rate` and `lora_rank`. seed: of LoRA's random half.
    Raises:
        SettingError: the level is "auto".
    """
    rate = settings.learning_rate
    try:
        if settings.level == "auto":
            raise SettingError("The identity level “auto” has to be chosen before training.", hint="Use choose_level.")
        check_level(FAMILIES[checkpoint.family], settings.level)
        if settings.level == "checkpointing":
            checkpoint.recompute(on=True)
        if settings.level == "lora":
            parameters = checkpoint.adapt(settings, torch.Generator().manual_seed(seed))
            parameters += checkpoint.trained_weights(settings.level)
            rate *= _LORA_RATE
        else:
            parameters = checkpoint.trained_weights(settings.level)
        for parameter in parameters:
            parameter.requires_grad_(True)
        yield parameters, _optimizer(parameters, rate, settings.level)
    finally:
        if settings.level == "lora":
            checkpoint.settle()
        if settings.level == "checkpointing":
            checkpoint.recompute(on=False)
        for module in checkpoint.trainable().values():
            module.requires_grad_(False).zero_grad()


def changed_weights(checkpoint: Backbone, level: Level) -> list[Tensor]:
    """The weights that `training` at a level changes, those that LoRA's factors are folded into among them."""
    adapted: list[Tensor] = [layer.weight for layer in checkpoint.projections()] if level == "lora" else []
    return [*checkpoint.trained_weights(level), *adapted]


def _optimizer(parameters: list[nn.Parameter], rate: float, level: Level) -> torch.optim.Optimizer:
    options: dict[str, Any] = {"lr": rate, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 1e-2}
    if level != "adam8bit":
        return torch.optim.AdamW(parameters, fused=True, **options)
    try:
        from bitsandbytes.optim import AdamW8bit
    except ImportError as error:
        raise SettingError(
            "The identity level “adam8bit” needs the package bitsandbytes, which is not installed.",
            hint="Run: pip install 's2edit[adam8bit]', or choose the level “checkpointing”.",
        ) from error
    optimizer: torch.optim.Optimizer = AdamW8bit(parameters, **options)
    return optimizer


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes that stage 1 takes on the device at a level: all networks, gradients, optimiser, and saved activations."""

    level: Level
    weights: int
    gradients: int
    optimizer: int
    activations: int

    @property
    def total(self) -> int:
        """The sum."""
        return self.weights + self.gradients + self.optimizer + self.activations

    def as_dict(self) -> dict[str, Any]:
        """JSON-able, with the total."""
        return {**asdict(self), "total": self.total}


def memory_plan(
    checkpoint: Backbone, size: tuple[int, int], level: Level, *, rank: int = 8, rows: int = 1
) -> MemoryPlan:
    """Count what stage 1 takes, without computing anything.

    Args:
        size: (h, w) of the model's input, px. rank: of level "lora". rows: pictures in a step.
    """
    weights = sum(weight.nbytes for module in checkpoint.networks().values() for weight in module.parameters())
    trained = [weight.numel() for weight in checkpoint.trained_weights(level)]
    if level == "lora":
        trained += [rank * side for layer in checkpoint.projections() for side in layer.weight.shape]
    states = sum(map(_eight_bit_states, trained)) if level == "adam8bit" else 8 * sum(trained)
    return MemoryPlan(level, weights, 4 * sum(trained), states, checkpoint.activations(size, level, rows))


def _eight_bit_states(size: int) -> int:
    """Bytes of bitsandbytes' two states of a weight: it leaves small ones in float32, else has a scale per block."""
    return 8 * size if size < _SMALL else 2 * size + 8 * -(-size // _BLOCK)


def choose_level(
    checkpoint: Backbone, size: tuple[int, int], available: int, *, rank: int = 8, rows: int = 1
) -> MemoryPlan:
    """The most faithful level that fits into the bytes available.

    Raises:
        OutOfMemory: not even the smallest fits.
    """
    for level in (level for level in AUTOMATIC if level in FAMILIES[checkpoint.family].learns):
        plan = memory_plan(checkpoint, size, level, rank=rank, rows=rows)
        if plan.total <= available:
            return plan
    raise OutOfMemory(plan.total, available, level)
