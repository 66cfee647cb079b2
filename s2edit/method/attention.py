"""Attention of the denoising U-Net under control: Eq. 3, Prompt-to-Prompt's injection, and recording of maps.

Order within a cross-attention layer: softmax, injection, recording, Eq. 3, values. Shapes: B rows (branches), h heads,
N = H·W queries, L tokens, d channels a head.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import CheckpointError
from ..settings import IdentitySettings
from .masks import MaskPyramid

_LANES = 8
"""Fused kernels take keys and biases by so many: other counts are slower on CPUs and copied on GPUs."""
_KEPT_BIASES = 64
"""Resolutions times arrangements of rows in an edit, with room to spare."""


@dataclass(frozen=True)
class TokenMask:
    """Eq. 3 for some tokens: in these rows, the attention to these positions counts only inside the mask."""

    rows: tuple[int, ...]
    positions: tuple[int, ...]
    pyramid: MaskPyramid


@dataclass(frozen=True, eq=False)
class Injection:
    """Attention carried over from the source row to the target row (see `alignment.Alignment`).

    Args:
        mapper: L×L. alphas, equalizer: L. cross: whether cross-attention is carried over in this step.
        self_queries: largest N whose self-attention is carried over in this step, 0 for none.
        reweights: whether the equalizer does anything; it holds in every step.
    """

    source: int
    target: int
    mapper: Tensor
    alphas: Tensor
    equalizer: Tensor
    cross: bool
    self_queries: int
    reweights: bool


@dataclass(frozen=True, eq=False)
class SpatialBias:
    """Eq. 3 as a bias of fused attention (ours, exact): see `spatial_bias`.

    Args:
        scores: R×1×N×(L+E), added to the scaled scores. copies: R×E, the positions whose keys are repeated at the end.
    """

    scores: Tensor
    copies: Tensor


@dataclass(eq=False)
class Recorder:
    """Sums attention maps of chosen tokens over heads, layers of one resolution, and steps.

    Args:
        shape: (H, W) of the layers that are recorded.
        columns: by row, the positions whose columns are added up.
    """

    shape: tuple[int, int]
    columns: dict[int, tuple[int, ...]]
    maps: dict[int, Tensor] = field(default_factory=dict)

    def add(self, row: int, probabilities: Tensor) -> None:
        """Add what one layer attends to.

        Args:
            row: of the batch; one of `columns`.
            probabilities: h heads × N queries × L tokens, each query's summing to 1.
        """
        self.add_columns(row, probabilities[..., list(self.columns[row])])

    def add_columns(self, row: int, probabilities: Tensor) -> None:
        """The same of the row's chosen tokens alone: h heads × N queries × their number."""
        found = probabilities.detach().float().sum(dim=(0, 2)).view(self.shape)
        self.maps[row] = self.maps[row] + found if row in self.maps else found


@dataclass(eq=False)
class AttentionControl:
    """What the processors of one U-Net do; `Denoiser` sets it before each forward pass, and it holds until the backward
    pass is over, where gradient checkpointing runs the layers again.

    Args:
        masks: Eq. 3. semantics: "post_softmax" removes attention outside M (Eq. 3 as printed); "renormalise"
            hands it to the other tokens.
        second_mask: in joint attention, see `joint_attention`.
    """

    masks: Sequence[TokenMask] = ()
    injection: Injection | None = None
    recorder: Recorder | None = None
    semantics: Literal["post_softmax", "renormalise"] = "post_softmax"
    second_mask: bool = False
    shapes: dict[int, tuple[int, int]] = field(default_factory=dict)
    _biases: dict[object, SpatialBias | None] = field(default_factory=dict)

    def obey(self, settings: IdentitySettings) -> None:
        """Take over what the settings say of masks."""
        self.semantics, self.second_mask = settings.mask_semantics, settings.second_mask

    def set_latent_size(self, height: int, width: int) -> None:
        """Derive each layer's (H, W) from its number of queries; every level halves both sides exactly.

        Args:
            height, width: of the latent, cells (1/8 of the model's pixels).
        """
        self.shapes = {}
        while height and width:
            self.shapes[height * width] = (height, width)
            if height % 2 or width % 2:
                return
            height, width = height // 2, width // 2

    def explicit_rows(self, shape: tuple[int, int]) -> list[int]:
        """Rows whose probabilities have to be formed; all others go through fused attention."""
        rows: set[int] = set()
        if self.injection is not None and (self.injection.cross or self.injection.reweights):
            rows.add(self.injection.target)
            if self.injection.cross:
                rows.add(self.injection.source)
        if self.recorder is not None and self.recorder.shape == shape:
            rows.update(self.recorder.columns)
        return sorted(rows)

    def bias(
        self, query: Tensor, tokens: int, rows: Sequence[int], masks: Sequence[TokenMask] | None = None
    ) -> SpatialBias | None:
        """Eq. 3 as scores to be added, kept for the next layer of this size.

        Args:
            query: R×h×N×d, of which size, dtype and device count. tokens: L. rows: R of the batch's.
            masks: in the place of its own.
        Returns:
            What to add, R×1×N×(L+E); None where nothing of these rows is masked.
        """
        masks = self.masks if masks is None else masks
        key = (tuple(masks), tuple(rows), query.shape[2], tokens, query.dtype, query.device, self.semantics)
        if key not in self._biases:
            if len(self._biases) >= _KEPT_BIASES:
                self._biases.clear()
            shape = self.shapes[query.shape[2]]
            found = spatial_bias(masks, rows, shape, tokens, renormalise=self.semantics == "renormalise")
            device, dtype = query.device, query.dtype
            self._biases[key] = found and SpatialBias(found.scores.to(device, dtype), found.copies.to(device))
        return self._biases[key]


def install(unet: nn.Module) -> AttentionControl:
    """Put a U-Net's attention layers under one control, which is returned."""
    control = AttentionControl()
    unet.set_attn_processor(ControlledProcessor(control))  # type: ignore[operator]
    return control


class ControlledProcessor:
    """A diffusers attention processor; the same object serves every layer."""

    def __init__(self, control: AttentionControl) -> None:
        self.control = control

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        **_: Any,
    ) -> Tensor:
        """B×N×C in, B×N×C out; `encoder_hidden_states` (B×L×D) is None in self-attention."""
        if attention_mask is not None or hidden_states.ndim != 3:
            raise CheckpointError(
                "This U-Net's attention has a form that S²Edit does not know.", code="checkpoint_unsupported"
            )
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query, key, value = (
            layer(states).unflatten(-1, (attn.heads, -1)).transpose(1, 2)
            for layer, states in ((attn.to_q, hidden_states), (attn.to_k, context), (attn.to_v, context))
        )
        if encoder_hidden_states is None:
            output = self_attention(query, key, value, self.control)
        else:
            output = cross_attention(query, key, value, self.control)
        output = attn.to_out[1](attn.to_out[0](output.transpose(1, 2).flatten(2)))
        # Stable Diffusion's factor is 1, and dividing by it would cost a pass over memory in every layer.
        return output if attn.rescale_output_factor == 1 else output / attn.rescale_output_factor  # type: ignore[no-any-return]


def self_attention(query: Tensor, key: Tensor, value: Tensor, control: AttentionControl) -> Tensor:
    """Self-attention; while injection lasts, the target row has the source row's queries and keys (Prompt-to-Prompt).

    Args:
        query, key, value: B×h×N×d.
    Returns:
        B×h×N×d.
    """
    injection = control.injection
    if injection is not None and query.shape[2] <= injection.self_queries:
        rows = list(range(query.shape[0]))
        rows[injection.target] = injection.source
        query, key = query[rows], key[rows]
    return attended(query, key, value)


def cross_attention(query: Tensor, key: Tensor, value: Tensor, control: AttentionControl) -> Tensor:
    """Attention to words, under control.

    Args:
        query: B×h×N×d, N the cells of a layer whose size `set_latent_size` told. key, value: B×h×L×d of L tokens.
    Returns:
        B×h×N×d.
    """
    shape = control.shapes[query.shape[2]]
    explicit = control.explicit_rows(shape)
    plain = [row for row in range(query.shape[0]) if row not in explicit]
    if not explicit:
        return masked_attention(query, key, value, control)
    output = torch.empty_like(query)
    if plain:
        rows = _span(plain)
        bias = control.bias(query, key.shape[2], plain)
        output[rows] = _fused(query[rows], key[rows], value[rows], bias)
    rows = _span(explicit)
    probabilities = (query[rows] @ key[rows].transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(dim=-1)
    index = {row: place for place, row in enumerate(explicit)}
    if control.injection is not None:
        _inject(probabilities, control.injection, index)
    if control.recorder is not None and control.recorder.shape == shape:
        for row in control.recorder.columns:
            control.recorder.add(row, probabilities[index[row]])
    _mask_columns(probabilities, control, shape, index)
    output[rows] = probabilities @ value[rows]
    return output


def _span(rows: list[int]) -> slice | list[int]:
    """Rows as a slice where they lie side by side, so that nothing is copied to pick them."""
    return slice(rows[0], rows[-1] + 1) if rows[-1] - rows[0] == len(rows) - 1 else rows


def _inject(probabilities: Tensor, injection: Injection, index: dict[int, int]) -> None:
    """Prompt-to-Prompt on the target row of E×h×N×L probabilities, in place."""
    if injection.target not in index:
        return
    target = probabilities[index[injection.target]]
    if injection.cross:
        carried = probabilities[index[injection.source]] @ injection.mapper
        target = carried * injection.alphas + target * (1 - injection.alphas)
    probabilities[index[injection.target]] = target * injection.equalizer


def _mask_columns(
    probabilities: Tensor, control: AttentionControl, shape: tuple[int, int], index: dict[int, int]
) -> None:
    """Eq. 3 on explicit probabilities: A*_[I] = A_[I] ⊙ M, in place."""
    for mask in control.masks:
        inside = mask.pyramid.at(*shape).to(probabilities)[None, :, None]
        for row in mask.rows:
            if row in index:
                columns = list(mask.positions)
                rows = probabilities[index[row]]
                before = rows.sum(dim=-1, keepdim=True)
                rows[..., columns] = rows[..., columns] * inside
                if control.semantics == "renormalise":
                    rows *= before / rows.sum(dim=-1, keepdim=True)


def masked_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    control: AttentionControl,
    masks: Sequence[TokenMask] | None = None,
    present: Tensor | None = None,
) -> Tensor:
    """Attention of the whole batch with Eq. 3, without forming the probabilities.

    Args:
        query: B×h×N×d. key, value: B×h×L×d. masks: in the place of the control's own.
        present: B×1×1×L bool, which of the tokens there are; None for all.
    """
    bias = control.bias(query, key.shape[2], range(query.shape[0]), masks)
    if bias is not None and present is not None:
        absent = F.pad(~present, (0, bias.copies.shape[1]), value=False)
        bias = SpatialBias(bias.scores.masked_fill(absent, -math.inf), bias.copies)
    return attended(query, key, value, present) if bias is None else _fused(query, key, value, bias)


def _fused(query: Tensor, key: Tensor, value: Tensor, bias: SpatialBias | None) -> Tensor:
    """Attention without forming the probabilities, with Eq. 3 where there is a bias."""
    if bias is None:
        return attended(query, key, value)
    copies = bias.copies[:, None, :, None].expand(-1, key.shape[1], -1, key.shape[3])
    keys = torch.cat((key, key.gather(2, copies)), dim=2)
    values = F.pad(value, (0, 0, 0, bias.copies.shape[1]))
    return attended(query, keys, values, bias.scores)


def attended(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
    """torch's fused attention, with scores to be added or a bool of what there is.

    For shapes alone the CPU's kernel by name, where torch would form the probabilities and memory that is counted would
    be several times too much.
    """
    if query.is_meta:
        found: Tensor = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(query, key, value, attn_mask=bias)[0]
        return found
    return F.scaled_dot_product_attention(query, key, value, attn_mask=bias)


def spatial_bias(
    masks: Sequence[TokenMask], rows: Sequence[int], shape: tuple[int, int], tokens: int, *, renormalise: bool = False
) -> SpatialBias | None:
    """Eq. 3 so that one fused call computes it, since e^s = e^(s + log M) + e^(s + log(1 - M)).

    log M goes onto the scores of [I]; a copy of [I]'s key, with value 0, gets log(1 - M). Softmax then divides by what
    it divides by without a mask, and A_[I] ⊙ M is what reaches v_[I]: O* = O - (1 - M) ⊙ A_[I] v_[I].

    Args:
        rows: the batch rows that the bias is for. shape: (H, W) of the layer. tokens: L.
        renormalise: without the copy, softmax hands the masked attention to the other tokens.
    Returns:
        In float32 on the masks' device, or None when none of the rows is masked.
    """
    inside: dict[tuple[int, int], Tensor] = {}
    for mask in masks:
        for place, row in enumerate(rows):
            for position in mask.positions if row in mask.rows else ():
                found = mask.pyramid.at(*shape)
                inside[place, position] = inside[place, position] * found if (place, position) in inside else found
    if not inside:
        return None
    copied: list[list[int]] = [[] for _ in rows]
    if not renormalise:
        for place, position in inside:
            copied[place].append(position)
    extra = max(map(len, copied))
    extra += -(tokens + extra) % _LANES
    like = next(iter(inside.values()))
    scores = like.new_zeros(len(rows), 1, shape[0] * shape[1], tokens + extra)
    scores[..., tokens:] = -math.inf
    copies = torch.zeros(len(rows), extra, dtype=torch.int64, device=like.device)
    for (place, position), found in inside.items():
        scores[place, 0, :, position] = found.log()
        if not renormalise:
            slot = copied[place].index(position)
            # Area pooling may end a rounding error above 1.
            scores[place, 0, :, tokens + slot] = (1 - found).clamp(min=0).log()
            copies[place, slot] = position
    return SpatialBias(scores, copies)
