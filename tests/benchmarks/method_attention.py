"""What masked attention (Eq. 3) costs beside plain fused attention: `python -m tests.benchmarks.method_attention`.

By processor time, the two taking turns. `tests.benchmarks.method` prints the same at its end.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from s2edit.method.attention import AttentionControl, TokenMask, cross_attention
from s2edit.method.diffusion import Denoiser
from s2edit.method.masks import MaskPyramid
from s2edit.model.backbone import Encoding
from s2edit.research.starter import weights_folder
from tests.fakes.tiny import loaded

ROUNDS = 41


def paired(one: Callable[[], Any], other: Callable[[], Any], rounds: int) -> float:
    """Median over rounds of the processor time of `other` as a multiple of `one`'s; they take turns."""
    ratios = []
    for turn in range(rounds + 2):
        spent = []
        for run in (one, other) if turn % 2 else (other, one):
            begun = time.process_time()
            run()
            spent.append(time.process_time() - begun)
        first, second = spent if turn % 2 else reversed(spent)
        if turn > 1:  # the first two warm up
            ratios.append(second / first)
    return statistics.median(ratios)


def attention(rounds: int = ROUNDS) -> dict[str, float]:
    """Cost of Eq. 3 as a multiple of plain fused attention: a U-Net pass, a training pass, one layer of SD v1-4."""
    checkpoint = loaded(weights_folder())
    checkpoint.move_to(torch.device("cpu"))
    denoiser = Denoiser(checkpoint)
    latent = torch.randn(1, 4, 16, 16)
    states = Encoding(torch.randn(1, checkpoint.tokenizer.length, checkpoint.unet.config.cross_attention_dim))
    mask = torch.zeros(128, 128)
    mask[20:90, 30:100] = 1
    masks = [TokenMask((0,), (3,), MaskPyramid(mask))]

    @torch.no_grad()
    def forward(masks: list[TokenMask]) -> None:
        denoiser(latent, 500, states, masks=masks)

    def train(masks: list[TokenMask]) -> None:
        denoiser(latent, 500, states, masks=masks).square().mean().backward()

    found = {"U-Net forward": paired(lambda: forward([]), lambda: forward(masks), rounds)}
    checkpoint.unet.requires_grad_(True)
    found["U-Net forward and backward"] = paired(lambda: train([]), lambda: train(masks), rounds)
    query, key, value = (torch.randn(1, 8, n, 40) for n in (4096, 77, 77))
    control = AttentionControl(
        masks=[TokenMask((0,), (3,), MaskPyramid(F.interpolate(mask[None, None], (512, 512))[0, 0]))]
    )
    control.set_latent_size(64, 64)
    found["one layer, 64×64 queries, 77 tokens, 8 heads"] = paired(
        lambda: F.scaled_dot_product_attention(query, key, value),
        lambda: cross_attention(query, key, value, control),
        rounds,
    )
    return found


def show(found: dict[str, float]) -> None:
    """Print the costs in per cent."""
    for name, ratio in found.items():
        print(f"masked attention against plain SDPA, {name}: {100 * (ratio - 1):+.1f} %")


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    show(attention())
