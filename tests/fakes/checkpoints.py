"""An untrained checkpoint of the embedded model's kind: what the command does does not depend on what was learned."""

from __future__ import annotations

import json
from pathlib import Path


def untrained_checkpoint(folder: Path) -> Path:
    """Stable Diffusion's classes at the embedded model's widths, with random weights; returns its folder."""
    import torch
    from diffusers import StableDiffusionPipeline

    from s2edit.research.training import models
    from s2edit.research.training.tokenizer import new_tokenizer

    torch.manual_seed(0)
    torch.set_num_threads(1)
    tokenizer = new_tokenizer(folder / "words")
    StableDiffusionPipeline(
        vae=models.new_vae(),
        text_encoder=models.new_text_encoder(len(tokenizer), tokenizer.bos_token_id, tokenizer.eos_token_id),
        tokenizer=tokenizer,
        unet=models.new_unet(),
        scheduler=models.new_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder / "model")
    (folder / "model" / "recommended.json").write_text(json.dumps({"native_size": 64}))
    return folder / "model"
