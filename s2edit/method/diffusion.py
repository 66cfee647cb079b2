"""DDIM in both directions (Song et al., 2021), its process, and a backbone as a counted predictor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from ..model.backbone import Backbone, Encoding
from .attention import Injection, Recorder, TokenMask
from .process import Size, passed_at, places_of

TRAIN_STEPS = 1000
STEPS_OFFSET = 1
"""Set explicitly: with 0 the last step would lead from alpha[0] to alpha[0], an identity in both directions."""
_MASK_TIMES = tuple(range(50, 750, 100))
"""Noise levels at which the automatic mask listens (ours)."""


class Ddim:
    """T deterministic steps between the picture's latent and noise, leading spacing, eta 0.

    Args:
        alphas: ᾱ of the 1000 training steps, float32.
        steps: T of the inversion.
        taken: so many of its timesteps, evenly spread from the noisiest on, are walked, each a longer step; 0 or T and
            more: all.
    """

    def __init__(self, alphas: Tensor, steps: int, taken: int = 0) -> None:
        self._alphas = alphas
        stride = TRAIN_STEPS // steps
        self._places = places_of(steps, taken)
        self.steps = len(self._places)
        """That are walked."""
        self.timesteps: list[int] = [(steps - 1 - place) * stride + STEPS_OFFSET for place in self._places]
        """From noise to picture."""
        self._arrivals = [*self.timesteps[1:], STEPS_OFFSET - stride]

    def alpha(self, timestep: int) -> float:
        """ᾱ at a timestep; below 0 the first one (set_alpha_to_one is False)."""
        return float(self._alphas[max(timestep, 0)])

    def upward(self, index: int) -> int:
        """The time of the step's noisier end, as published null-text inversion predicts there."""
        return self.timesteps[index]

    def step(self, noise: Tensor, index: int, latent: Tensor) -> Tensor:
        """From `timesteps[index]` one step towards the picture (Song et al., 2021, eq. 12 with σ = 0).

        Args:
            noise: ε predicted for `latent`. index: 0 is the noisiest step. latent: B×C×h×w.
        Returns:
            B×C×h×w.
        """
        return _move(noise, latent, self.alpha(self.timesteps[index]), self.alpha(self._arrivals[index]))

    def invert(self, noise: Tensor, index: int, latent: Tensor) -> Tensor:
        """One step away from the picture, to `timesteps[index]`: `step` backwards, with the noise of where it starts.

        Args:
            noise: ε predicted for `latent`. latent: B×C×h×w, one step nearer to the picture.
        Returns:
            B×C×h×w.
        """
        return _move(noise, latent, self.alpha(self._arrivals[index]), self.alpha(self.timesteps[index]))

    def passed(self, trajectory: Tensor) -> Tensor:
        """The latents of an inversion at the timesteps of this walk, which may start later or take fewer steps.

        Args:
            trajectory: (T+1)×C×h×w, from picture to noise.
        Returns:
            One latent more than this walk has steps, from picture to noise.
        """
        return passed_at(self._places, trajectory)

    def clean(self, noise: Tensor, index: int, latent: Tensor) -> Tensor:
        """The picture's latent that a prediction amounts to (Song et al., 2021, eq. 9).

        Args:
            noise: ε predicted for `latent` at `timesteps[index]`. latent: B×C×h×w.
        Returns:
            B×C×h×w.
        """
        alpha = self.alpha(self.timesteps[index])
        return _clean(noise, latent, alpha)


def _clean(noise: Tensor, latent: Tensor, alpha: float) -> Tensor:
    return cast("Tensor", (latent - (1 - alpha) ** 0.5 * noise) / alpha**0.5)


def _move(noise: Tensor, latent: Tensor, alpha_from: float, alpha_to: float) -> Tensor:
    return cast("Tensor", alpha_to**0.5 * _clean(noise, latent, alpha_from) + (1 - alpha_to) ** 0.5 * noise)


@dataclass(frozen=True, eq=False)
class Diffusion:
    """The process of a model that predicts noise; `alphas`: ᾱ of the 1000 training steps, float32."""

    alphas: Tensor

    def walk(self, size: Size, steps: int, taken: int = 0) -> Ddim:  # noqa: ARG002 - the same at all sizes
        """DDIM in T steps, or `taken` of them."""
        return Ddim(self.alphas, steps, taken)

    def drawn(self, rows: int, size: Size, generator: torch.Generator) -> Tensor:  # noqa: ARG002
        """Uniform timesteps, int64."""
        return torch.randint(TRAIN_STEPS, (rows,), generator=generator)

    def spread(self, places: Tensor, size: Size) -> Tensor:  # noqa: ARG002
        """Timesteps at places from 0 to 1, int64."""
        # The last place may round up to 1.
        return (places * TRAIN_STEPS).long().clamp(max=TRAIN_STEPS - 1)

    def noisy(self, latents: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """√ᾱ z + √(1 - ᾱ) ε, B×C×h×w, at B timesteps."""
        alpha = self.alphas[times].to(latents.device)[:, None, None, None]
        return alpha.sqrt() * latents + (1 - alpha).sqrt() * noise

    def goal(self, latents: Tensor, noise: Tensor) -> Tensor:  # noqa: ARG002
        """The noise ε."""
        return noise

    def listened(self, latent: Tensor, noise: Tensor) -> Iterator[tuple[float, Tensor]]:
        """Timesteps 50 to 650, each with the noisy latent."""
        for time in _MASK_TIMES:
            alpha = float(self.alphas[time])
            yield time, alpha**0.5 * latent + (1 - alpha) ** 0.5 * noise


class Denoiser:
    """The prediction for (z, t, encoding) under an attention control of its own; what it is, `model.process` knows.

    Rows are counted as U-Net forward equivalents.

    Args:
        autocast: dtype of the network's matrix products, or None for that of its weights.
    """

    def __init__(self, model: Backbone, *, autocast: torch.dtype | None = None) -> None:
        self.model = model
        self.control = model.control()
        self.forwards = 0
        self.autocast = autocast

    def __call__(
        self,
        latents: Tensor,
        timestep: float | Tensor,
        encodings: Encoding,
        *,
        masks: Sequence[TokenMask] = (),
        injection: Injection | None = None,
        recorder: Recorder | None = None,
    ) -> Tensor:
        """The prediction, B×C×h×w float32, of B latents with B rows of encodings, under an attention control."""
        self.forwards += latents.shape[0]
        self.control.set_latent_size(*latents.shape[-2:])
        self.control.masks, self.control.injection, self.control.recorder = tuple(masks), injection, recorder
        times = torch.as_tensor(timestep, device=latents.device).expand(latents.shape[0])
        with torch.autocast(latents.device.type, self.autocast, enabled=self.autocast is not None):
            return self.model.predict(latents, times, encodings).float()
