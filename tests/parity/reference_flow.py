"""Flow transformers as the formulas read: one branch at a time, every probability of the joint softmax formed.

Nothing of `s2edit.method.joint_attention`, `flow` or the families' files is used; the layers' own projections are
diffusers'. The branch is that of `reference_attention`, whose maps and queries the target's pass finds by the layers'
order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from diffusers.models.embeddings import apply_rotary_emb
from diffusers.models.transformers.transformer_flux2 import _get_qkv_projections
from diffusers.pipelines.flux2.pipeline_flux2_klein import Flux2KleinPipeline, compute_empirical_mu
from diffusers.pipelines.z_image.pipeline_z_image import calculate_shift
from torch import Tensor

from s2edit.model.backbone import Encoding
from s2edit.model.flow import FlowCheckpoint
from tests.parity.reference_attention import Branch, pool


class Explicit:
    """Joint attention, head by head; `words` of the tokens are text, first or last in the sequence."""

    def __init__(self) -> None:
        self.branch: Branch
        self.words = 0
        self.first = 0

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """S×h×d each in, S×(h·d) out."""
        branch = self.branch
        height, width = (side // 2 for side in branch.latent_size)
        words = slice(self.first, self.first + self.words)
        start = 0 if self.first else self.words
        picture = slice(start, start + height * width)
        layer = len(branch.queries_keys)
        branch.queries_keys.append((query[picture], key[picture]))
        if branch.source is not None and height * width <= branch.self_queries:
            query, key = query.clone(), key.clone()
            query[picture], key[picture] = branch.source.queries_keys[layer]
        outputs, maps = [], []
        for head in range(query.shape[1]):
            scores = query[:, head] @ key[:, head].T / query.shape[2] ** 0.5
            weights = torch.exp(scores - scores.max(dim=1, keepdim=True).values)
            weights = weights / weights.sum(dim=1, keepdim=True)
            if branch.equalizer is not None:
                factor = torch.ones_like(weights)
                factor[picture, words] = torch.tensor(branch.equalizer)[: self.words]
                weights = weights * factor
            maps.append(weights[picture, words])
            outputs.append(self._masked(weights, words, picture, (height, width)) @ value[:, head])
        branch.cross_maps.append(torch.stack(maps))
        branch.shapes.append((height, width))
        return torch.cat(outputs, dim=1)

    def _masked(self, weights: Tensor, words: slice, picture: slice, shape: tuple[int, int]) -> Tensor:
        branch, masked = self.branch, weights.clone()
        for position, mask in branch.masks.items():
            own = words.start + position
            inside = pool(mask, *shape).reshape(-1)
            masked[picture, own] = weights[picture, own] * inside
            if branch.second_mask:
                for token in range(len(weights)):
                    if not picture.start <= token < picture.stop:
                        if token == own:
                            masked[token, picture] = masked[token, picture] * inside
                        elif branch.masks.get(token - words.start) is not mask:  # an object's own word is no other
                            masked[token, own] = 0
        if branch.renormalise:
            masked = masked * weights.sum(dim=-1, keepdim=True) / masked.sum(dim=-1, keepdim=True)
        return masked


class ExplicitDouble(Explicit):
    """Of klein's two-stream blocks."""

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        image_rotary_emb: Any = None,
    ) -> tuple[Tensor, Tensor]:
        parts = _get_qkv_projections(attn, hidden_states, encoder_hidden_states)
        query, key, value, words, word_keys, word_values = (part.unflatten(-1, (-1, attn.head_dim)) for part in parts)
        query = torch.cat([attn.norm_added_q(words), attn.norm_q(query)], dim=1)
        key = torch.cat([attn.norm_added_k(word_keys), attn.norm_k(key)], dim=1)
        query, key = (apply_rotary_emb(part, image_rotary_emb, sequence_dim=1) for part in (query, key))
        found = self.attend(query[0], key[0], torch.cat([word_values, value], dim=1)[0])[None]
        count = encoder_hidden_states.shape[1]
        return attn.to_out[0](found[:, count:]), attn.to_add_out(found[:, :count])


class ExplicitSingle:
    """Of klein's one-stream blocks, under the same branch."""

    def __init__(self, double: ExplicitDouble) -> None:
        self._double = double

    def __call__(
        self, attn: Any, hidden_states: Tensor, attention_mask: Tensor | None = None, image_rotary_emb: Any = None
    ) -> Tensor:
        fused = attn.to_qkv_mlp_proj(hidden_states)
        width = attn.inner_dim
        query, key, value = (
            fused[..., k * width : (k + 1) * width].unflatten(-1, (-1, attn.head_dim)) for k in range(3)
        )
        query, key = (
            apply_rotary_emb(norm(part), image_rotary_emb, sequence_dim=1)
            for norm, part in ((attn.norm_q, query), (attn.norm_k, key))
        )
        found = self._double.attend(query[0], key[0], value[0])[None]
        together: Tensor = attn.to_out(torch.cat([found, attn.mlp_act_fn(fused[..., 3 * width :])], dim=-1))
        return together


class FlowReference(ABC):
    """A transformer with explicit attention, walked in T steps of diffusers' scheduler."""

    def __init__(self, transformer: Any, scheduler: Any, steps: int, size: tuple[int, int]) -> None:
        self.transformer = transformer
        self.steps = steps
        self.explicit = self.install()
        own = FlowMatchEulerDiscreteScheduler.from_config(dict(scheduler))
        own.set_timesteps(sigmas=[1 - k / steps for k in range(steps)], mu=self.mu(size, steps))
        self.sigmas: list[float] = own.sigmas.tolist()
        self.timesteps: list[float] = self.sigmas[:-1]

    @abstractmethod
    def install(self) -> Explicit:
        """Put explicit attention into the blocks that see words and picture."""

    @abstractmethod
    def mu(self, size: tuple[int, int], steps: int) -> float:
        """The pipeline's shift."""

    @abstractmethod
    def noise(self, latent: Tensor, time: float, encoding: Encoding, branch: Branch) -> Tensor:
        """The velocity."""

    def down(self, velocity: Tensor, time: float, latent: Tensor) -> Tensor:
        """One step towards the picture."""
        following = [*self.timesteps[1:], 0.0]
        return latent + (following[self.timesteps.index(time)] - time) * velocity

    def invert(self, latent: Tensor, encoding: Encoding, masks: dict[int, Tensor]) -> list[Tensor]:
        """The ODE backwards: each step by the velocity where it starts."""
        path, upwards = [latent], self.sigmas[::-1]
        for here, there in pairwise(upwards):
            branch = Branch(latent_size(latent), masks)
            path.append(path[-1] + (there - here) * self.noise(path[-1], here, encoding, branch))
        return path


class KleinReference(FlowReference):
    """klein's."""

    def install(self) -> Explicit:
        double = ExplicitDouble()
        single, names = ExplicitSingle(double), self.transformer.attn_processors
        self.transformer.set_attn_processor({name: single if name.startswith("single") else double for name in names})
        return double

    def mu(self, size: tuple[int, int], steps: int) -> float:
        return float(compute_empirical_mu(size[0] // 2 * (size[1] // 2), steps))

    def noise(self, latent: Tensor, time: float, encoding: Encoding, branch: Branch) -> Tensor:
        self.explicit.branch, self.explicit.words = branch, encoding.states.shape[1]
        packed = Flux2KleinPipeline._patchify_latents(latent)
        found = self.transformer(
            hidden_states=Flux2KleinPipeline._pack_latents(packed),
            encoder_hidden_states=encoding.states,
            timestep=torch.tensor([time]),
            img_ids=Flux2KleinPipeline._prepare_latent_ids(packed),
            txt_ids=Flux2KleinPipeline._prepare_text_ids(encoding.states),
        ).sample
        tokens = found[0].T.reshape(packed.shape)
        velocity: Tensor = Flux2KleinPipeline._unpatchify_latents(tokens)
        return velocity


class ExplicitOne(Explicit):
    """Of Z-Image's joint blocks, in which the picture comes first."""

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        freqs_cis: Any = None,
    ) -> Tensor:
        assert attention_mask is None, "one branch at a time has nothing to be filled up to"
        query, key, value = (
            layer(hidden_states)[0].unflatten(-1, (attn.heads, -1)) for layer in (attn.to_q, attn.to_k, attn.to_v)
        )
        turned = []
        for states in (attn.norm_q(query), attn.norm_k(key)):
            real, imaginary = states[..., 0::2], states[..., 1::2]
            cos, sin = freqs_cis[0].real[:, None], freqs_cis[0].imag[:, None]
            pair = torch.stack([real * cos - imaginary * sin, real * sin + imaginary * cos], dim=-1)
            turned.append(pair.flatten(2))
        found: Tensor = attn.to_out[0](self.attend(turned[0], turned[1], value))
        return found[None]


class ZImageReference(FlowReference):
    """Z-Image's."""

    def install(self) -> Explicit:
        explicit = ExplicitOne()
        for block in self.transformer.layers:
            block.attention.set_processor(explicit)
        return explicit

    def mu(self, size: tuple[int, int], steps: int) -> float:
        return float(calculate_shift(size[0] // 2 * (size[1] // 2)))

    def noise(self, latent: Tensor, time: float, encoding: Encoding, branch: Branch) -> Tensor:
        (length,) = encoding.lengths or (encoding.states.shape[1],)
        tokens = latent.shape[2] // 2 * (latent.shape[3] // 2)
        self.explicit.branch, self.explicit.words = branch, length
        self.explicit.first = -(-tokens // 32) * 32
        found = self.transformer(
            [latent[0][:, None]], torch.tensor([(1000 - 1000 * time) / 1000]), [encoding.states[0, :length]]
        ).sample
        velocity: Tensor = -found[0][:, 0][None]
        return velocity


def reference_of(model: FlowCheckpoint, steps: int, size: tuple[int, int]) -> FlowReference:
    """The reference of a checkpoint's family, with its networks."""
    kind = KleinReference if model.family == "klein" else ZImageReference
    return kind(model.transformer, model.scheduler, steps, size)


def latent_size(latent: Tensor) -> tuple[int, int]:
    height, width = latent.shape[-2:]
    return height, width


def literal_states(model: Any, ids: Sequence[int], rows: dict[int, Tensor], layers: Sequence[int]) -> Tensor:
    """L×D·k hidden states of ids, one after the other and none beyond them; `rows`: embeddings of ids that are new."""
    table = model.get_input_embeddings().weight
    embedded = torch.stack([rows[one] if one in rows else table[one] for one in ids])[None]
    states = model(inputs_embeds=embedded, output_hidden_states=True, use_cache=False).hidden_states
    return torch.cat([states[layer][0] for layer in layers], dim=-1)
