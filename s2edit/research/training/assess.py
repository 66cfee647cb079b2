"""How good a checkpoint is: reconstruction, asked attributes shown, and plain edits from inverted latents.

The benchmark in `research.evaluation` judges the method; this judges the model alone, on seeds training never saw.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import count as numbers
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from s2edit.research.starter.attributes import TRAINING_SEED_LIMIT
from s2edit.research.starter.classifier import classify
from s2edit.research.starter.portraits import PORTRAITS
from s2edit.research.training.train_vae import to_tensor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from s2edit.research.starter.domain import Domain

FIRST_SEED = TRAINING_SEED_LIMIT + 500_000
"""Of the pictures that checkpoints are judged by; no training and no benchmark has them."""
_BATCH = 20


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of two uint8 pictures in dB; 99 for equal ones."""
    error = float(np.square(one.astype(np.float64) - other).mean())
    return 99.0 if error == 0 else float(10 * np.log10(255.0**2 / error))


def open_pipeline(model: Path) -> Any:
    """A checkpoint folder as diffusers' StableDiffusionPipeline, in float32.

    Raises:
        FileNotFoundError: there is none.
    """
    from diffusers import StableDiffusionPipeline

    if not (model / "model_index.json").exists():
        raise FileNotFoundError(
            f"{model} holds no checkpoint. Write one with: python -m s2edit.research.training export"
        )
    return StableDiffusionPipeline.from_pretrained(str(model), local_files_only=True, dtype=torch.float32)


def _pictures(tensor: torch.Tensor) -> NDArray[np.uint8]:
    scaled = tensor.float().add(1).mul(127.5).round().clamp(0, 255).permute(0, 2, 3, 1)
    return np.asarray(scaled.numpy(), dtype=np.uint8)


@torch.no_grad()
def reconstruction(pipeline: Any, count: int = 60, domain: Domain[Any] = PORTRAITS) -> float:
    """Mean PSNR in dB of whole fresh pictures through the autoencoder."""
    values = []
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        picture = domain.picture(seed)[0]
        latents = pipeline.vae.encode(to_tensor(picture[None])).latent_dist.mean
        values.append(psnr(picture, _pictures(pipeline.vae.decode(latents).sample)[0]))
    return float(np.mean(values))


@torch.no_grad()
def embed(pipeline: Any, prompts: list[str]) -> torch.Tensor:
    """Text-encoder states of prompts, padded to the tokenizer's length: (N, tokens, width)."""
    length = pipeline.tokenizer.model_max_length
    tokens = pipeline.tokenizer(prompts, padding="max_length", max_length=length, truncation=True, return_tensors="pt")
    states: torch.Tensor = pipeline.text_encoder(tokens.input_ids)[0]
    return states


@torch.no_grad()
def denoise(
    pipeline: Any, latents: torch.Tensor, prompts: list[str], *, steps: int, guidance: float, last: int | None = None
) -> torch.Tensor:
    """DDIM from noise to latents under classifier-free guidance; (N, 4, h, w) in and out, in the U-Net's scale.

    With `last`, only so many of the last of all `steps` are made.
    """
    scheduler = pipeline.scheduler
    scheduler.set_timesteps(steps)
    states = torch.cat([embed(pipeline, [""] * len(prompts)), embed(pipeline, prompts)])
    for timestep in scheduler.timesteps[-(last or steps) :]:
        free, asked = pipeline.unet(torch.cat([latents] * 2), timestep, encoder_hidden_states=states).sample.chunk(2)
        latents = scheduler.step(free + guidance * (asked - free), timestep, latents).prev_sample
    return latents


@torch.no_grad()
def invert(
    pipeline: Any, latents: torch.Tensor, prompts: list[str], *, steps: int, last: int | None = None
) -> torch.Tensor:
    """DDIM inversion at guidance 1: latents of pictures to the noise that makes them, or to what `last` steps make."""
    scheduler = pipeline.scheduler
    scheduler.set_timesteps(steps)
    states = embed(pipeline, prompts)
    stride = scheduler.config.num_train_timesteps // steps
    for timestep in scheduler.timesteps[-(last or steps) :].flip(0):
        before = max(int(timestep) - stride, 0)
        here, there = scheduler.alphas_cumprod[before], scheduler.alphas_cumprod[timestep]
        noise = pipeline.unet(latents, timestep, encoder_hidden_states=states).sample
        clean = (latents - (1 - here).sqrt() * noise) / here.sqrt()
        latents = there.sqrt() * clean + (1 - there).sqrt() * noise
    return latents


@torch.no_grad()
def decode(pipeline: Any, latents: torch.Tensor) -> NDArray[np.uint8]:
    """Latents in the U-Net's scale to (N, H, W, 3) uint8 pictures."""
    return _pictures(pipeline.vae.decode(latents / pipeline.vae.config.scaling_factor).sample)


@dataclass(frozen=True, eq=False)
class Shown:
    """What the classifier sees in pictures that were generated from full captions.

    Args:
        fields: for every field that a caption is about, whether each picture shows its value. "No hat" and the like
            count: the caption asks for none by naming none.
        named: by field and value, what was seen in the field each time that words of the caption ask for the value;
            None is nothing.
        pictures: (N, H, W, 3) uint8. captions: theirs.
    """

    fields: Mapping[str, list[bool]]
    named: Mapping[tuple[str, str], list[str | None]]
    pictures: NDArray[np.uint8]
    captions: list[str]

    def lines(self) -> Iterator[str]:
        """The shares: of all, of those that are asked for by name, of each value so named, and of values of one noun.

        Captions call a long beard "a beard" at times, so of "any beard" a beard of any length is right.
        """
        means = []
        for field, hits in self.fields.items():
            told = f"shown {field:14} {np.mean(hits):.2f}"
            if asked := {value: seen for (owner, value), seen in sorted(self.named.items()) if owner == field}:
                right = [found == value for value, seen in asked.items() for found in seen]
                means.append(np.mean(right))
                each = [_share(value, [found == value for found in seen]) for value, seen in asked.items()]
                told += f"; by name {means[-1]:.2f} of {len(right)}: {', '.join([*each, *_by_noun(asked)])}"
            yield told
        overall = np.mean([np.mean(hits) for hits in self.fields.values()])
        yield f"shown on average    {overall:.2f}; by name {np.mean(means):.2f}"


def _share(name: str, hits: list[bool]) -> str:
    return f"{name} {np.mean(hits):.2f} of {len(hits)}"


def _by_noun(asked: Mapping[str, list[str | None]]) -> Iterator[str]:
    """The shares of values that end in the same word."""
    for noun, count in Counter(value.split()[-1] for value in asked).items():
        if count > 1:
            found = [each for value, seen in asked.items() if value.split()[-1] == noun for each in seen]
            yield _share(f"any {noun}", [each is not None and each.split()[-1] == noun for each in found])


def generation(
    pipeline: Any, count: int = 40, *, steps: int = 25, guidance: float = 4.5, domain: Domain[Any] = PORTRAITS
) -> Shown:
    """Generate pictures from the full captions of fresh things, and look for what was asked."""
    things = [domain.sample(seed) for seed in range(FIRST_SEED, FIRST_SEED + count)]
    prompts = [domain.caption(thing) for thing in things]
    noise = torch.randn((count, 4, domain.size // 8, domain.size // 8), generator=torch.Generator().manual_seed(9))
    parts = []
    for at in range(0, count, _BATCH):
        clean = denoise(pipeline, noise[at : at + _BATCH], prompts[at : at + _BATCH], steps=steps, guidance=guidance)
        parts.append(decode(pipeline, clean))
    pictures = np.concatenate(parts)
    fields: dict[str, list[bool]] = {}
    named: dict[tuple[str, str], list[str | None]] = {}
    for thing, prompt, picture in zip(things, prompts, pictures, strict=True):
        seen, words = classify(picture, domain), set(prompt.replace(",", "").split())
        for field, value in domain.asked(thing).items():
            fields.setdefault(field, []).append(seen.get(field) == value)
            if words.issuperset(value.split()):
                named.setdefault((field, value), []).append(seen.get(field))
    return Shown(fields, named, pictures, prompts)


def edits(
    pipeline: Any, count: int = 6, *, steps: int = 25, guidance: float = 4.5, domain: Domain[Any] = PORTRAITS
) -> dict[str, tuple[float, float, NDArray[np.uint8]]]:
    """Each edit from DDIM-inverted latents, by the prompt alone: no fine-tuning, no injection, no mask.

    Returns:
        For each of the domain's edits: the share that reached the target, the share of other visible attributes kept,
        and rows of (source, result, rendered truth) pictures.
    """
    result = {}
    for number, edit in enumerate(domain.edits):
        fresh = (domain.sample(seed) for seed in numbers(FIRST_SEED + 1000 * number))
        sources = list(islice((thing for thing in fresh if edit.needs(thing)), count))
        targets = [source.change(**edit.changes) for source in sources]
        pictures = np.stack([domain.render(source, domain.size) for source in sources])
        with torch.no_grad():
            clean = pipeline.vae.encode(to_tensor(pictures)).latent_dist.mean * pipeline.vae.config.scaling_factor
        noise = invert(pipeline, clean, [domain.caption(source) for source in sources], steps=steps)
        prompts = [domain.caption(target) for target in targets]
        outputs = decode(pipeline, denoise(pipeline, noise, prompts, steps=steps, guidance=guidance))
        reached, kept = [], []
        for picture, target in zip(outputs, targets, strict=True):
            seen, asked = classify(picture, domain), domain.asked(target)
            reached.append(all(seen.get(field) == value for field, value in edit.changes.items()))
            kept += [seen.get(field) == value for field, value in asked.items() if field not in edit.changes]
        truth = np.stack([domain.render(target, domain.size) for target in targets])
        rows = np.stack([pictures, outputs, truth], axis=1)
        result[edit.name] = (float(np.mean(reached)), float(np.mean(kept)), rows)
    return result


def save_grid(path: Path, pictures: NDArray[np.uint8], columns: int) -> None:
    """(N, H, W, 3) pictures row by row as one PNG, the last row filled up with white."""
    from PIL import Image

    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * columns, *pictures.shape[1:]), 255, dtype=np.uint8)
    sheet[: len(pictures)] = pictures
    side = pictures.shape[1]
    Image.fromarray(sheet.reshape(rows, columns, side, side, 3).swapaxes(1, 2).reshape(rows * side, -1, 3)).save(path)


def report(
    model: Path,
    out: Path | None,
    *,
    count: int,
    edited: int,
    guidance: float,
    domain: Domain[Any] = PORTRAITS,
) -> str:
    """Assess a checkpoint folder and say the figures as text; with `out`, write grids of the pictures there."""
    pipeline = open_pipeline(model)
    lines = [f"reconstruction {reconstruction(pipeline, domain=domain):.1f} dB"]
    shown = generation(pipeline, count, guidance=guidance, domain=domain)
    lines += shown.lines()
    edit_rows = []
    edited_pictures = edits(pipeline, edited, guidance=guidance, domain=domain) if edited else {}
    for name, (reached, kept, rows) in edited_pictures.items():
        lines.append(f"edit {name:24} reached {reached:.2f} others kept {kept:.2f}")
        edit_rows.append(rows[:4].reshape(-1, *rows.shape[2:]))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        save_grid(out / "samples.png", shown.pictures, 8)
        (out / "samples.txt").write_text("\n".join(shown.captions), "utf-8")
        if edit_rows:
            save_grid(out / "edits.png", np.concatenate(edit_rows), len(edit_rows[0]))
    return "\n".join(lines)
