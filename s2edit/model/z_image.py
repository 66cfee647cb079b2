"""Z-Image: one stream of picture and words in joint attention, the picture first; Qwen3 encodes the words.

Source: diffusers' ZImagePipeline and ZImageTransformer2DModel, whose numbers it gives to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..method.attention import attended
from ..method.joint_attention import Layout, joint_attention
from ..method.process import Size
from ..method.prompts import Prompt
from .backbone import Encoded, Encoding
from .flow import PATCH, FlowCheckpoint, Joint, no_autocast

_MULTIPLE = 32
"""Tokens of each kind are filled up to a multiple of it, with a learned token that is attended to."""


@dataclass(eq=False, kw_only=True)
class ZImageCheckpoint(FlowCheckpoint):
    """A Z-Image checkpoint: see `FlowCheckpoint`. Its first blocks see words or picture alone, and stay as they are."""

    family: ClassVar[str] = "z-image"
    filled_up: ClassVar[bool] = False

    def mu(self, size: Size, steps: int) -> float:  # noqa: ARG002 - the same for all numbers of steps
        """The pipeline's shift, linear in the number of tokens, where the scheduler asks for one."""
        from diffusers.pipelines.z_image.pipeline_z_image import calculate_shift

        names = ("base_image_seq_len", "max_image_seq_len", "base_shift", "max_shift")
        defaults = (256, 4096, 0.5, 1.15)
        bounds = (self.scheduler.get(name, default) for name, default in zip(names, defaults, strict=True))
        return float(calculate_shift(size[0] * size[1] // PATCH**2, *bounds))

    def attention(self) -> dict[str, nn.Linear]:
        """Queries, keys, values and outputs of the joint blocks, by name."""
        return {
            name: layer
            for name, layer in self.transformer.named_modules()
            if isinstance(layer, nn.Linear) and name.startswith("layers.") and ".attention." in name
        }

    def _install(self, joint: Joint) -> None:
        network = self.transformer
        for blocks, processor in (
            (network.layers, OneStream(joint)),
            ((*network.noise_refiner, *network.context_refiner), OneStream(None)),
        ):
            for block in blocks:
                block.attention.set_processor(processor)

    def chosen(self, hidden: Sequence[Tensor]) -> Tensor:
        """The last layer's but one."""
        return hidden[-2]

    def encode(self, prompts: Sequence[Prompt | None]) -> Encoded:
        """States of each prompt's own tokens, template and all, without padding. Eq. 1 compares them."""
        found = Encoding.cat([Encoding(one, lengths=(one.shape[1],)) for one in map(self.states_of, prompts)])
        return Encoded(found, (found.states,))

    def predict(self, latents: Tensor, times: Tensor, encoding: Encoding) -> Tensor:
        """The velocity, B×16×h×w; arguments as of `Backbone.predict`, times being σ."""
        count = latents.shape[-2] * latents.shape[-1] // PATCH**2
        start = count + -count % _MULTIPLE
        lengths = encoding.lengths or (encoding.states.shape[1],) * len(encoding)
        if self.joint is not None:
            self.joint.layout = Layout((start, start + max(lengths)), (0, count))
        self.ranks(times)
        found: list[Tensor] = self.transformer(
            list(latents[:, :, None].unbind()),
            # As the pipeline's scheduler hands it on: the last bit counts.
            (1000 - times.to(latents) * 1000) / 1000,
            [states[:length] for states, length in zip(encoding.states, lengths, strict=True)],
            return_dict=False,
        )[0]
        # Its time runs from noise to picture, and so does its velocity.
        return -torch.stack(found).squeeze(2)

    def latent_moments(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the posterior, shifted and scaled, 1×16×h×w, of 1×3×H×W pixels in [-1, 1]."""
        with no_autocast(pixels.device):
            posterior = self.vae.encode(pixels).latent_dist
        scale = float(self.vae.config.scaling_factor)
        return (posterior.mean - float(self.vae.config.shift_factor)) * scale, posterior.std * scale

    def decode(self, latent: Tensor) -> Tensor:
        """Pixels in [-1, 1] (not clipped), 1×3×H×W, of a shifted and scaled latent."""
        raw = latent / float(self.vae.config.scaling_factor) + float(self.vae.config.shift_factor)
        with no_autocast(latent.device):
            pixels: Tensor = self.vae.decode(raw, return_dict=False)[0]
        return pixels.float()


class OneStream:
    """Attention of a block in which words and picture share weights, or there is one kind alone, without `joint`."""

    def __init__(self, joint: Joint | None) -> None:
        self._joint = joint

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,  # noqa: ARG002 - nothing here gives one
        attention_mask: Tensor | None = None,
        freqs_cis: Tensor | None = None,
    ) -> Tensor:
        """B×S×D in, B×S×D out. `attention_mask`: B×S bool, which tokens there are."""
        query, key, value = (
            layer(hidden_states).view(*hidden_states.shape[:2], attn.heads, -1)
            for layer in (attn.to_q, attn.to_k, attn.to_v)
        )
        query, key = (
            _turned(norm(part) if norm is not None else part, freqs_cis)
            for norm, part in ((attn.norm_q, query), (attn.norm_k, key))
        )
        query, key, value = (part.to(value.dtype).transpose(1, 2) for part in (query, key, value))
        joint = self._joint
        if joint is None:
            present = None if attention_mask is None else attention_mask[:, None, None, :]
            found = attended(query, key, value, present)
        else:
            found = joint_attention(query, key, value, joint.control, joint.layout, attention_mask)
        output: Tensor = attn.to_out[0](found.transpose(1, 2).flatten(2))
        return output


def _turned(states: Tensor, turns: Tensor | None) -> Tensor:
    """Rotary positions: B×S×h×d by B×S×d/2 complex numbers, in float32."""
    if turns is None:
        return states
    pairs = torch.view_as_complex(states.float().unflatten(-1, (-1, 2)))  # type: ignore[no-untyped-call]
    return torch.view_as_real(pairs * turns[:, :, None]).flatten(3).to(states.dtype)
