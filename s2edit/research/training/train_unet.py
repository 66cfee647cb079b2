"""Stage `unet`: text encoder and U-Net together, on cached latents and captions drawn anew for every picture seen."""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from s2edit.research.starter.domain import domain as named_domain
from s2edit.research.training.dataset import SHARD
from s2edit.research.training.latents import open_latents
from s2edit.research.training.localisation import CrossAttentionWatch, localisation_loss, token_parts
from s2edit.research.training.loop import Stage, run
from s2edit.research.training.models import LATENT_STD, new_scheduler, new_text_encoder, new_unet
from s2edit.research.training.tokenizer import MAX_TOKENS, RARE, open_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from s2edit.research.starter.domain import Domain, Thing

BATCH = 32
EMA = 0.999
CAPTION_DROPOUT = 0.1
_RARE_ODDS = 0.04
_NOISY_ODDS = 0.3
_LOCALISATION = 0.005
_DETAIL_WEIGHT = 2.0


@cache
def _thing(name: str, seed: int) -> Thing:
    thing: Thing = named_domain(name).sample(seed)
    return thing


@cache
def _regions(name: str, seed: int) -> NDArray[np.uint8]:
    """A thing's part regions in 0 to 255: kept for all things, in a quarter of float32's memory."""
    domain = named_domain(name)
    return (255 * domain.parts.regions(_thing(name, seed), domain.size // 8)).astype(np.uint8)


def training_caption(domain: Domain[Any], seed: int, rng: np.random.Generator) -> str:
    """A caption of thing `seed`, or the empty one; now and then a rare token stands before the person or robot.

    So that the token which identity fine-tuning starts from means "some person" and not what chance made of it.
    """
    if rng.random() < CAPTION_DROPOUT:
        return ""
    text = domain.caption(_thing(domain.name, seed), rng)
    if rng.random() < _RARE_ODDS:
        for noun in domain.nouns:
            if f" {noun}" in text:
                return text.replace(f" {noun}", f" {rng.choice(RARE)} {noun}", 1)
    return text


def sample_timesteps(rng: np.random.Generator, count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Uniform over 0 to 999, but 30 per cent from 700 on, where the prompt decides layout and flat colours."""
    uniform = rng.integers(0, 1000, size=count)
    noisy = rng.integers(700, 1000, size=count)
    return np.where(rng.random(count) < _NOISY_ODDS, noisy, uniform)


def loss_weights(alphas: torch.Tensor) -> torch.Tensor:
    """Weights of the epsilon loss that make it, between bounds, the loss of the predicted picture.

    Unweighted, the noisiest steps weigh nothing (measured after 1,700 steps with min-SNR-5: epsilon errors of 0.002 at
    t = 999 and 0.2 at t = 50, while the picture predicted at t = 900 was no better than the mean picture), and these
    are the steps in which the prompt decides. (1 - a) / a turns the one error into the other; 0.4 keeps their scale.
    """
    return 0.4 * ((1 - alphas) / alphas).clamp(0.1, 60.0)


class Networks:
    """The two trained networks, their tokenizer and their running averages, for captions of a domain."""

    def __init__(self, folder: Path, domain: Domain[Any], seed: int) -> None:
        torch.manual_seed(seed)
        self.tokenizer = open_tokenizer(folder / "tokenizer")
        self.parts = domain.parts
        self.details = [domain.parts.names.index(part) for part in domain.parts.details]
        self.text_encoder = new_text_encoder(
            len(self.tokenizer), self.tokenizer.bos_token_id, self.tokenizer.eos_token_id
        )
        self.unet = new_unet(domain.size)
        self.average = {
            name: copy.deepcopy(module).requires_grad_(requires_grad=False) for name, module in self.live.items()
        }
        self.watch = CrossAttentionWatch(self.unet)
        self.alphas = new_scheduler().alphas_cumprod

    @property
    def live(self) -> dict[str, Any]:
        """The networks in training, by the name of their folder in a checkpoint."""
        return {"unet": self.unet, "text_encoder": self.text_encoder}

    def modules(self) -> dict[str, Any]:
        """Everything that a checkpoint keeps."""
        return self.live | {f"{name}_ema": module for name, module in self.average.items()}

    def loss(
        self,
        latents: torch.Tensor,
        captions: list[str],
        timesteps: torch.Tensor,
        noise: torch.Tensor,
        parts: torch.Tensor,
    ) -> torch.Tensor:
        """Weighted epsilon loss of (N, 4, h, w) latents (already scaled) under their captions, and localisation.

        `parts` are the (N, parts, h, w) regions. Beards, glasses, mouths and eyes are a few latents each, and what
        edits are about, so errors there count more.
        """
        tokens = self.tokenizer(captions, padding="max_length", max_length=MAX_TOKENS, return_tensors="pt").input_ids
        states = self.text_encoder(tokens)[0]
        alphas = self.alphas[timesteps]
        signal = alphas.view(-1, 1, 1, 1)
        noisy = signal.sqrt() * latents + (1 - signal).sqrt() * noise
        guess = self.unet(noisy, timesteps, encoder_hidden_states=states).sample
        emphasis = 1 + _DETAIL_WEIGHT * parts[:, self.details].amax(dim=1, keepdim=True)
        squares = (guess - noise).square() * emphasis / emphasis.mean()
        loss: torch.Tensor = (loss_weights(alphas) * squares.mean(dim=(1, 2, 3))).mean()
        named = [
            (row, *found)
            for row, text in enumerate(captions)
            for found in token_parts(self.tokenizer, text, self.parts)
        ]
        return loss + _LOCALISATION * localisation_loss(self.watch.maps(), named, parts)

    @torch.no_grad()
    def update_average(self, step: int) -> None:
        """Exponential moving average, quicker at first."""
        keep = min(EMA, (1 + step) / (10 + step))
        for name, module in self.live.items():
            ours, theirs = list(self.average[name].parameters()), list(module.parameters())
            torch._foreach_lerp_(ours, theirs, 1 - keep)


def train_unet(
    folder: Path,
    domain: Domain[Any],
    *,
    shards: int,
    steps: int,
    seconds: float,
    seed: int,
    batch: int = BATCH,
) -> dict[str, Any]:
    """Train text encoder and U-Net from the last checkpoint on; returns the checkpoint's facts."""
    networks = Networks(folder, domain, seed)
    latents, scale = open_latents(folder, shards), LATENT_STD[domain.size]

    def step_loss(step: int) -> torch.Tensor:
        rng = np.random.default_rng([seed, 7, step])
        seeds = rng.integers(len(latents) * SHARD, size=batch)
        clean = torch.from_numpy(np.stack([latents[at // SHARD][at % SHARD] for at in seeds])).float() * scale
        captions = [training_caption(domain, int(at), rng) for at in seeds]
        timesteps = torch.from_numpy(sample_timesteps(rng, batch))
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        parts = torch.from_numpy(np.stack([_regions(domain.name, int(at)) for at in seeds])).float() / 255
        return networks.loss(clean, captions, timesteps, torch.randn(clean.shape, generator=generator), parts)

    stage = Stage(
        path=folder / "unet.safetensors",
        modules=networks.modules(),
        parameters=[*networks.unet.parameters(), *networks.text_encoder.parameters()],
        step_loss=step_loss,
        steps=steps,
        rate=8e-4,
        warmup=100,
        betas=(0.9, 0.99),
        floor=0.05,
        after_step=networks.update_average,
        facts={"stage": "unet", "batch": batch, "ema": EMA, "seed": seed, "shards": shards, "steps": steps},
    )
    return run(stage, seconds=seconds)
