"""What flow transformers with a language model as text encoder share: FLUX.2 klein and Z-Image.

Their weights stay as published. An identity is a row of the text encoder's embedding for each [I], and low-rank factors
beside the transformer's attention.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..method.attention import AttentionControl
from ..method.flow import Flow
from ..method.joint_attention import Layout
from ..method.process import Size
from ..method.prompts import MAX_IDENTITIES, RARE_WORD, Prompt, PromptTokenizer
from ..picture.esrgan import Enlarger
from ..picture.framing import Framing
from ..picture.upscaling import Upscaler
from ..settings import IdentitySettings, Level
from . import transformer_memory
from .backbone import Encoded, Encoding
from .families import FAMILIES
from .low_rank import Factors, LearnedBeside, ranks_at

PATCH = 2
"""Cells of the latent on a side of a token."""
_KEPT_PROMPTS = 16
"""Encodings of prompts without [I], which nothing that is learned changes."""


@dataclass(eq=False)
class Joint:
    """A transformer's attention under control: the control, and where the tokens of this pass stand."""

    control: AttentionControl
    layout: Layout = Layout((0, 0), (0, 0))  # noqa: RUF009 - frozen


class IdentityRows(nn.Module):
    """An embedding with rows of its own for the identity tokens, each at first a copy of a rare token's.

    Args:
        base: as published. first: id of the first identity token. rare: ids of the rare token's pieces.
    """

    def __init__(self, base: nn.Embedding, first: int, rare: Sequence[int]) -> None:
        super().__init__()
        self.base, self.first = base, first
        start = base.weight.detach()[list(rare)].float().mean(dim=0)
        self.rows = nn.Parameter(start.repeat(MAX_IDENTITIES, 1), requires_grad=False)

    def forward(self, ids: Tensor) -> Tensor:
        """The embeddings of ids, any shape×D."""
        known: Tensor = self.base(ids.clamp(max=self.first - 1))
        own = F.embedding((ids - self.first).clamp(min=0), self.rows).to(known.dtype)
        return torch.where((ids >= self.first)[..., None], own, known)


@dataclass(eq=False, kw_only=True)
class FlowCheckpoint(ABC):
    """The networks of a flow model, a `backbone.Backbone`.

    Args:
        transformer, text_encoder, vae: diffusers' and transformers' modules.
        tokenizer: of the text encoder. scheduler: its configuration, see `Flow`.
        native_size: px of the square it was trained at. model_hash, upscaler, framing, half: see `Backbone`.
    """

    transformer: Any
    text_encoder: Any
    vae: Any
    tokenizer: PromptTokenizer
    scheduler: Mapping[str, Any]
    native_size: int
    model_hash: str
    upscaler: Upscaler | Enlarger | None = None
    framing: Framing | None = None
    half: torch.dtype | None = None
    factors: Factors = field(init=False)
    rows: IdentityRows = field(init=False)
    joint: Joint | None = field(init=False, default=None)
    _counted: dict[tuple[tuple[int, int], int], int] = field(init=False, default_factory=dict)
    _known: dict[tuple[int, ...], Tensor] = field(init=False, default_factory=dict)
    family: ClassVar[str]
    map_strides: ClassVar[tuple[int, ...]] = (PATCH,)
    carries_words: ClassVar[bool] = False
    filled_up: ClassVar[bool]
    """Whether prompts come with padding, up to the tokenizer's length."""

    def __post_init__(self) -> None:
        """Give the text encoder its identity rows, and the transformer a place for factors."""
        rare = self.tokenizer.encode(RARE_WORD)
        base = self.text_encoder.get_input_embeddings()
        self.rows = IdentityRows(base, self.tokenizer.vocabulary_size, rare.ids[rare.head : rare.end])
        self.text_encoder.set_input_embeddings(self.rows)
        self.factors = Factors(self.attention())

    @abstractmethod
    def mu(self, size: Size, steps: int) -> float:
        """The shift of the noise levels, as the family's pipeline has it, for a latent (h, w) and a number of steps."""

    @abstractmethod
    def attention(self) -> dict[str, nn.Linear]:
        """Queries, keys, values and outputs of the transformer's attention, by name."""

    @abstractmethod
    def _install(self, joint: Joint) -> None:
        """Put the transformer's attention under a control."""

    @abstractmethod
    def chosen(self, hidden: Sequence[Tensor]) -> Tensor:
        """What the transformer is conditioned on, 1×L×D, of all the text encoder's hidden states, 1×L×D' each."""

    def _states(self, ids: Tensor, there: Tensor) -> Tensor:
        """`chosen` of 1×L ids, of which `there` are no padding."""
        mask = there.long()
        found = self.text_encoder(input_ids=ids, attention_mask=mask, output_hidden_states=True, use_cache=False)
        return self.chosen(found.hidden_states)

    @abstractmethod
    def encode(self, prompts: Sequence[Prompt | None]) -> Encoded:
        """See `Backbone.encode`; Eq. 1 compares what the transformer is conditioned on."""

    @abstractmethod
    def predict(self, latents: Tensor, times: Tensor, encoding: Encoding) -> Tensor:
        """The velocity; arguments as of `Backbone.predict`, times being σ."""

    @abstractmethod
    def latent_moments(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """See `Backbone.latent_moments`."""

    @abstractmethod
    def decode(self, latent: Tensor) -> Tensor:
        """See `Backbone.decode`."""

    @property
    def process(self) -> Flow:
        """A straight flow."""
        return Flow(self.scheduler, self.mu)

    @property
    def network(self) -> nn.Module:
        """The transformer."""
        return self.transformer  # type: ignore[no-any-return]

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.transformer.device  # type: ignore[no-any-return]

    def control(self) -> AttentionControl:
        """Put the transformer's attention under a control of its own, which is returned."""
        self.joint = Joint(AttentionControl())
        self._install(self.joint)
        return self.joint.control

    def states_of(self, prompt: Prompt | None) -> Tensor:
        """`_states` of a prompt's ids; those without [I] are kept, since nothing that is learned changes them."""
        count = len(self.tokenizer.before) + len(self.tokenizer.after) if prompt is None else len(prompt.ids)
        ids = self.tokenizer.padded(prompt)[: None if self.filled_up else count]
        given = torch.tensor([ids], device=self.device)
        there = (torch.arange(len(ids), device=self.device) < count)[None]
        if prompt is not None and prompt.identity:
            return self._states(given, there).float()
        if tuple(ids) not in self._known:
            if len(self._known) >= _KEPT_PROMPTS:
                self._known.clear()
            with torch.no_grad():
                self._known[tuple(ids)] = self._states(given, there).float()
        return self._known[tuple(ids)]

    def ranks(self, sigmas: Tensor) -> None:
        """Have as much of the factors' rank count as there should at B noise levels σ."""
        least = self.factors.least
        self.factors.shares = None if least is None else ranks_at(sigmas, self.factors.rank, least)

    @property
    def channels(self) -> int:
        """C of the latents."""
        return int(self.vae.config.latent_channels)

    def model_size(self, width: int, height: int, native: int | None = None) -> tuple[int, int]:
        """(height, width) px at which it sees a crop of that size."""
        family = FAMILIES[self.family]
        return family.size(width, height, native or self.native_size, family.multiple)

    def networks(self) -> dict[str, nn.Module]:
        """All networks, by name."""
        return {"transformer": self.transformer, "text_encoder": self.text_encoder, "vae": self.vae}

    def trainable(self) -> dict[str, nn.Module]:
        """The factors; the embedding's rows are `trained_weights`."""
        return {"factors": self.factors}

    def trained_weights(self, level: Level) -> list[nn.Parameter]:  # noqa: ARG002 - it has one level
        """The identity tokens' rows."""
        return [self.rows.rows]

    def projections(self) -> list[nn.Linear]:
        """The transformer's layers that factors are beside."""
        return list(self.attention().values())

    def adapt(self, settings: IdentitySettings, generator: torch.Generator) -> list[nn.Parameter]:
        """Fresh factors; blocks are computed again on the way back, since a transformer's steps keep too much."""
        self.recompute(on=True)
        least = (settings.lora_rank + 1) // 2 if settings.rank_by_noise else None
        return self.factors.start(settings.lora_rank, generator, least)

    def settle(self) -> None:
        """Leave the factors beside the weights."""
        self.recompute(on=False)
        self.rows.rows.requires_grad_(False).grad = None

    def learned(self) -> LearnedBeside:
        """The factors and the identity tokens' rows."""
        return LearnedBeside(self.factors, self.rows.rows)

    def activations(self, size: tuple[int, int], level: Level, rows: int) -> int:  # noqa: ARG002 - it has one level
        """Bytes that a training step takes beyond weights and their gradients, by transformer and text encoder."""
        if (size, rows) not in self._counted:
            self._counted[size, rows] = transformer_memory.activations(self, size, rows)
        return self._counted[size, rows]

    def recompute(self, *, on: bool) -> None:
        """Turn gradient checkpointing of the transformer and the text encoder on or off."""
        (self.transformer.enable_gradient_checkpointing if on else self.transformer.disable_gradient_checkpointing)()
        encoder = self.text_encoder
        (encoder.activation_checkpointing_enable if on else encoder.activation_checkpointing_disable)()
        # It looks whether it is being trained; nothing in it is left to chance then.
        encoder.train(on)

    def move_to(self, device: torch.device) -> None:
        """Move all networks."""
        self._known.clear()
        for module in (*self.networks().values(), self.factors, *([self.upscaler.network] if self.upscaler else [])):
            module.to(device)


def patched(latents: Tensor) -> Tensor:
    """B×4C×h/2×w/2 of B×C×h×w: the four cells of a token behind each other, within each channel."""
    return F.pixel_unshuffle(latents, PATCH)


def unpatched(latents: Tensor) -> Tensor:
    """`patched` backwards."""
    return F.pixel_shuffle(latents, PATCH)


def no_autocast(device: torch.device) -> torch.autocast:
    """float32 for an autoencoder, whatever is on around it."""
    # Shapes alone are computed in no autocast at all.
    return torch.autocast("cpu" if device.type == "meta" else device.type, enabled=False)
