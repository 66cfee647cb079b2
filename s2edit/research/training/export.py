"""Write a training's state as a folder that `StableDiffusionPipeline.from_pretrained` opens: fp16 safetensors."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file

from s2edit.picture.resolution import UPSCALER
from s2edit.research.training.dataset import needed
from s2edit.research.training.latents import load_vae
from s2edit.research.training.models import new_scheduler, new_text_encoder, new_unet

if TYPE_CHECKING:
    from pathlib import Path


def build_pipeline(training: Path, size: int = 128, *, ema: bool = True) -> Any:
    """Put the trained parts together as a StableDiffusionPipeline, without a safety checker (it draws cartoons).

    Args:
        training: the training's folder.
        size: of its pictures, in px.
        ema: take the running average of the weights, not the last ones.
    """
    networks = needed(training / "unet.safetensors", "unet")
    from diffusers import StableDiffusionPipeline
    from transformers import CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(training / "tokenizer", local_files_only=True)
    unet = new_unet(size)
    text_encoder = new_text_encoder(len(tokenizer), tokenizer.bos_token_id, tokenizer.eos_token_id)
    state = load_file(networks)
    for name, module in (("unet", unet), ("text_encoder", text_encoder)):
        prefix = f"{name}_ema:" if ema else f"{name}:"
        module.load_state_dict(
            {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        )
    return StableDiffusionPipeline(
        vae=load_vae(training, size, newest_decoder=True),
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=new_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def export(training: Path, target: Path, size: int = 128) -> None:
    """Write the checkpoint's folder in fp16, replacing the one that is there; card, settings and upscaler stay.

    Raises:
        FileNotFoundError: a stage has not run yet.
    """
    pipeline = build_pipeline(training, size).to(torch.float16)
    part, old = (target.with_name(target.name + ending) for ending in (".part", ".old"))
    if old.exists() and not target.exists():
        old.rename(target)  # an earlier export was killed between its two renames
    for leftover in (part, old):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        pipeline.save_pretrained(part, safe_serialization=True)
    except Exception:
        shutil.rmtree(part, ignore_errors=True)
        raise
    for file in part.rglob("*.safetensors"):
        file.chmod(0o644)  # safetensors writes for the owner only; a package is read by everybody
    for kept in ("README.md", "recommended.json"):
        if (target / kept).exists():
            shutil.copy2(target / kept, part / kept)
    if (target / UPSCALER).exists():
        shutil.copytree(target / UPSCALER, part / UPSCALER)
    if target.exists():
        target.rename(old)
    part.rename(target)
    shutil.rmtree(old, ignore_errors=True)
