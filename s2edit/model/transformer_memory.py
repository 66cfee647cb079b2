"""What a flow transformer's steps take, found by running its shapes alone."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from transformers import AttentionInterface

from ..method.attention import TokenMask, attended
from ..method.masks import MaskPyramid
from ..picture.region import LATENT_STRIDE
from ..settings import IdentitySettings
from .backbone import Encoding
from .low_rank import Factors
from .unet_memory import PeakMemory

_BY_SHAPES = "s2edit_by_shapes"

if TYPE_CHECKING:
    from .flow import FlowCheckpoint


def activations(checkpoint: FlowCheckpoint, size: tuple[int, int], rows: int) -> int:
    """Bytes that a training step of `rows` pictures of (h, w) px takes at most beyond weights and their gradients.

    Blocks are computed again on the way back, in the transformer and in the text encoder, whose [I] learns too.
    """
    shape = _shape_of(checkpoint)
    weights = shape.adapt(IdentitySettings(level="lora"), torch.Generator().manual_seed(0))
    for weight in weights:
        weight.requires_grad_(True)
        weight.grad = torch.empty_like(weight)
    latents, times = _given(shape, size, rows)
    embedded = _embedded(shape).requires_grad_()
    memory = PeakMemory()
    with memory:
        _mask(shape, size, rows)
        # P and the empty prompt are encoded once and kept.
        kept = [_states(shape, embedded.detach()) for _ in range(rows + 1)]
        states = [_states(shape, embedded) for _ in range(rows)]
        shape.predict(latents, times, Encoding(torch.cat(states))).sum().backward()  # type: ignore[no-untyped-call]
        del kept
    return memory.peak


def passing(checkpoint: FlowCheckpoint, size: tuple[int, int], rows: int) -> int:
    """Bytes that the largest forward pass of an edit takes beyond weights: transformer, text encoder or autoencoder."""
    shape = _shape_of(checkpoint)
    latents, times = _given(shape, size, rows)
    embedded = _embedded(shape)
    _mask(shape, size, rows)
    peaks: list[int] = []
    with torch.no_grad():
        states = Encoding(_states(shape, embedded).repeat(rows, 1, 1))
        _run(peaks, lambda: shape.predict(latents, times, states), lambda: _states(shape, embedded))
    # As if on a CPU: for shapes alone its attention would form the probabilities of all cells with all.
    with FakeTensorMode(), torch.no_grad():
        vae: Any = _again(checkpoint.vae)
        latent, pixels = torch.empty(1, *latents.shape[1:]), torch.empty(1, 3, *size)
        _run(peaks, lambda: vae.encode(pixels), lambda: vae.decode(latent))
    return max(peaks)


def _run(peaks: list[int], *steps: Callable[[], object]) -> None:
    for step in steps:
        with PeakMemory() as memory:
            step()
        peaks.append(memory.peak)


def _shape_of(checkpoint: FlowCheckpoint) -> FlowCheckpoint:
    """The same networks without numbers, under a control of their own."""
    shape = copy.copy(checkpoint)
    with torch.device("meta"):
        shape.transformer = _again(checkpoint.transformer)
        shape.vae = _again(checkpoint.vae).eval()
        shape.text_encoder = type(checkpoint.text_encoder)(copy.deepcopy(checkpoint.text_encoder.config))
    AttentionInterface.register(_BY_SHAPES, _attention)
    shape.text_encoder.requires_grad_(False).set_attn_implementation(_BY_SHAPES)
    shape.factors = Factors(shape.attention())
    shape.control()
    return shape


def _attention(
    _: nn.Module, query: Tensor, key: Tensor, value: Tensor, *__: object, **___: object
) -> tuple[Tensor, None]:
    """A text encoder's attention as fused kernels have it, which keep no probabilities; keys for each query head."""
    groups = query.shape[1] // key.shape[1]
    key, value = (part.repeat_interleave(groups, dim=1) for part in (key, value))
    return attended(query, key, value).transpose(1, 2), None


def _again(network: Any) -> nn.Module:
    made: nn.Module = type(network).from_config(dict(network.config))
    return made.requires_grad_(False)


def _mask(shape: FlowCheckpoint, size: tuple[int, int], rows: int) -> None:
    """Eq. 3 in all rows, whose scores are as large as a head's probabilities."""
    pyramid = MaskPyramid(torch.empty(size, device="meta"))
    shape.joint.control.masks = [TokenMask((row,), (0,), pyramid) for row in range(rows)]  # type: ignore[union-attr]


def _embedded(shape: FlowCheckpoint) -> Tensor:
    return torch.empty(1, shape.tokenizer.length, shape.text_encoder.config.hidden_size, device="meta")


def _states(shape: FlowCheckpoint, embedded: Tensor) -> Tensor:
    # Said, since the mask that transformers would make looks at numbers, and shapes have none.
    length = shape.tokenizer.length
    mask = {"full_attention": torch.empty(1, 1, length, length, dtype=torch.bool, device="meta")}
    options = {"attention_mask": mask, "output_hidden_states": True, "use_cache": False}
    return shape.chosen(shape.text_encoder(inputs_embeds=embedded, **options).hidden_states)


def _given(shape: FlowCheckpoint, size: tuple[int, int], rows: int) -> tuple[Tensor, Tensor]:
    cells = (side // LATENT_STRIDE for side in size)
    latents = torch.empty(rows, shape.channels, *cells, device="meta")
    shape.joint.control.set_latent_size(*latents.shape[-2:])  # type: ignore[union-attr]
    return latents, torch.empty(rows, device="meta")
