"""What stage 1 takes at each level with Stable Diffusion v1-4's shapes, counted without computing anything.

    python -m tests.benchmarks.method_memory [--size 512]

Gibibytes: all networks' weights, gradients, the optimiser's states, and what the U-Net's passes take at most beyond
those. `tests/parity/test_levels.py` holds the count against the tensors of a real step.
"""

from __future__ import annotations

import argparse
from types import SimpleNamespace
from typing import Any, get_args

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from s2edit.checkpoints import CONFIGS
from s2edit.levels import memory_plan
from s2edit.settings import Level

PARTS = ("weights", "gradients", "optimizer", "activations", "total")


def shapes() -> Any:
    """The published networks without memory, as far as a checkpoint's memory plan looks at them."""
    folder = CONFIGS / "sd1"
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(folder / "unet"))
        vae = AutoencoderKL.from_config(AutoencoderKL.load_config(folder / "vae"))
        text_encoder = CLIPTextModel(CLIPTextConfig.from_pretrained(folder / "text_encoder"))
    return SimpleNamespace(
        unet=unet,
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=SimpleNamespace(length=text_encoder.config.max_position_embeddings),
        trainable=lambda: {"unet": unet, "text_encoder": text_encoder},
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=512, help="side of the square input, px")
    size = parser.parse_args().size
    checkpoint = shapes()
    print(f"GiB at {size}×{size}" + "".join(f"{part:>13}" for part in PARTS))
    for level in get_args(Level):
        if level != "auto":
            plan = memory_plan(checkpoint, (size, size), level).as_dict()
            print(f"{level:15}" + "".join(f"{plan[part] / 2**30:13.2f}" for part in PARTS))


if __name__ == "__main__":
    main()
