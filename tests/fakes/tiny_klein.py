"""FLUX.2 klein as an instruction model: its exact topology, tiny widths, random weights, a tokenizer trained here."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import AutoencoderKLFlux2, FlowMatchEulerDiscreteScheduler, Flux2Transformer2DModel
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import Qwen2Tokenizer, Qwen3Config, Qwen3ForCausalLM

NATIVE = 128
_SENTENCES = ["add sunglasses", "make the background blue, please", "user assistant think remove the beard"]
_SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
_WIDTH = 16


def build_klein_edit(folder: Path, *, seed: int = 0, distilled: bool = True) -> Path:
    """Write it as a diffusers folder, with `recommended.json` for pictures of `NATIVE` px."""
    torch.manual_seed(seed)
    Flux2Transformer2DModel(
        in_channels=32,
        num_layers=1,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=3 * _WIDTH,
        timestep_guidance_channels=16,
        mlp_ratio=1.5,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    ).save_pretrained(folder / "transformer")
    AutoencoderKLFlux2(
        block_out_channels=(8, 8, 16, 16), layers_per_block=1, latent_channels=8, norm_num_groups=4, sample_size=NATIVE
    ).save_pretrained(folder / "vae")
    words = _tokenizer()
    Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=512,
            hidden_size=_WIDTH,
            intermediate_size=24,
            num_hidden_layers=28,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=8,
            tie_word_embeddings=True,
            max_position_embeddings=1024,
        )
    ).save_pretrained(folder / "text_encoder")
    words.save_pretrained(folder / "tokenizer")
    FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0).save_pretrained(folder / "scheduler")
    index = {"_class_name": "Flux2KleinPipeline", "is_distilled": distilled}
    (folder / "model_index.json").write_text(json.dumps(index))
    (folder / "recommended.json").write_text(json.dumps({"native_size": NATIVE}))
    return folder


def _tokenizer() -> Qwen2Tokenizer:
    """Qwen's kind, with a vocabulary of a few sentences."""
    bare = Tokenizer(BPE())
    bare.pre_tokenizer = Qwen2Tokenizer()._tokenizer.pre_tokenizer
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = BpeTrainer(vocab_size=400, special_tokens=_SPECIAL, initial_alphabet=alphabet, show_progress=False)
    bare.train_from_iterator(_SENTENCES * 4, trainer)
    model = json.loads(bare.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    found = Qwen2Tokenizer(vocab=model["vocab"], merges=merges, extra_special_tokens=_SPECIAL[1:])
    found.add_tokens(["<think>", "</think>"])
    return found
