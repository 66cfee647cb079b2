"""FLUX.2 klein, base: two streams, then one, of words and picture in joint attention; Qwen3 encodes the words.

Source: diffusers' Flux2KleinPipeline and Flux2Transformer2DModel, whose numbers it gives to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..method.joint_attention import Layout, joint_attention
from ..method.process import Size
from ..method.prompts import Prompt
from .backbone import Encoded, Encoding
from .flow import PATCH, FlowCheckpoint, Joint, no_autocast, patched, unpatched

_HIDDEN = (9, 18, 27)
"""The text encoder's layers whose states stand side by side."""
_ENDS = ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out")
_SINGLE_ENDS = ("to_qkv_mlp_proj", "attn.to_out")


@dataclass(eq=False, kw_only=True)
class KleinCheckpoint(FlowCheckpoint):
    """A FLUX.2 klein checkpoint: see `FlowCheckpoint`.

    A latent is that of the autoencoder, normalised as its batch norm says. That counts over the four cells of a token,
    which stand apart here again, so that a cell is 8 px in every family.
    """

    family: ClassVar[str] = "klein"
    filled_up: ClassVar[bool] = True

    def mu(self, size: Size, steps: int) -> float:
        """The pipeline's own empirical shift."""
        from diffusers.pipelines.flux2.pipeline_flux2_klein import compute_empirical_mu

        return float(compute_empirical_mu(size[0] * size[1] // PATCH**2, steps))

    def attention(self) -> dict[str, nn.Linear]:
        return {
            name: layer
            for name, layer in self.transformer.named_modules()
            if isinstance(layer, nn.Linear) and ".attn." in name and name.endswith(_ENDS + _SINGLE_ENDS)
        }

    def _install(self, joint: Joint) -> None:
        double, single = DoubleStream(joint), SingleStream(joint)
        names = self.transformer.attn_processors
        chosen = {name: single if name.startswith("single_") else double for name in names}
        self.transformer.set_attn_processor(chosen)

    def chosen(self, hidden: Sequence[Tensor]) -> Tensor:
        """Three layers' states side by side."""
        return torch.cat([hidden[layer] for layer in _HIDDEN], dim=-1)

    def encode(self, prompts: Sequence[Prompt | None]) -> Encoded:
        """Three layers' states side by side, B×L×D, padding among them, as the pipeline has it. Eq. 1 compares them."""
        states = torch.cat([self.states_of(prompt) for prompt in prompts])
        return Encoded(Encoding(states), (states,))

    def predict(self, latents: Tensor, times: Tensor, encoding: Encoding) -> Tensor:
        """The velocity, B×32×h×w; arguments as of `Backbone.predict`, times being σ."""
        height, width = (side // PATCH for side in latents.shape[-2:])
        words = encoding.states.shape[1]
        if self.joint is not None:
            self.joint.layout = Layout((0, words), (words, words + height * width))
        self.ranks(times)
        found: Tensor = self.transformer(
            hidden_states=patched(latents).flatten(2).transpose(1, 2),
            encoder_hidden_states=encoding.states,
            # As the pipeline's scheduler hands it on: the last bit counts.
            timestep=times.to(latents) * 1000 / 1000,
            img_ids=torch.cartesian_prod(*_axes(1, height, width, 1)).to(latents.device),
            txt_ids=torch.cartesian_prod(*_axes(1, 1, 1, words)).to(latents.device),
            return_dict=False,
        )[0]
        return unpatched(found.transpose(1, 2).reshape(*latents.shape[:1], -1, height, width))

    def _norm(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the autoencoder's batch norm, 1×128×1×1."""
        norm = self.vae.bn
        std = torch.sqrt(norm.running_var.view(1, -1, 1, 1) + self.vae.config.batch_norm_eps)
        return norm.running_mean.view(1, -1, 1, 1).to(like), std.to(like)

    def latent_moments(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the posterior, normalised, 1×32×h×w, of 1×3×H×W pixels in [-1, 1]."""
        with no_autocast(pixels.device):
            posterior = self.vae.encode(pixels).latent_dist
        mean, std = self._norm(posterior.mean)
        return unpatched((patched(posterior.mean) - mean) / std), unpatched(patched(posterior.std) / std)

    def decode(self, latent: Tensor) -> Tensor:
        """Pixels in [-1, 1] (not clipped), 1×3×H×W, of a normalised latent."""
        mean, std = self._norm(latent)
        with no_autocast(latent.device):
            pixels: Tensor = self.vae.decode(unpatched(patched(latent) * std + mean), return_dict=False)[0]
        return pixels.float()


def _axes(*sizes: int) -> list[Tensor]:
    return [torch.arange(size) for size in sizes]


class DoubleStream:
    """Attention of a block in which words and picture have weights of their own; one object serves all of them."""

    def __init__(self, joint: Joint) -> None:
        self._joint = joint

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        attention_mask: Tensor | None = None,  # noqa: ARG002 - nothing here gives one
        image_rotary_emb: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """B×N×D of the picture and B×L×D of the words in, the same out."""
        own = [_heads(layer(hidden_states), attn) for layer in (attn.to_q, attn.to_k, attn.to_v)]
        added = (attn.add_q_proj, attn.add_k_proj, attn.add_v_proj)
        words = [_heads(layer(encoder_hidden_states), attn) for layer in added]
        query = torch.cat((attn.norm_added_q(words[0]), attn.norm_q(own[0])), dim=1)
        key = torch.cat((attn.norm_added_k(words[1]), attn.norm_k(own[1])), dim=1)
        found = _attention(self._joint, query, key, torch.cat((words[2], own[2]), dim=1), image_rotary_emb)
        count = encoder_hidden_states.shape[1]
        return attn.to_out[1](attn.to_out[0](found[:, count:])), attn.to_add_out(found[:, :count])


class SingleStream:
    """Attention of a block with one stream; queries, keys, values and the feed-forward part are one product."""

    def __init__(self, joint: Joint) -> None:
        self._joint = joint

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,  # noqa: ARG002
        image_rotary_emb: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """B×S×D in, B×S×D out."""
        fused = attn.to_qkv_mlp_proj(hidden_states)
        states, forward = fused.split([3 * attn.inner_dim, attn.mlp_hidden_dim * attn.mlp_mult_factor], dim=-1)
        query, key, value = (_heads(part, attn) for part in states.chunk(3, dim=-1))
        found = _attention(self._joint, attn.norm_q(query), attn.norm_k(key), value, image_rotary_emb)
        together: Tensor = attn.to_out(torch.cat((found, attn.mlp_act_fn(forward)), dim=-1))
        return together


def _heads(states: Tensor, attn: Any) -> Tensor:
    return states.view(*states.shape[:-1], -1, attn.head_dim)


def _attention(joint: Joint, query: Tensor, key: Tensor, value: Tensor, rotary: tuple[Tensor, Tensor] | None) -> Tensor:
    """B×S×h×d each in, B×S×(h·d) out."""
    from diffusers.models.embeddings import apply_rotary_emb

    if rotary is not None:
        query, key = (apply_rotary_emb(states, rotary, sequence_dim=1) for states in (query, key))
    # RMSNorm may leave float32 under autocast, where values come in half precision.
    query, key, value = (part.to(value.dtype).transpose(1, 2) for part in (query, key, value))
    return joint_attention(query, key, value, joint.control, joint.layout).transpose(1, 2).flatten(2)
