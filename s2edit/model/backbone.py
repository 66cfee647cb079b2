"""What the method asks of a model, whatever its family: the files of the families beside this one answer.

Shapes: B rows, L tokens, D channels of the states that the denoiser attends to, P of a pooled state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..method.attention import AttentionControl
from ..method.process import Process
from ..method.prompts import Prompt, PromptTokenizer
from ..picture.esrgan import Enlarger
from ..picture.framing import Framing
from ..picture.upscaling import Upscaler
from ..settings import IdentitySettings, Level
from .weights import Learned


@dataclass(frozen=True, eq=False)
class Encoding:
    """What a prediction is conditioned on: states B×L×D, and B×P pooled states where the family has them.

    Args:
        lengths: where prompts are not filled up, how many of the L states are each row's; the rest is nothing.
    """

    states: Tensor
    pooled: Tensor | None = None
    lengths: tuple[int, ...] | None = None

    def __getitem__(self, rows: slice) -> Encoding:
        """Some of the rows."""
        pooled, lengths = self.pooled, self.lengths
        return Encoding(
            self.states[rows], None if pooled is None else pooled[rows], None if lengths is None else lengths[rows]
        )

    def __len__(self) -> int:
        """B."""
        return self.states.shape[0]

    def with_states(self, states: Tensor, lengths: tuple[int, ...] | None = None) -> Encoding:
        """The same with other states, such as another null embedding; the pooled state is repeated to fit.

        Args:
            states: B×L×D, B a multiple of this one's rows. lengths: theirs; without, as before.
        """
        count, own = states.shape[0] // len(self), lengths or self.lengths
        pooled = None if self.pooled is None else self.pooled.repeat(count, 1)
        return Encoding(states, pooled, None if own is None else own * (states.shape[0] // len(own)))

    def repeated(self, count: int) -> Encoding:
        """One row, `count` times."""
        pooled = None if self.pooled is None else self.pooled.expand(count, -1)
        lengths = None if self.lengths is None else self.lengths * count
        return Encoding(self.states.expand(count, -1, -1), pooled, lengths)

    @staticmethod
    def cat(parts: Sequence[Encoding]) -> Encoding:
        """Rows of several encodings, of one family, one after the other."""
        pooled = [part.pooled for part in parts if part.pooled is not None]
        lengths = tuple(length for part in parts for length in part.lengths or ())
        longest = max(part.states.shape[1] for part in parts)
        states = [F.pad(part.states, (0, 0, 0, longest - part.states.shape[1])) for part in parts] if lengths else None
        return Encoding(
            torch.cat(states or [part.states for part in parts]),
            torch.cat(pooled) if pooled else None,
            lengths or None,
        )


@dataclass(frozen=True, eq=False)
class Encoded:
    """Prompts as the text encoders see them.

    Args:
        encoding: for the denoiser.
        spaces: of each text encoder its B×L×D' states where Eq. 1 compares them: e_P is that of the prompt's end.
    """

    encoding: Encoding
    spaces: tuple[Tensor, ...]


class Backbone(Protocol):
    """A text-to-image model in evaluation mode; what an identity trains is float32, whatever the rest is.

    Args:
        family: its key in `families`. tokenizer: what prompts are aligned by.
        process: from pictures to noise, and what is predicted. native_size: px of the square it was trained at.
        map_strides: latent cells on a side per query, of the layers that attend to words.
        carries_words: whether injection carries attention to words over, as in a U-Net's cross-attention; in joint
            attention it is the picture's queries and keys alone.
        model_hash: SHA-256 over weights and configurations.
        half: dtype of the autoencoder's products where it was made for that; None for float32.
    """

    family: ClassVar[str]
    tokenizer: PromptTokenizer
    native_size: int
    map_strides: ClassVar[tuple[int, ...]]
    carries_words: ClassVar[bool]
    model_hash: str
    upscaler: Upscaler | Enlarger | None
    framing: Framing | None
    half: torch.dtype | None

    @property
    def process(self) -> Process:
        """From pictures to noise, and what is predicted."""

    @property
    def network(self) -> nn.Module:
        """The denoiser."""

    @property
    def device(self) -> torch.device:
        """Where the networks are."""

    def control(self) -> AttentionControl:
        """Put the denoiser's attention under a control of its own, which is returned."""

    def encode(self, prompts: Sequence[Prompt | None]) -> Encoded:
        """Encode prompts with their identity tokens; None is the empty prompt, as guidance takes it."""

    def predict(self, latents: Tensor, times: Tensor, encoding: Encoding) -> Tensor:
        """What the denoiser predicts; `process` says what that is.

        Args:
            latents: B×C×h×w. times: B of `process`'s. encoding: of B rows.
        Returns:
            B×C×h×w.
        """

    def latent_moments(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the posterior, scaled, 1×C×h×w, of 1×3×H×W pixels in [-1, 1]."""

    def decode(self, latent: Tensor) -> Tensor:
        """Pixels in [-1, 1] (not clipped), 1×3×H×W, of a scaled latent."""

    def model_size(self, width: int, height: int, native: int | None = None) -> tuple[int, int]:
        """(height, width) at which it sees a crop, px.

        Args:
            width, height: the crop's, px. native: the side it was trained at, in the place of its own.
        Raises:
            ImageError: `image_size`, for a crop without pixels.
        """

    def networks(self) -> Mapping[str, nn.Module]:
        """All networks, by name."""

    def trainable(self) -> Mapping[str, nn.Module]:
        """What identity fine-tuning may change, by name."""

    def trained_weights(self, level: Level) -> list[nn.Parameter]:
        """The weights that a level trains as they are (for "lora": the token embeddings, beside its factors)."""

    def adapt(self, settings: IdentitySettings, generator: torch.Generator) -> list[nn.Parameter]:
        """Put fresh low-rank factors on `projections` for level "lora", which are returned; `settings`: their rank."""

    def settle(self) -> None:
        """After training at level "lora": the layers are to be used with what the factors learned."""

    def learned(self) -> Learned:
        """What keeps the published model and what an identity makes of it apart."""

    def projections(self) -> list[nn.Linear]:
        """The layers that level "lora" adapts: queries, keys, values and outputs of all attention."""

    def activations(self, size: tuple[int, int], level: Level, rows: int) -> int:
        """Bytes that a training step at (h, w) px takes beyond weights and their gradients, found by shapes alone."""

    def recompute(self, *, on: bool) -> None:
        """Turn gradient checkpointing of the denoiser on or off."""

    def move_to(self, device: torch.device) -> None:
        """Move all networks."""
