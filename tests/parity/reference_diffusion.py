"""Inversion, null-text optimisation and editing as the papers' formulas read, one branch at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from s2edit.model.backbone import Encoding
from tests.parity.reference_attention import Branch, ReferenceProcessor
from tests.parity.reference_schedule import ReferenceSchedule


class Reference(ReferenceSchedule):
    """A U-Net with reference attention, walked in T steps."""

    def __init__(self, unet: Any, steps: int, taken: int = 0) -> None:
        super().__init__(steps, taken)
        self.unet = unet
        self.processor = ReferenceProcessor()
        unet.set_attn_processor(self.processor)

    def noise(self, latent: Tensor, time: int, encoding: Encoding, branch: Branch) -> Tensor:
        self.processor.branch = branch
        more: dict[str, Any] = {}
        if encoding.pooled is not None:
            height, width = (8.0 * side for side in size_of(latent))
            numbers = torch.tensor([[height, width, 0.0, 0.0, height, width]])
            more = {"added_cond_kwargs": {"text_embeds": encoding.pooled, "time_ids": numbers}}
        states = encoding.states
        predicted: Tensor = self.unet(latent, torch.tensor(time), encoder_hidden_states=states, **more).sample
        return predicted

    def invert(self, latent: Tensor, encoding: Encoding, masks: dict[int, Tensor]) -> list[Tensor]:
        path = [latent]
        for time in reversed(self.timesteps):
            branch = Branch(size_of(latent), masks)
            path.append(self.up(self.noise(path[-1], time, encoding, branch), time, path[-1]))
        return path

    def null_text(
        self, path: list[Tensor], encoding: Encoding, null: Encoding, masks: dict[int, Tensor], w: float
    ) -> tuple[list[Tensor], list[float]]:
        """Mokady et al. (2023), Algorithm 1, with Adam written out; returns the embeddings and all inner losses."""
        latent, found, losses = path[-1], [], []
        pooled, states = null.pooled, null.states
        size = size_of(latent)
        for i, time in enumerate(self.timesteps):
            conditional = self.noise(latent, time, encoding, Branch(size, masks)).detach()
            goal = path[len(path) - 2 - i]
            rate = 1e-2 * (1 - i / 100)
            first, second = torch.zeros_like(states), torch.zeros_like(states)
            for j in range(10):
                variable = states.clone().requires_grad_()
                noise = self.noise(latent, time, Encoding(variable, pooled), Branch(size))
                loss = F.mse_loss(self.down(noise + w * (conditional - noise), time, latent), goal)
                (gradient,) = torch.autograd.grad(loss, variable)
                first = 0.9 * first + 0.1 * gradient
                second = 0.999 * second + 0.001 * gradient**2
                step = (first / (1 - 0.9 ** (j + 1))) / ((second / (1 - 0.999 ** (j + 1))).sqrt() + 1e-8)
                states = states - rate * step
                losses.append(loss.item())
                if loss.item() < 1e-5 + 2e-5 * i:
                    break
            found.append(states)
            with torch.no_grad():
                noise = self.noise(latent, time, Encoding(states, pooled), Branch(size))
                latent = self.down(noise + w * (conditional - noise), time, latent)
        return found, losses


@dataclass
class Edit:
    """An edit's inputs for the reference."""

    source: Encoding
    target: Encoding
    null: list[Encoding]
    mapper: np.ndarray
    alphas: np.ndarray
    equalizer: np.ndarray
    source_masks: dict[int, Tensor]
    target_masks: dict[int, Tensor]
    null_masks: dict[int, Tensor]
    guidance: float
    cross_steps: int
    self_steps: int
    self_queries: int
    blend_from: int
    threshold: float
    source_words: tuple[int, ...]
    target_words: tuple[int, ...]
    map_shape: tuple[int, int]
    overwrite: bool
    edit_mask: Tensor | None = None
    guided_steps: int | None = None
    renormalise: bool = False
    maps: dict[str, Tensor] = field(default_factory=dict)


@torch.no_grad()
def edit(reference: Reference, path: list[Tensor], it: Edit) -> tuple[Tensor, Tensor | None]:
    """Prompt-to-Prompt with Eq. 3 and LocalBlend; returns the target's latent and the last blend mask."""
    source = target = path[-1]
    size = size_of(source)
    mask = None
    for i, time in enumerate(reference.timesteps):
        branch = Branch(size, it.source_masks, renormalise=it.renormalise)
        source_noise = reference.noise(source, time, it.source, branch)
        changed = Branch(
            size,
            it.target_masks,
            source=branch,
            mapper=it.mapper,
            alphas=it.alphas,
            equalizer=it.equalizer,
            cross=i < it.cross_steps,
            self_queries=it.self_queries if i < it.self_steps else 0,
            renormalise=it.renormalise,
        )
        target_noise = reference.noise(target, time, it.target, changed)
        null = it.null[i]
        target_null = reference.noise(target, time, null, Branch(size, it.null_masks))
        w = it.guidance if it.guided_steps is None or i < it.guided_steps else 1
        target = reference.down(target_null + w * (target_noise - target_null), time, target)
        if it.overwrite:
            source = path[len(path) - 2 - i]
        else:
            source_null = reference.noise(source, time, null, Branch(size, it.null_masks))
            source = reference.down(source_null + w * (source_noise - source_null), time, source)
        for name, words, seen in (("source", it.source_words, branch), ("target", it.target_words, changed)):
            for shape, maps in zip(seen.shapes, seen.cross_maps, strict=True):
                if shape == it.map_shape and words:
                    total = reduce(torch.add, (maps[..., j] for j in words)).mean(dim=0).reshape(shape)
                    it.maps[name] = it.maps.get(name, torch.zeros(shape)) + total
        if i >= it.blend_from:
            mask = it.edit_mask if it.edit_mask is not None else blend_mask(it, size)
            target = source + mask * (target - source)
    return target, mask


def size_of(latent: Tensor) -> tuple[int, int]:
    """Height and width."""
    height, width = latent.shape[-2:]
    return height, width


def blend_mask(it: Edit, size: tuple[int, int]) -> Tensor:
    """LocalBlend (Hertz et al., 2022), written out."""
    found = torch.zeros(size, dtype=torch.bool)
    for total in it.maps.values():
        height, width = total.shape
        pooled = torch.zeros(height, width)
        for y in range(height):
            for x in range(width):
                pooled[y, x] = total[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].max()
        large = pooled.repeat_interleave(size[0] // height, 0).repeat_interleave(size[1] // width, 1)
        found |= large / large.max() > it.threshold
    return found
