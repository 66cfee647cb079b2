"""How a family of models turns a picture into noise, and how the way back is walked, in steps.

A `Process` is a family's own: diffusion with noise ε to be predicted (`diffusion.Diffusion`), or a straight flow with a
velocity to be predicted (`flow.Flow`). All that is computed with predictions goes through it, so that nothing else asks
what they mean. Shapes: B rows, latents B×C×h×w; a size is (h, w) of the latent, in cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

Size = tuple[int, int]


class Walk(Protocol):
    """Deterministic steps between a picture's latent and noise; their number is `steps`."""

    steps: int

    @property
    def timesteps(self) -> Sequence[float]:
        """The time of each step's prediction, from noise to picture, as the model takes it."""

    def upward(self, index: int) -> float:
        """The time of the prediction that `invert` takes for a step."""

    def step(self, predicted: Tensor, index: int, latent: Tensor) -> Tensor:
        """From `timesteps[index]` one step towards the picture.

        Args:
            predicted: for `latent`. index: 0 is the noisiest step. latent: B×C×h×w.
        Returns:
            B×C×h×w.
        """

    def invert(self, predicted: Tensor, index: int, latent: Tensor) -> Tensor:
        """One step away from the picture, to `timesteps[index]`.

        Args:
            predicted: for `latent` at the time `upward(index)`. latent: B×C×h×w, one step nearer to the picture.
        Returns:
            B×C×h×w.
        """

    def passed(self, trajectory: Tensor) -> Tensor:
        """The latents of an inversion at the timesteps of this walk, which may start later or take fewer steps.

        Args:
            trajectory: (T+1)×C×h×w, from picture to noise.
        Returns:
            One latent more than this walk has steps, from picture to noise.
        """

    def clean(self, predicted: Tensor, index: int, latent: Tensor) -> Tensor:
        """The picture's latent that a prediction for `latent` at `timesteps[index]` amounts to, B×C×h×w."""


class Process(Protocol):
    """What a family's predictions mean, and at which times they are made."""

    def walk(self, size: Size, steps: int, taken: int = 0) -> Walk:
        """T steps between a picture and noise, or `taken` of them, evenly spread from the noisiest on."""

    def drawn(self, rows: int, size: Size, generator: torch.Generator) -> Tensor:
        """Independent times for training, `rows` of them, as the family's own training draws them."""

    def spread(self, places: Tensor, size: Size) -> Tensor:
        """The times below which so large a part of all `drawn` ones lies.

        Args:
            places: any shape, 0 to 1.
        Returns:
            Of the same shape.
        """

    def noisy(self, latents: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """Latents B×C×h×w with noise of the same shape, each at its own of B times."""

    def goal(self, latents: Tensor, noise: Tensor) -> Tensor:
        """What should be predicted for `noisy`, B×C×h×w."""

    def listened(self, latent: Tensor, noise: Tensor) -> Iterator[tuple[float, Tensor]]:
        """Times at which the automatic mask listens (ours), from shapes that are settled to shapes still open.

        Each comes with the latent at that time.
        """


def places_of(steps: int, taken: int) -> list[int]:
    """Which of T steps are walked, from the noisiest on; all of them where `taken` is 0, or T and more."""
    walked = min(taken, steps) or steps
    return [index * steps // walked for index in range(walked)]


def passed_at(places: Sequence[int], trajectory: Tensor) -> Tensor:
    """`Walk.passed` of the steps at these places."""
    noise = trajectory.shape[0] - 1
    return trajectory[[0, *(noise - place for place in reversed(places))]]
