"""Write a checkpoint as one file in Stable Diffusion 1's or XL's original layout, as it is passed around."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
}
_OPEN_CLIP = {
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.final_layer_norm": "ln_final",
    "text_model.encoder.layers.": "transformer.resblocks.",
    ".layer_norm1.": ".ln_1.",
    ".layer_norm2.": ".ln_2.",
    ".mlp.fc1.": ".mlp.c_fc.",
    ".mlp.fc2.": ".mlp.c_proj.",
    ".self_attn.out_proj.": ".attn.out_proj.",
}
"""transformers' names and OpenCLIP's; queries, keys and values are one matrix there, and the projection is turned."""
_VAE_PARTS = {
    "conv_norm_out": "norm_out",
    "conv_shortcut": "nin_shortcut",
    "mid_block.resnets.0": "mid.block_1",
    "mid_block.resnets.1": "mid.block_2",
    "mid_block.attentions.0.group_norm": "mid.attn_1.norm",
    "mid_block.attentions.0.to_q": "mid.attn_1.q",
    "mid_block.attentions.0.to_k": "mid.attn_1.k",
    "mid_block.attentions.0.to_v": "mid.attn_1.v",
    "mid_block.attentions.0.to_out.0": "mid.attn_1.proj_out",
}


def unet_name(name: str, attending: frozenset[str]) -> str:
    """A diffusers U-Net key in the original layout (2 layers a block); `attending`: its up blocks with attention."""
    for new, old in _UNET_ENDS.items():
        if name.startswith(f"{new}."):
            return name.replace(new, old, 1)
    found = re.match(r"(down|up)_blocks\.(\d)\.(resnets|attentions|downsamplers|upsamplers)\.(\d)\.(.*)", name)
    if found:
        side, level, kind, layer, rest = found[1], int(found[2]), found[3], int(found[4]), found[5]
        if kind == "downsamplers":
            return f"input_blocks.{3 * (level + 1)}.0.op.{rest.removeprefix('conv.')}"
        if kind == "upsamplers":
            return f"output_blocks.{3 * level + 2}.{2 if str(level) in attending else 1}.{rest}"
        block = f"input_blocks.{3 * level + layer + 1}" if side == "down" else f"output_blocks.{3 * level + layer}"
        return f"{block}.0.{_resnet(rest)}" if kind == "resnets" else f"{block}.1.{rest}"
    found = re.match(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", name)
    assert found, name
    if found[1] == "resnets":
        return f"middle_block.{2 * int(found[2])}.{_resnet(found[3])}"
    return f"middle_block.1.{found[3]}"


def _resnet(rest: str) -> str:
    part, _, tail = rest.partition(".")
    return f"{_RESNET[part]}.{tail}"


def vae_name(name: str) -> str:
    """A diffusers autoencoder key in the original layout (4 levels)."""
    for new, old in _VAE_PARTS.items():
        name = name.replace(f"{new}.", f"{old}.")
    name = re.sub(r"encoder\.down_blocks\.(\d)\.resnets\.(\d)", r"encoder.down.\1.block.\2", name)
    name = re.sub(r"encoder\.down_blocks\.(\d)\.downsamplers\.0", r"encoder.down.\1.downsample", name)
    name = re.sub(
        r"decoder\.up_blocks\.(\d)\.resnets\.(\d)", lambda m: f"decoder.up.{3 - int(m[1])}.block.{m[2]}", name
    )
    return re.sub(r"decoder\.up_blocks\.(\d)\.upsamplers\.0", lambda m: f"decoder.up.{3 - int(m[1])}.upsample", name)


def open_clip(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The second text encoder's weights in OpenCLIP's layout."""
    found = {}
    for name, weight in weights.items():
        part, _, kind = name.rpartition(".")
        if name == "text_projection.weight":
            found["text_projection"] = weight.T
        elif part.endswith(".q_proj"):
            joined = [weights[f"{part.removesuffix('q_proj')}{letter}_proj.{kind}"] for letter in "qkv"]
            layer = part.removeprefix("text_model.encoder.layers.").split(".")[0]
            found[f"transformer.resblocks.{layer}.attn.in_proj_{kind}"] = torch.cat(joined)
        elif not part.endswith((".k_proj", ".v_proj")):
            for new, old in _OPEN_CLIP.items():
                name = name.replace(new, old)  # noqa: PLW2901
            found[name] = weight
    return found


def write(path: Path, unet: Any, vae: Any, text_encoder: Any, text_encoder_2: Any = None) -> Path:
    """Write the networks as one .safetensors file."""
    tensors: dict[str, Tensor] = {}
    weights = unet.state_dict()
    attending = frozenset(name.split(".")[1] for name in weights if re.match(r"up_blocks\.\d\.attentions", name))
    for name, weight in weights.items():
        tensors[f"model.diffusion_model.{unet_name(name, attending)}"] = weight
    for name, weight in vae.state_dict().items():
        # The original attention of the autoencoder is made of 1×1 convolutions.
        convolution = "attentions" in name and weight.ndim == 2
        tensors[f"first_stage_model.{vae_name(name)}"] = weight[..., None, None] if convolution else weight
    first = "cond_stage_model" if text_encoder_2 is None else "conditioner.embedders.0"
    for name, weight in text_encoder.state_dict().items():
        tensors[f"{first}.transformer.text_model.{name.removeprefix('text_model.')}"] = weight
    if text_encoder_2 is not None:
        for name, weight in open_clip(text_encoder_2.state_dict()).items():
            tensors[f"conditioner.embedders.1.model.{name}"] = weight
    save_file({name: weight.contiguous() for name, weight in tensors.items()}, path)
    return path
