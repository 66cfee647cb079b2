"""How much of the networks stage 1 trains, for cards too small for the paper's way, and what each level's memory is.

Only "full" and "checkpointing" compute what the paper describes. "adam8bit" rounds the optimiser's state; "kv" and
"lora" train a part of the weights, which the paper found worse.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from .checkpoints import Checkpoint
from .errors import OutOfMemory, SettingError
from .region import LATENT_STRIDE
from .settings import IdentitySettings, Level

ORDER: tuple[Level, ...] = ("full", "checkpointing", "kv", "lora")
"""From the most faithful to the smallest; "adam8bit" only comes when asked for, since it needs a package of its own."""
_LORA_RATE = 50
"""Low-rank factors start at zero and need larger steps than the weights: 1e-4 where full training takes 2e-6 (ours)."""

_PROJECTIONS = ("to_q", "to_k", "to_v", "to_out.0", "q_proj", "k_proj", "v_proj", "out_proj")


class LowRank(nn.Module):
    """W + B A, with A random and B zero at first (Hu et al., 2022)."""

    def __init__(self, weight: Tensor, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        rows, columns = weight.shape
        start = torch.randn(rank, columns, generator=generator) / columns**0.5
        self.down = nn.Parameter(start.to(weight.device))
        self.up = nn.Parameter(weight.new_zeros(rows, rank))

    def forward(self, weight: Tensor) -> Tensor:
        """The weight with its update."""
        return weight + self.up @ self.down


@contextmanager
def training(
    checkpoint: Checkpoint, settings: IdentitySettings, seed: int
) -> Iterator[tuple[list[nn.Parameter], torch.optim.Optimizer]]:
    """Make a checkpoint's networks trainable at a level; yields the parameters and their optimiser.

    Afterwards the networks are as before in form and carry what was learned in their weights.
    """
    unet, modules = checkpoint.unet, list(checkpoint.trainable().values())
    adapted: list[nn.Linear] = []
    rate = settings.learning_rate
    try:
        if settings.level == "auto":
            raise SettingError("The identity level “auto” has to be chosen before training.", hint="Use choose_level.")
        if settings.level == "checkpointing":
            unet.enable_gradient_checkpointing()
        if settings.level == "lora":
            generator = torch.Generator().manual_seed(seed)
            adapted = _adapt(checkpoint, settings.lora_rank, generator)
            parameters = [weight for layer in adapted for weight in layer.parametrizations.weight[0].parameters()]  # type: ignore[index, union-attr]
            parameters.append(checkpoint.text_encoder.get_input_embeddings().weight)
            rate *= _LORA_RATE
        else:
            parameters = trained_weights(checkpoint, settings.level)
        for parameter in parameters:
            parameter.requires_grad_(True)
        yield parameters, _optimizer(parameters, rate, settings.level)
    finally:
        for layer in adapted:
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
        if settings.level == "checkpointing":
            unet.disable_gradient_checkpointing()
        for module in modules:
            module.requires_grad_(False).zero_grad()


def trained_weights(checkpoint: Checkpoint, level: Level) -> list[nn.Parameter]:
    """The weights that a level trains as they are (for "lora": the token embeddings, beside its factors)."""
    if level == "lora":
        return [checkpoint.text_encoder.get_input_embeddings().weight]
    text = list(checkpoint.text_encoder.parameters())
    named = checkpoint.unet.named_parameters()
    return text + [w for name, w in named if level != "kv" or ".attn2.to_k" in name or ".attn2.to_v" in name]


def _adapt(checkpoint: Checkpoint, rank: int, generator: torch.Generator) -> list[nn.Linear]:
    """Put low-rank updates on the attention projections of both networks."""
    layers = _projections(checkpoint)
    for layer in layers:
        parametrize.register_parametrization(layer, "weight", LowRank(layer.weight.detach(), rank, generator))
    return layers


def _projections(checkpoint: Checkpoint) -> list[nn.Linear]:
    """The layers that level "lora" adapts: queries, keys, values and outputs of all attention."""
    return [
        layer
        for module in checkpoint.trainable().values()
        for name, layer in module.named_modules()
        if isinstance(layer, nn.Linear) and name.endswith(_PROJECTIONS)
    ]


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
    checkpoint: Checkpoint, size: tuple[int, int], level: Level, *, rank: int = 8, rows: int = 1
) -> MemoryPlan:
    """Count what stage 1 takes, without computing anything.

    Args:
        size: (h, w) of the model's input, px. rank: of level "lora". rows: pictures in a step.
    """
    modules = (checkpoint.unet, checkpoint.text_encoder, checkpoint.vae)
    weights = sum(weight.nbytes for module in modules for weight in module.parameters())
    trained = sum(weight.numel() for weight in trained_weights(checkpoint, level))
    if level == "lora":
        trained += sum(rank * sum(layer.weight.shape) for layer in _projections(checkpoint))
    per_weight = 2 if level == "adam8bit" else 8
    return MemoryPlan(level, weights, 4 * trained, per_weight * trained, _activations(checkpoint, size, level, rows))


def _activations(checkpoint: Checkpoint, size: tuple[int, int], level: Level, rows: int) -> int:
    config = json.dumps(dict(checkpoint.unet.config), sort_keys=True, default=str)
    return _unet_activations(config, checkpoint.tokenizer.length, size, level, rows)


@lru_cache(maxsize=64)
def _unet_activations(config: str, tokens: int, size: tuple[int, int], level: Level, rows: int) -> int:
    """Bytes that the U-Net's passes take at most beyond weights and their gradients, found by running its shapes alone.

    That is what the forward pass keeps for the backward pass, with what either needs for the moment; under gradient
    checkpointing most of it is the one block that is being computed again.
    """
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(json.loads(config)).train()
        latent = torch.empty(rows, 4, size[0] // LATENT_STRIDE, size[1] // LATENT_STRIDE)
        states = torch.empty(rows, tokens, unet.config.cross_attention_dim)
        times = torch.zeros(rows, dtype=torch.int64)
    if level in {"kv", "lora"}:
        for name, weight in unet.named_parameters():
            trained = (".attn2.to_k", ".attn2.to_v") if level == "kv" else (".to_q", ".to_k", ".to_v", ".to_out.0")
            weight.requires_grad_(any(part in name for part in trained))
    states.requires_grad_()
    if level == "checkpointing":
        unet.enable_gradient_checkpointing()
    # The gradients' buffers are there beforehand, as they count elsewhere.
    for weight in unet.parameters():
        weight.grad = torch.empty_like(weight) if weight.requires_grad else None
    memory = PeakMemory()
    with memory:
        unet(latent, times, encoder_hidden_states=states).sample.sum().backward()
    return memory.peak


class PeakMemory(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of tensors made while it is on and still alive; `peak` is the most there were at one time."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now: int = 0
        self.peak: int = 0
        self._alive: WeakIdKeyDictionary = WeakIdKeyDictionary()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and look at what it gives."""
        found = func(*args, **(kwargs or {}))
        # What an operation in place gives, or a view, is no new memory.
        given = {id(leaf.untyped_storage()) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        for leaf in tree_leaves(found):
            if isinstance(leaf, Tensor) and id(leaf.untyped_storage()) not in given:
                self._see(leaf.untyped_storage())
        return found

    def _see(self, storage: torch.UntypedStorage) -> None:
        if storage in self._alive:
            return
        size = storage.nbytes()
        self._alive[storage] = size
        weakref.finalize(storage, self._gone, size)
        self.now += size
        self.peak = max(self.peak, self.now)

    def _gone(self, size: int) -> None:
        self.now -= size


def choose_level(
    checkpoint: Checkpoint, size: tuple[int, int], available: int, *, rank: int = 8, rows: int = 1
) -> MemoryPlan:
    """The most faithful level that fits into the bytes available.

    Raises:
        OutOfMemory: not even the smallest fits.
    """
    for level in ORDER:
        plan = memory_plan(checkpoint, size, level, rank=rank, rows=rows)
        if plan.total <= available:
            return plan
    raise OutOfMemory(plan.total, available, level)
