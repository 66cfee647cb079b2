"""Rectified flow (Liu et al., 2023; Esser et al., 2024): z_σ = (1 - σ) z + σ ε; the velocity ε - z is predicted.

A time is σ itself, from 1, noise, to 0, the picture. Euler's steps lead both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .process import Size, passed_at, places_of

_MASK_TIMES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
"""Noise levels at which the automatic mask listens (ours)."""
_PUBLISHED_STEPS = 50
"""For which the shift of training's times is taken, where a family's depends on the number of steps (ours)."""
_NEARLY = 1e-4
"""The outermost part of the times that training draws, where the normal distribution's quantile is infinite."""


class Euler:
    """Deterministic steps between σ = 1 and σ = 0.

    Args:
        sigmas: T+1 of them, from noise to picture; the last is 0.
        taken: so many of the T steps, evenly spread from the noisiest on, are walked, each a longer step; 0: all.
    """

    def __init__(self, sigmas: Sequence[float], taken: int = 0) -> None:
        self._places = places_of(len(sigmas) - 1, taken)
        self.steps = len(self._places)
        """That are walked."""
        self.timesteps: list[float] = [sigmas[place] for place in self._places]
        """σ of each, from noise to picture."""
        self._arrivals = [*self.timesteps[1:], sigmas[-1]]

    def upward(self, index: int) -> float:
        """σ of the step's end nearer to the picture: there the way back starts."""
        return self._arrivals[index]

    def step(self, predicted: Tensor, index: int, latent: Tensor) -> Tensor:
        """From `timesteps[index]` one step towards the picture, B×C×h×w, by the velocity predicted for `latent`."""
        return latent + (self._arrivals[index] - self.timesteps[index]) * predicted

    def invert(self, predicted: Tensor, index: int, latent: Tensor) -> Tensor:
        """One step away from the picture, to `timesteps[index]`, by the velocity predicted at `upward(index)`."""
        return latent + (self.timesteps[index] - self._arrivals[index]) * predicted

    def passed(self, trajectory: Tensor) -> Tensor:
        """See `process.Walk.passed`."""
        return passed_at(self._places, trajectory)

    def clean(self, predicted: Tensor, index: int, latent: Tensor) -> Tensor:
        """z = z_σ - σ v, B×C×h×w."""
        return latent - self.timesteps[index] * predicted


@dataclass(frozen=True, eq=False)
class Flow:
    """The process of a model that predicts velocities.

    Args:
        scheduler: the configuration of diffusers' FlowMatchEulerDiscreteScheduler, as the model's folder has it.
        mu: the shift for a size of the latent and a number of steps, as the family's pipeline has it.
    """

    scheduler: Mapping[str, Any]
    mu: Callable[[Size, int], float]

    def sigmas(self, size: Size, steps: int) -> list[float]:
        """σ from noise to picture for T steps, and 0, as the family's pipeline takes them."""
        from diffusers import FlowMatchEulerDiscreteScheduler

        scheduler = FlowMatchEulerDiscreteScheduler.from_config(dict(self.scheduler))
        evenly = torch.linspace(1.0, 1 / steps, steps, dtype=torch.float64).tolist()
        scheduler.set_timesteps(sigmas=evenly, mu=self.mu(size, steps))
        found: list[float] = scheduler.sigmas.tolist()
        return found

    def walk(self, size: Size, steps: int, taken: int = 0) -> Euler:
        """Euler's method in T steps, or `taken` of them."""
        return Euler(self.sigmas(size, steps), taken)

    def drawn(self, rows: int, size: Size, generator: torch.Generator) -> Tensor:
        """`spread` of independent uniform places."""
        return self.spread(torch.rand(rows, generator=generator), size)

    def spread(self, places: Tensor, size: Size) -> Tensor:
        """σ at places of the logit-normal distribution (Esser et al., 2024, eq. 19), shifted as sampling's steps are.

        The shift e^μ σ / (1 + (e^μ - 1) σ) adds μ to σ's logit.
        """
        normal = torch.special.ndtri(places.double().clamp(_NEARLY, 1 - _NEARLY))
        dynamic = bool(self.scheduler.get("use_dynamic_shifting"))
        mu = self.mu(size, _PUBLISHED_STEPS) if dynamic else 0.0
        shift = 1.0 if dynamic else float(self.scheduler.get("shift", 1.0))
        logits = normal + mu + torch.tensor(shift, dtype=torch.float64).log()
        found: Tensor = logits.sigmoid().float()
        return found

    def noisy(self, latents: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """(1 - σ) z + σ ε, B×C×h×w, at B values of σ."""
        sigma = times.to(latents)[:, None, None, None]
        return (1 - sigma) * latents + sigma * noise

    def goal(self, latents: Tensor, noise: Tensor) -> Tensor:
        """The velocity ε - z."""
        return noise - latents

    def listened(self, latent: Tensor, noise: Tensor) -> Iterator[tuple[float, Tensor]]:
        """σ from 0.1 to 0.7, each with the noisy latent."""
        for sigma in _MASK_TIMES:
            yield sigma, (1 - sigma) * latent + sigma * noise
