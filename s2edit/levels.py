"""How much of the networks stage 1 trains, for cards too small for the paper's way, and what each level's memory is.

Only "full" and "checkpointing" compute what the paper describes. "adam8bit" rounds the optimiser's state; "kv" and
"lora" train a part of the weights, which the paper found worse.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from .checkpoints import Checkpoint
from .errors import OutOfMemory, SettingError
from .region import LATENT_STRIDE
from .settings import IdentitySettings, Level

_ORDER: tuple[Level, ...] = ("full", "checkpointing", "kv", "lora")
"""From the most faithful to the smallest; "adam8bit" only comes when asked for, since it needs a package of its own."""
_LORA_RATE = 50
"""Low-rank factors start at zero and need larger steps than the weights: 1e-4 where full training takes 2e-6 (ours)."""


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
    adapted: list[nn.Module] = []
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


def _adapt(checkpoint: Checkpoint, rank: int, generator: torch.Generator) -> list[nn.Module]:
    """Put low-rank updates on the attention projections of both networks."""
    names = ("to_q", "to_k", "to_v", "to_out.0", "q_proj", "k_proj", "v_proj", "out_proj")
    layers: list[nn.Module] = []
    for module in checkpoint.trainable().values():
        for name, layer in module.named_modules():
            if isinstance(layer, nn.Linear) and name.endswith(names):
                parametrize.register_parametrization(layer, "weight", LowRank(layer.weight.detach(), rank, generator))
                layers.append(layer)
    return layers


def _optimizer(parameters: list[nn.Parameter], rate: float, level: Level) -> torch.optim.Optimizer:
    options: dict[str, Any] = {"lr": rate, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 1e-2}
    if level != "adam8bit":
        return torch.optim.AdamW(parameters, fused=True, **options)
    try:
        from bitsandbytes.optim import AdamW8bit
    except ImportError as error:
        raise SettingError(
            "The identity level “adam8bit” needs the package bitsandbytes, which is not installed.",
            hint="Install it, or choose the level “checkpointing”.",
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
        for module in checkpoint.trainable().values():
            for name, layer in module.named_modules():
                if isinstance(layer, nn.Linear) and name.rsplit(".", 1)[-1] in _PROJECTIONS:
                    trained += rank * sum(layer.weight.shape)
    per_weight = 2 if level == "adam8bit" else 8
    return MemoryPlan(level, weights, 4 * trained, per_weight * trained, _activations(checkpoint, size, level, rows))


_PROJECTIONS = frozenset({"to_q", "to_k", "to_v", "0", "q_proj", "k_proj", "v_proj", "out_proj"})


def _activations(checkpoint: Checkpoint, size: tuple[int, int], level: Level, rows: int) -> int:
    """Bytes that the U-Net's forward pass keeps for its backward pass, found by running its shapes alone."""
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(checkpoint.unet.config)
        latent = torch.empty(rows, 4, size[0] // LATENT_STRIDE, size[1] // LATENT_STRIDE)
        states = torch.empty(rows, checkpoint.tokenizer.length, checkpoint.unet.config.cross_attention_dim)
        times = torch.zeros(rows, dtype=torch.int64)
    if level in {"kv", "lora"}:
        unet.requires_grad_(False)
        for name, weight in unet.named_parameters():
            trained = (".attn2.to_k", ".attn2.to_v") if level == "kv" else (".to_q", ".to_k", ".to_v", ".to_out.0")
            weight.requires_grad_(any(part in name for part in trained))
        states.requires_grad_()
    # By storage, since weights are also kept as views, and one activation may be kept by several operations.
    weights = {weight.untyped_storage()._cdata for weight in unet.parameters()}
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in weights:
            kept[storage._cdata] = storage
        return tensor

    if level == "checkpointing":
        unet.enable_gradient_checkpointing()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        unet(latent, times, encoder_hidden_states=states)
    return sum(storage.nbytes() for storage in kept.values())


def choose_level(
    checkpoint: Checkpoint, size: tuple[int, int], available: int, *, rank: int = 8, rows: int = 1
) -> MemoryPlan:
    """The most faithful level that fits into the bytes available.

    Raises:
        OutOfMemory: not even the smallest fits.
    """
    for level in _ORDER:
        plan = memory_plan(checkpoint, size, level, rank=rank, rows=rows)
        if plan.total <= available:
            return plan
    raise OutOfMemory(plan.total, available, level)
