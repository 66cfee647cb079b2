"""Teach the caption's words where to look: their cross-attention spread over the part that they name.

A large model learns this from hundreds of millions of pictures; a small one does not in a few thousand steps, and
colours then go to the wrong things and “man” to the wall. Here the renderer knows the parts, so a loss can say so (as
FastComposer, Xiao et al. 2023, does with segmentations of photographs). It changes the training only, not the model.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from s2edit.research.starter.domain import Parts

_SILENT = {"a", "an", "the", "with", "and", "wearing", "on", "of", ",", "portrait", "cartoon", "photo"}
_FINEST, _COARSEST = 256, 64  # queries of the layers that are taught: 16 x 16 and 8 x 8


def named_parts(caption: str, parts: Parts[Any]) -> list[tuple[str, str | None]]:
    """The caption's words, commas as words of their own, each with the part that it names or None."""
    part: str | None = None
    result: list[tuple[str, str | None]] = []
    for word in reversed(caption.replace(",", " ,").split()):
        if word in _SILENT:
            part = None  # an article belongs to the noun after it and ends nothing
            result.append((word, None))
        elif word in parts.skipped:
            result.append((word, None))
        elif word in parts.alone:
            result.append((word, parts.alone[word]))
        else:
            part = parts.nouns.get(word, part)
            result.append((word, part))
    return result[::-1]


@cache
def _length(tokenizer: Any, word: str) -> int:
    return len(tokenizer(word).input_ids) - 2


def token_parts(tokenizer: Any, caption: str, parts: Parts[Any]) -> Iterator[tuple[int, int]]:
    """(position among the caption's tokens, index into the parts' names) of every token that names a part."""
    position = 1  # after the start token
    for word, part in named_parts(caption, parts):
        length = _length(tokenizer, word)
        if part is not None:
            yield from ((at, parts.names.index(part)) for at in range(position, position + length))
        position += length


class CrossAttentionWatch:
    """Forward hooks that keep what the U-Net's cross-attention layers were given, so that their maps can be formed."""

    def __init__(self, unet: Any) -> None:
        self._calls: list[tuple[Any, Tensor, Tensor]] = []
        for name, layer in unet.named_modules():
            if name.endswith("attn2"):
                layer.register_forward_pre_hook(self._keep, with_kwargs=True)

    def _keep(self, layer: Any, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        states = inputs[0] if inputs else named["hidden_states"]
        if torch.is_grad_enabled() and _COARSEST <= states.shape[1] <= _FINEST:
            self._calls.append((layer, states, named["encoder_hidden_states"]))

    def maps(self) -> Iterator[Tensor]:
        """Each kept layer's (B, queries, tokens) attention, averaged over its heads; then forgets them."""
        calls, self._calls = self._calls, []
        for layer, states, context in calls:
            query = layer.to_q(states).unflatten(-1, (layer.heads, -1)).transpose(1, 2)
            key = layer.to_k(context).unflatten(-1, (layer.heads, -1)).transpose(1, 2)
            scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
            yield scores.softmax(dim=-1).mean(dim=1)


def localisation_loss(maps: Iterator[Tensor], named: list[tuple[int, int, int]], regions: Tensor) -> Tensor:
    """How far the named tokens' attention is from being spread evenly over the parts that they name, in nats.

    The Kullback-Leibler divergence of the part's region from the token's map, each scaled to a sum of 1. (The share of
    attention inside the part, tried first, is satisfied by one cell; object masks then are mere dots.)

    Args:
        maps: (B, queries, tokens) attention of the layers.
        named: (row, token position, index into the parts' names) of every token that names a part.
        regions: (B, parts, side, side) in 0 to 1.
    """
    rows, positions, parts = torch.tensor(named, dtype=torch.long).view(-1, 3).unbind(dim=1)
    wanted = regions[rows, parts]
    present = wanted.sum(dim=(1, 2)) > 0.5
    rows, positions, wanted = rows[present], positions[present], wanted[present]
    losses = []
    for attention in maps:
        side = int(np.sqrt(attention.shape[1]))
        # The largest of the cells below, so that small parts have whole cells of their own at every level.
        inside = F.adaptive_max_pool2d(wanted[:, None], side)[:, 0].flatten(1)
        inside = inside / inside.sum(dim=1, keepdim=True)
        columns = attention[rows, :, positions]
        given = (columns / columns.sum(dim=1, keepdim=True).clamp_min(1e-9)).clamp_min(1e-9)
        losses.append((torch.xlogy(inside, inside) - inside * given.log()).sum(dim=1))
    # A batch whose captions name nothing that is in sight teaches nothing; a mean of none would be NaN.
    return torch.stack(losses).mean() if len(rows) else regions.new_zeros(())
