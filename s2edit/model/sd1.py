"""Stable Diffusion 1.x: one CLIP text encoder, a cross-attention U-Net, a KL autoencoder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..method.attention import AttentionControl, install
from ..method.diffusion import Diffusion
from ..method.prompts import MAX_IDENTITIES, RARE_WORD, Prompt, PromptTokenizer
from ..picture.esrgan import Enlarger
from ..picture.framing import Framing
from ..picture.upscaling import Upscaler
from ..settings import IdentitySettings, Level
from . import low_rank, unet_memory
from .backbone import Encoded, Encoding
from .families import FAMILIES
from .weights import BaseWeights

_PROJECTIONS = ("to_q", "to_k", "to_v", "to_out.0", "q_proj", "k_proj", "v_proj", "out_proj")
_KEYS_VALUES = (".attn2.to_k", ".attn2.to_v")


@dataclass(eq=False)
class Checkpoint:
    """The networks of a checkpoint, a `backbone.Backbone`; also what other families of the kind share.

    Args:
        unet, text_encoder, vae: diffusers' and transformers' modules.
        tokenizer: of the text encoder. alphas: ᾱ of the 1000 training steps, float32.
        native_size: px of the short side it was trained at. size_multiple: px that both sides must be a multiple of.
        model_hash: SHA-256 over all weights and configurations but the last two's, hexadecimal.
        upscaler: for what it draws. framing: finds what it knows; stays on the CPU. Both from the checkpoint's folder
            (a single file's: that of its configuration); None without one.
        half: see `backbone.Backbone`.
    """

    unet: Any
    text_encoder: Any
    vae: Any
    tokenizer: PromptTokenizer
    alphas: Tensor
    native_size: int
    size_multiple: int
    model_hash: str
    upscaler: Upscaler | Enlarger | None = None
    framing: Framing | None = None
    half: torch.dtype | None = None
    family: ClassVar[str] = "sd1"
    map_strides: ClassVar[tuple[int, ...]] = (1, 2, 4, 8)
    carries_words: ClassVar[bool] = True

    @classmethod
    def stated_in(cls, folder: Path) -> dict[str, Any]:
        """Arguments that a checkpoint's configuration states, beyond what all families of the kind read."""
        del folder
        return {}

    @property
    def process(self) -> Diffusion:
        """From pictures to noise, which is predicted."""
        return Diffusion(self.alphas)

    @property
    def network(self) -> nn.Module:
        """The U-Net."""
        return self.unet  # type: ignore[no-any-return]

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.unet.device  # type: ignore[no-any-return]

    def text_encoders(self) -> dict[str, nn.Module]:
        """All of them, by name."""
        return {"text_encoder": self.text_encoder}

    def trainable(self) -> dict[str, nn.Module]:
        """What identity fine-tuning may change, by name."""
        return {"unet": self.unet, **self.text_encoders()}

    def networks(self) -> dict[str, nn.Module]:
        """All networks, by name."""
        return {**self.trainable(), "vae": self.vae}

    def control(self) -> AttentionControl:
        """Put the U-Net's attention under a control of its own, which is returned."""
        return install(self.unet)

    def encode(self, prompts: Sequence[Prompt | None]) -> Encoded:
        """The last hidden states after the final layer norm, B×L×D for B prompts (CLIP's: 77×768).

        The denoiser attends to them, and Eq. 1 compares them.
        """
        ids = [self.tokenizer.padded(prompt) for prompt in prompts]
        states: Tensor = self.text_encoder(torch.tensor(ids, device=self.device)).last_hidden_state.float()
        return Encoded(Encoding(states), (states,))

    def predict(self, latents: Tensor, times: Tensor, encoding: Encoding) -> Tensor:
        """The predicted noise, B×4×h×w; arguments as of `Backbone.predict`."""
        more = self.conditions(latents, encoding)
        noise: Tensor = self.unet(latents, times, encoder_hidden_states=encoding.states, return_dict=False, **more)[0]
        return noise

    def conditions(self, latents: Tensor, encoding: Encoding) -> dict[str, Any]:  # noqa: ARG002
        """What the U-Net takes beside latents, times and states, by its own argument's name: nothing here."""
        return {}

    def latent_moments(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the posterior, scaled, 1×4×h×w, of 1×3×H×W pixels in [-1, 1]."""
        with self._autoencoding(pixels.device):
            posterior = self.vae.encode(pixels).latent_dist
        scale = float(self.vae.config.scaling_factor)
        return posterior.mean.float() * scale, posterior.std.float() * scale

    def decode(self, latent: Tensor) -> Tensor:
        """Pixels in [-1, 1] (not clipped), 1×3×H×W, of a scaled latent."""
        with self._autoencoding(latent.device):
            pixels: Tensor = self.vae.decode(latent / float(self.vae.config.scaling_factor), return_dict=False)[0]
        return pixels.float()

    def _autoencoding(self, device: torch.device) -> torch.autocast:
        """float32, whatever is on around it: activations overflow float16, unless the autoencoder was mended for it."""
        half = None if self.vae.config.force_upcast else self.half
        return torch.autocast(device.type, half, enabled=half is not None)

    def model_size(self, width: int, height: int, native: int | None = None) -> tuple[int, int]:
        """(height, width) px at which it sees a crop of that size."""
        return FAMILIES[self.family].size(width, height, native or self.native_size, self.size_multiple)

    def trained_weights(self, level: Level) -> list[nn.Parameter]:
        """The weights that a level trains as they are (for "lora": the token embeddings, beside its factors)."""
        encoders = self.text_encoders().values()
        if level == "lora":
            return [encoder.get_input_embeddings().weight for encoder in encoders]  # type: ignore[operator]
        text = [weight for encoder in encoders for weight in encoder.parameters()]
        named = self.unet.named_parameters()
        return text + [w for name, w in named if level != "kv" or any(part in name for part in _KEYS_VALUES)]

    def adapt(self, settings: IdentitySettings, generator: torch.Generator) -> list[nn.Parameter]:
        """Put low-rank updates on the projections' weights; returns the factors."""
        return low_rank.adapt(self.projections(), settings.lora_rank, generator)

    def settle(self) -> None:
        """Make the updated weights those of the layers."""
        low_rank.fold(self.projections())

    def learned(self) -> BaseWeights:
        """The published weights, kept where something changes them."""
        return BaseWeights(self.trainable())

    def projections(self) -> list[nn.Linear]:
        """The layers that level "lora" adapts: queries, keys, values and outputs of all attention."""
        return [
            layer
            for module in self.trainable().values()
            for name, layer in module.named_modules()
            if isinstance(layer, nn.Linear) and name.endswith(_PROJECTIONS)
        ]

    def activations(self, size: tuple[int, int], level: Level, rows: int) -> int:
        """Bytes that a training step takes beyond weights and their gradients: the U-Net's, which outweigh the rest."""
        config = json.dumps(dict(self.unet.config), sort_keys=True, default=str)
        return unet_memory.activations(config, self.tokenizer.length, size, level, rows)

    def recompute(self, *, on: bool) -> None:
        """Turn gradient checkpointing of the U-Net on or off."""
        (self.unet.enable_gradient_checkpointing if on else self.unet.disable_gradient_checkpointing)()

    def move_to(self, device: torch.device) -> None:
        """Move all networks, on the CPU with the convolutions' channels last in memory.

        The numbers stay the same up to rounding. Nothing has to be put into another order between convolutions and
        attention then, which saves the embedded model about a tenth of its time. On other devices nobody has measured.
        """
        convolutional = [self.unet, self.vae, *([self.upscaler.network] if self.upscaler else [])]
        for module in (*convolutional, *self.text_encoders().values()):
            module.to(device)
        if device.type == "cpu":
            for module in convolutional:
                module.to(memory_format=torch.channels_last)


def add_identity_rows(text_encoder: Any, tokenizer: PromptTokenizer) -> None:
    """Append embedding rows for the identity tokens, each a copy of a rare token's (the mean of its pieces')."""
    old = text_encoder.get_input_embeddings()
    rows = tokenizer.vocabulary_size + MAX_IDENTITIES
    new = nn.Embedding(max(rows, old.num_embeddings), old.embedding_dim).requires_grad_(False)
    pieces = list(tokenizer.encode(RARE_WORD).ids[1:-1])
    new.weight[: old.num_embeddings] = old.weight
    new.weight[tokenizer.vocabulary_size : rows] = old.weight[pieces].mean(dim=0)
    text_encoder.set_input_embeddings(new)
