"""Checkpoints with Stable Diffusion 1's and XL's exact topologies, tiny widths and random weights."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from s2edit.model.checkpoints import CONFIGS

WIDTH, WIDE = 32, 48


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
    vae, text_encoder = autoencoder(sample_size), CLIPTextModel(text_config(WIDTH))
    with torch.no_grad():
        sharpen(unet)
        text_encoder.get_input_embeddings().weight.mul_(20)
    write(folder, unet=unet, vae=vae, text_encoder=text_encoder)
    for name in ("tokenizer", "scheduler"):
        shutil.copytree(CONFIGS / "sd1" / name, folder / name)
    shutil.copy(CONFIGS / "sd1" / "model_index.json", folder)
    return folder


def build_xl(folder: Path, *, seed: int = 0, sample_size: int = 8) -> Path:
    """The same of SDXL: 3 levels with 1, 2 and 10 blocks of attention, none at the first, and two text encoders.

    Its second text encoder has the end token that transformers' pooling takes for the largest id, as SDXL's has.
    """
    torch.manual_seed(seed)
    unet = UNet2DConditionModel(
        sample_size=sample_size,
        block_out_channels=(16, 32, 32),
        layers_per_block=2,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 2, 10),
        cross_attention_dim=WIDTH + WIDE,
        attention_head_dim=(1, 2, 2),
        norm_num_groups=8,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + WIDE,
    )
    encoders = {
        "text_encoder": CLIPTextModel(text_config(WIDTH)),
        "text_encoder_2": CLIPTextModelWithProjection(
            text_config(WIDE, hidden_act="gelu", eos_token_id=2, pad_token_id=1, projection_dim=WIDE)
        ),
    }
    with torch.no_grad():
        sharpen(unet)
        for encoder in encoders.values():
            encoder.get_input_embeddings().weight.mul_(20)
    write(folder, unet=unet, vae=autoencoder(sample_size), **encoders)
    sdxl = CONFIGS / "sdxl"
    shutil.copytree(CONFIGS / "sd1" / "tokenizer", folder / "tokenizer")
    shutil.copytree(CONFIGS / "sd1" / "tokenizer", folder / "tokenizer_2")
    shutil.copy(sdxl / "tokenizer_2" / "tokenizer_config.json", folder / "tokenizer_2")
    shutil.copytree(sdxl / "scheduler", folder / "scheduler")
    shutil.copy(sdxl / "model_index.json", folder)
    return folder


def autoencoder(sample_size: int) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=8 * sample_size,
        scaling_factor=0.5,
    )


def text_config(width: int, **more: Any) -> CLIPTextConfig:
    settings = {
        "vocab_size": 49408,
        "hidden_size": width,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 77,
        "bos_token_id": 49406,
        "eos_token_id": 49407,
        "pad_token_id": 49407,
    }
    return CLIPTextConfig(**(settings | more))


def sharpen(unet: UNet2DConditionModel) -> None:
    """Fresh networks attend almost evenly; sharper attention makes every difference between prompts show."""
    for name, weight in unet.named_parameters():
        if ".attn" in name and (".to_q." in name or ".to_k." in name):
            weight.mul_(2.5)
        if ".attn" in name and ".to_out." in name:
            weight.mul_(2)


def write(folder: Path, **networks: Any) -> None:
    for part, module in networks.items():
        module.save_pretrained(folder / part)
