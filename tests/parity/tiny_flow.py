"""Checkpoints with FLUX.2 klein's and Z-Image's exact topologies, tiny and random, and a tokenizer trained here."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLFlux2,
    FlowMatchEulerDiscreteScheduler,
    Flux2Transformer2DModel,
    ZImageTransformer2DModel,
)
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from torch import nn
from transformers import Qwen2Tokenizer, Qwen3Config, Qwen3ForCausalLM

TEXT = [
    "a photo of a lady with a hat, smiling",
    "a man with a beard and glasses on a blue background",
    "user assistant system think a model with makeup",
]
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}"
    "{%- endif %}"
)
"""What Qwen3's template makes of messages without tools and earlier thoughts."""
WIDTH = 16


def tokenizer() -> Qwen2Tokenizer:
    """Qwen's kind, with a vocabulary of a few sentences."""
    bare = Tokenizer(BPE())
    bare.pre_tokenizer = Qwen2Tokenizer()._tokenizer.pre_tokenizer
    trainer = BpeTrainer(
        vocab_size=400,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bare.train_from_iterator(TEXT * 4, trainer)
    model = json.loads(bare.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    found = Qwen2Tokenizer(vocab=model["vocab"], merges=merges, extra_special_tokens=SPECIAL[1:])
    found.add_tokens(["<think>", "</think>"])
    found.chat_template = TEMPLATE
    return found


def text_encoder(vocabulary: int, layers: int) -> Qwen3ForCausalLM:
    """Qwen3 with grouped queries, as deep as asked."""
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=vocabulary,
            hidden_size=WIDTH,
            intermediate_size=24,
            num_hidden_layers=layers,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=8,
            tie_word_embeddings=True,
            max_position_embeddings=1024,
        )
    )


def sharpen(transformer: nn.Module) -> None:
    """Fresh networks attend almost evenly; with sharper attention every difference between prompts shows."""
    with torch.no_grad():
        for name, weight in transformer.named_parameters():
            if "norm_q" in name or "norm_k" in name or "norm_added" in name:
                weight.mul_(2)


def build_klein(folder: Path, *, seed: int = 0, size: int = 64) -> Path:
    """Write the checkpoint as a diffusers folder; native size `size` px. Two blocks of each kind."""
    torch.manual_seed(seed)
    words = tokenizer()
    transformer = Flux2Transformer2DModel(
        in_channels=32,
        num_layers=2,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=3 * WIDTH,
        timestep_guidance_channels=16,
        mlp_ratio=1.5,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    )
    sharpen(transformer)
    vae = AutoencoderKLFlux2(
        block_out_channels=(8, 8, 16, 16), layers_per_block=1, latent_channels=8, norm_num_groups=4, sample_size=size
    )
    vae.bn.running_mean.normal_()
    vae.bn.running_var.uniform_(0.5, 2)
    transformer.save_pretrained(folder / "transformer")
    vae.save_pretrained(folder / "vae")
    text_encoder(512, 28).save_pretrained(folder / "text_encoder")
    words.save_pretrained(folder / "tokenizer")
    scheduler(use_dynamic_shifting=True, shift=3.0).save_pretrained(folder / "scheduler")
    write_index(folder, "Flux2KleinPipeline", "Flux2Transformer2DModel", "AutoencoderKLFlux2", is_distilled=False)
    return folder


def build_z_image(folder: Path, *, seed: int = 0, size: int = 64) -> Path:
    """The same of Z-Image: one block that sees the picture alone, one that sees words alone, and two of both."""
    torch.manual_seed(seed)
    transformer = ZImageTransformer2DModel(
        in_channels=8,
        dim=32,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=WIDTH,
        axes_dims=[4, 6, 6],
        axes_lens=[1024, 64, 64],
    )
    sharpen(transformer)
    with torch.no_grad():
        for token in (transformer.x_pad_token, transformer.cap_pad_token):
            token.normal_()
    vae = AutoencoderKL(
        block_out_channels=(8, 8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=8,
        norm_num_groups=4,
        sample_size=size,
        scaling_factor=0.36,
        shift_factor=0.12,
    )
    transformer.save_pretrained(folder / "transformer")
    vae.save_pretrained(folder / "vae")
    text_encoder(512, 3).save_pretrained(folder / "text_encoder")
    tokenizer().save_pretrained(folder / "tokenizer")
    scheduler(use_dynamic_shifting=False, shift=6.0).save_pretrained(folder / "scheduler")
    write_index(folder, "ZImagePipeline", "ZImageTransformer2DModel", "AutoencoderKL")
    return folder


def scheduler(**settings: object) -> FlowMatchEulerDiscreteScheduler:
    return FlowMatchEulerDiscreteScheduler(**settings)


def write_index(folder: Path, pipeline: str, transformer: str, vae: str, **more: object) -> None:
    index = {
        "_class_name": pipeline,
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
        "text_encoder": ["transformers", "Qwen3ForCausalLM"],
        "tokenizer": ["transformers", "Qwen2TokenizerFast"],
        "transformer": ["diffusers", transformer],
        "vae": ["diffusers", vae],
    }
    (folder / "model_index.json").write_text(json.dumps(index | more), encoding="utf-8")
