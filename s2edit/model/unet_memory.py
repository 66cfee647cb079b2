"""What a diffusers U-Net's training step takes, found by running its shapes alone."""

from __future__ import annotations

import json
import weakref
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from ..method.attention import install
from ..picture.region import LATENT_STRIDE
from ..settings import Level


@lru_cache(maxsize=64)
def activations(config: str, tokens: int, size: tuple[int, int], level: Level, rows: int) -> int:
    """Bytes that the U-Net's passes take at most beyond weights and their gradients, found by running its shapes alone.

    That is what the forward pass keeps for the backward pass, with what either needs for the moment; under gradient
    checkpointing most of it is the one block that is being computed again.
    """
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(json.loads(config)).train()
        given = unet_inputs(unet, tokens, size, rows)
    install(unet).set_latent_size(*given["sample"].shape[-2:])
    if level in {"kv", "lora"}:
        for name, weight in unet.named_parameters():
            trained = (".attn2.to_k", ".attn2.to_v") if level == "kv" else (".to_q", ".to_k", ".to_v", ".to_out.0")
            weight.requires_grad_(any(part in name for part in trained))
    # The text encoders learn at every level.
    given["encoder_hidden_states"].requires_grad_()
    for states in given.get("added_cond_kwargs", {}).values():
        states.requires_grad_()
    if level == "checkpointing":
        unet.enable_gradient_checkpointing()
    # The gradients' buffers are there beforehand, as they count elsewhere.
    for weight in unet.parameters():
        weight.grad = torch.empty_like(weight) if weight.requires_grad else None
    memory = PeakMemory()
    with memory:
        unet(**given).sample.sum().backward()
    return memory.peak


def unet_inputs(unet: Any, tokens: int, size: tuple[int, int], rows: int) -> dict[str, Any]:
    """What a U-Net of Stable Diffusion's kind takes for `rows` pictures of (h, w) px, without numbers in it."""
    given: dict[str, Any] = {
        "sample": torch.empty(rows, 4, size[0] // LATENT_STRIDE, size[1] // LATENT_STRIDE),
        "timestep": torch.zeros(rows, dtype=torch.int64),
        "encoder_hidden_states": torch.empty(rows, tokens, unet.config.cross_attention_dim),
    }
    if unet.config.addition_embed_type == "text_time":
        pooled = unet.config.projection_class_embeddings_input_dim - 6 * unet.config.addition_time_embed_dim
        more = {"text_embeds": torch.empty(rows, pooled), "time_ids": torch.empty(rows, 6)}
        given["added_cond_kwargs"] = more
    return given


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
