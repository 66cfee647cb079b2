"""S²Edit put together from what is published, as one would first write it: the yardstick of `tests.benchmarks.method`.

- Stage 1 is the loop of diffusers' DreamBooth example with a trained text encoder: the picture is encoded anew in every
  step, AdamW as torch makes it by default. Added to it: Eq. 1 (a second pass of the text encoder) and Eq. 3.
- Inversion is null-text inversion, editing is Prompt-to-Prompt, both as their authors' notebook has them: attention
  with all probabilities formed in every layer, a batch of four in editing, both pictures decoded, and the U-Net's
  weights left trainable, so that every inner null-text step computes their gradients too.

Same formulas, same draws as `s2edit`, so both have to arrive at the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from s2edit.method.alignment import PromptPlan
from s2edit.model.checkpoints import Checkpoint
from s2edit.settings import Settings
from tests.parity.reference_schedule import ReferenceSchedule


@dataclass
class Scene:
    """What is edited: pixels 1×3×H×W in [-1, 1], the object's mask H×W (also where pixels may change), the prompts."""

    pixels: Tensor
    mask: Tensor
    plan: PromptPlan


class Controller:
    """Attention with its probabilities, B·h×N×L, as Prompt-to-Prompt's controller sees it."""

    def __init__(self, latent: tuple[int, int]) -> None:
        self.latent = latent
        self.masks: dict[int, tuple[int, Tensor]] = {}
        """Eq. 3: by batch row, the position of [I] and M."""
        self.inject: tuple[Tensor, Tensor, Tensor] | None = None
        """Mapper, alphas and equalizer, source row 2 to target row 3; None outside the editing."""
        self.cross = False
        self.self_queries = 0

    def __call__(self, probabilities: Tensor, heads: int, *, is_cross: bool) -> Tensor:
        """Injection, then Eq. 3."""
        rows: Tensor = probabilities.unflatten(0, (-1, heads))
        if self.inject is not None:
            rows = self._injected(rows, is_cross)
        if is_cross and self.masks:
            stride = round((self.latent[0] * self.latent[1] / rows.shape[2]) ** 0.5)
            rows = rows.clone()
            for row, (position, mask) in self.masks.items():
                pooled = F.adaptive_avg_pool2d(mask[None, None], (self.latent[0] // stride, self.latent[1] // stride))
                rows[row, :, :, position] = rows[row, :, :, position] * pooled.flatten()
        return rows.flatten(0, 1)

    def _injected(self, rows: Tensor, is_cross: bool) -> Tensor:
        assert self.inject is not None
        mapper, alphas, equalizer = self.inject
        target = rows[3]
        if is_cross:
            if self.cross:
                target = torch.einsum("hni,ij->hnj", rows[2], mapper) * alphas + target * (1 - alphas)
            target = target * equalizer
        elif rows.shape[2] <= self.self_queries:
            target = rows[2]
        return torch.cat([rows[:3], target[None]])


class ExplicitProcessor:
    """diffusers' attention without fused kernels; a controller may change the probabilities."""

    def __init__(self, controller: Controller, *, cross_only: bool) -> None:
        self.controller, self.cross_only = controller, cross_only

    def __call__(self, attn: Any, hidden: Tensor, encoder_hidden_states: Tensor | None = None, **_: Any) -> Tensor:
        """B×N×C in and out."""
        is_cross = encoder_hidden_states is not None
        context = encoder_hidden_states if is_cross else hidden
        query, key, value = (
            attn.head_to_batch_dim(layer(states))
            for layer, states in ((attn.to_q, hidden), (attn.to_k, context), (attn.to_v, context))
        )
        if self.cross_only and not is_cross:
            output = F.scaled_dot_product_attention(query, key, value)
        else:
            probabilities = attn.get_attention_scores(query, key, None)
            output = torch.bmm(self.controller(probabilities, attn.heads, is_cross=is_cross), value)
        return attn.to_out[1](attn.to_out[0](attn.batch_to_head_dim(output)))  # type: ignore[no-any-return]


class Published:
    """The stages in a row on a checkpoint of its own, whose weights are changed.

    Args:
        settings: steps, rates and fractions; the inversion's mode is null-text whatever they say.
    """

    def __init__(self, checkpoint: Checkpoint, scene: Scene, settings: Settings, seed: int) -> None:
        self.checkpoint, self.scene, self.settings, self.seed = checkpoint, scene, settings, seed
        self.latent_size = (scene.pixels.shape[-2] // 8, scene.pixels.shape[-1] // 8)
        self.controller = Controller(self.latent_size)
        self.schedule = ReferenceSchedule(settings.inversion.steps)

    def fine_tune(self) -> None:
        """DreamBooth's loop on one picture, with Eqs. 1 to 3."""
        checkpoint, settings, plan = self.checkpoint, self.settings.identity, self.scene.plan
        checkpoint.unet.set_attn_processor(ExplicitProcessor(self.controller, cross_only=True))
        parameters = [weight for module in checkpoint.trainable().values() for weight in module.parameters()]
        for weight in parameters:
            weight.requires_grad_(True)
        optimizer = torch.optim.AdamW(parameters, lr=settings.learning_rate, weight_decay=1e-2, eps=1e-8)
        generator = torch.Generator().manual_seed(self.seed)
        self.controller.masks = {0: (plan.source.identity[0], self.scene.mask)}
        for _ in range(settings.steps):
            draw = torch.randn(2, 1, 4, *self.latent_size, generator=generator)
            time = torch.randint(1000, (1,), generator=generator)
            with torch.no_grad():
                mean, std = checkpoint.latent_moments(self.scene.pixels)
            noisy = self.schedule.scheduler.add_noise(mean + std * draw[0], draw[1], time)
            states, plain = self._encode(plan.source), self._encode(plan.plain)
            noise = checkpoint.unet(noisy, time, encoder_hidden_states=states).sample
            cosine = F.cosine_similarity(plain[0, plan.plain.end], states[0, plan.source.identity[0]], dim=0)
            loss = F.mse_loss(noise, draw[1]) + settings.semantic_weight * cosine.abs()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, settings.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad()

    def invert(self) -> None:
        """DDIM inversion and null-text optimisation; keeps z_T and the null embeddings."""
        checkpoint, settings, plan = self.checkpoint, self.settings, self.scene.plan
        checkpoint.unet.set_attn_processor(ExplicitProcessor(self.controller, cross_only=False))
        times = self.schedule.timesteps
        masks = {0: (plan.source.identity[0], self.scene.mask)}
        with torch.no_grad():
            self.source = self._encode(plan.source)
            path = [checkpoint.latent_moments(self.scene.pixels)[0]]
            for time in reversed(times):
                path.append(self.schedule.up(self._noise(path[-1], time, self.source, masks), time, path[-1]))
            null = checkpoint.encode([None]).encoding.states
        self.start, self.null = path[-1], []
        latent = path[-1]
        for index, time in enumerate(times):
            null = null.detach().clone().requires_grad_()
            optimizer = torch.optim.Adam([null], lr=settings.inversion.learning_rate * (1 - index / 100))
            with torch.no_grad():
                conditional = self._noise(latent, time, self.source, masks)
            for _ in range(settings.inversion.inner_steps):
                noise = self._noise(latent, time, null, {})
                loss = F.mse_loss(self.schedule.down(self._guided(noise, conditional), time, latent), path[-2 - index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if loss.item() < settings.inversion.early_stop + settings.inversion.early_stop_growth * index:
                    break
            self.null.append(null.detach())
            with torch.no_grad():
                both = self._noise(latent.repeat(2, 1, 1, 1), time, torch.cat([null, self.source]), {1: masks[0]})
                latent = self.schedule.down(self._guided(*both.split(1)), time, latent)

    @torch.no_grad()
    def edit(self, plan: PromptPlan) -> Tensor:
        """Prompt-to-Prompt towards a plan's target; 1×3×H×W pixels in [-1, 1]."""
        settings, alignment = self.settings.edit, plan.alignment
        arrays = (alignment.mapper, alignment.alphas, alignment.equalizer)
        mapper, alphas, equalizer = (torch.from_numpy(array) for array in arrays)
        target = self._encode(plan.target)
        may_change = F.adaptive_avg_pool2d(self.scene.mask[None, None], self.latent_size) > 0
        masks = {2: (plan.source.identity[0], self.scene.mask), 3: (plan.target.identity[0], self.scene.mask)}
        latents = self.start.repeat(2, 1, 1, 1)
        steps = self.settings.inversion.steps
        for index, time in enumerate(self.schedule.timesteps):
            self.controller.inject = (mapper, alphas, equalizer)
            self.controller.cross = index < round(settings.cross_replace * steps)
            short = index < round(settings.self_replace * steps)
            self.controller.self_queries = settings.self_replace_max_queries if short else 0
            context = torch.cat([self.null[index].repeat(2, 1, 1), self.source, target])
            noise = self._noise(latents.repeat(2, 1, 1, 1), time, context, masks)
            self.controller.inject = None
            latents = self.schedule.down(self._guided(*noise.split(2)), time, latents)
            if index >= round(settings.local_blend_start * steps):
                latents = latents[:1] + may_change * (latents - latents[:1])
        pixels: Tensor = self.checkpoint.vae.decode(latents / self.checkpoint.vae.config.scaling_factor).sample
        return pixels[1:]

    def _encode(self, prompt: Any) -> Tensor:
        return self.checkpoint.encode([prompt]).encoding.states

    def _noise(self, latents: Tensor, time: int, context: Tensor, masks: dict[int, tuple[int, Tensor]]) -> Tensor:
        self.controller.masks = masks
        noise: Tensor = self.checkpoint.unet(latents, torch.tensor(time), encoder_hidden_states=context).sample
        return noise

    def _guided(self, null: Tensor, conditional: Tensor) -> Tensor:
        return null + self.settings.edit.guidance * (conditional - null)
