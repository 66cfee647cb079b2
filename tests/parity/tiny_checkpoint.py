"""A checkpoint with Stable Diffusion's exact topology (4 levels, 2 layers a block), tiny widths and random weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from s2edit.checkpoints import CONFIGS

WIDTH = 32


def build(folder: Path, *, seed: int = 0, sample_size: int = 8) -> Path:
    """Write the checkpoint, with the real CLIP tokenizer, as a diffusers folder; native size `8 * sample_size` px."""
    torch.manual_seed(seed)
    unet = UNet2DConditionModel(
        sample_size=sample_size,
        block_out_channels=(16, 32, 32, 32),
        layers_per_block=2,
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        cross_attention_dim=WIDTH,
        attention_head_dim=2,
        norm_num_groups=8,
    )
    vae = AutoencoderKL(
        block_out_channels=(8, 8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=8 * sample_size,
        scaling_factor=0.5,
    )
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=49408,
            hidden_size=WIDTH,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=77,
            bos_token_id=49406,
            eos_token_id=49407,
            pad_token_id=49407,
        )
    )
    with torch.no_grad():
        # Fresh networks attend almost evenly; sharper attention makes every difference between prompts show.
        for name, weight in unet.named_parameters():
            if ".attn" in name and (".to_q." in name or ".to_k." in name):
                weight.mul_(2.5)
            if ".attn" in name and ".to_out." in name:
                weight.mul_(2)
        text_encoder.get_input_embeddings().weight.mul_(20)
    for part, module in (("unet", unet), ("vae", vae), ("text_encoder", text_encoder)):
        module.save_pretrained(folder / part)
    sd1 = CONFIGS / "sd1"
    for name in ("tokenizer", "scheduler"):
        shutil.copytree(sd1 / name, folder / name)
    shutil.copy(sd1 / "model_index.json", folder)
    return folder
