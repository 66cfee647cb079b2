"""Attention as the formulas read: one branch at a time, one head at a time, every probability formed.

Nothing of `s2edit.method.attention` is used. The target branch runs after the source branch and finds its probabilities
by the order in which the layers are called.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass
class Branch:
    """What holds during one forward pass of one branch.

    `masks`: token position -> full-resolution M (h×w). `source`: the source branch's pass, to inject from.
    """

    latent_size: tuple[int, int]
    masks: dict[int, Tensor] = field(default_factory=dict)
    source: Branch | None = None
    mapper: np.ndarray | None = None
    alphas: np.ndarray | None = None
    equalizer: np.ndarray | None = None
    cross: bool = False
    self_queries: int = 0
    renormalise: bool = False
    cross_maps: list[Tensor] = field(default_factory=list)  # per layer, heads×N×L, after injection
    self_maps: list[Tensor] = field(default_factory=list)
    shapes: list[tuple[int, int]] = field(default_factory=list)  # of the cross layers
    second_mask: bool = False  # in joint attention
    queries_keys: list[tuple[Tensor, Tensor]] = field(default_factory=list)  # per joint layer, the picture's


class ReferenceProcessor:
    """Shared by all layers; `branch` says what to do."""

    def __init__(self) -> None:
        self.branch: Branch

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None, **_: Any
    ) -> Tensor:
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        q, k, v = attn.to_q(hidden_states)[0], attn.to_k(context)[0], attn.to_v(context)[0]
        width = q.shape[1] // attn.heads
        maps = []
        for head in range(attn.heads):
            part = slice(head * width, (head + 1) * width)
            scores = q[:, part] @ k[:, part].T / width**0.5
            weights = torch.exp(scores - scores.max(dim=1, keepdim=True).values)
            maps.append(weights / weights.sum(dim=1, keepdim=True))
        attention = torch.stack(maps)
        attention = self._self(attention) if encoder_hidden_states is None else self._cross(attention)
        outputs = [attention[h] @ v[:, h * width : (h + 1) * width] for h in range(attn.heads)]
        projected: Tensor = attn.to_out[0](torch.cat(outputs, dim=1))
        return projected[None]

    def _self(self, attention: Tensor) -> Tensor:
        branch = self.branch
        layer = len(branch.self_maps)
        if branch.source is not None and attention.shape[1] <= branch.self_queries:
            attention = branch.source.self_maps[layer]
        branch.self_maps.append(attention)
        return attention

    def _cross(self, attention: Tensor) -> Tensor:
        branch = self.branch
        layer = len(branch.cross_maps)
        height, width = branch.latent_size
        while height * width != attention.shape[1]:
            height, width = height // 2, width // 2
        if branch.source is not None and branch.cross:
            attention = self._injected(attention, branch.source.cross_maps[layer])
        if branch.equalizer is not None:
            attention = attention * torch.tensor(branch.equalizer)
        branch.cross_maps.append(attention)
        branch.shapes.append((height, width))
        masked = attention.clone()
        for position, mask in branch.masks.items():
            pooled = pool(mask, height, width).reshape(-1)
            masked[:, :, position] = attention[:, :, position] * pooled
        if branch.renormalise:
            # To what the row had: after injection that need not be 1.
            masked = masked * attention.sum(dim=-1, keepdim=True) / masked.sum(dim=-1, keepdim=True)
        return masked

    def _injected(self, own: Tensor, source: Tensor) -> Tensor:
        assert self.branch.mapper is not None
        assert self.branch.alphas is not None
        carried = torch.zeros_like(own)
        for i, j in np.argwhere(self.branch.mapper):
            carried[..., j] += float(self.branch.mapper[i, j]) * source[..., i]
        alphas = torch.tensor(self.branch.alphas)
        return alphas * carried + (1 - alphas) * own


def pool(mask: Tensor, height: int, width: int) -> Tensor:
    """Mean of M over each cell, cell by cell."""
    rows, columns = mask.shape[0] // height, mask.shape[1] // width
    cells = [
        [mask[i * rows : (i + 1) * rows, j * columns : (j + 1) * columns].mean() for j in range(width)]
        for i in range(height)
    ]
    return torch.stack([torch.stack(row) for row in cells])
