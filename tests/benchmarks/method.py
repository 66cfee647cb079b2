"""What the method costs, by profile and stage, beside the same method as one would first put it together.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.method [--quick] [--compiled] [--json FILE]

One run on the embedded checkpoint and one portrait. Seconds are of the wall clock and of the processor: on a shared
machine the second is the one to compare. Forward equivalents are rows through the U-Net, a backward pass counting two.
The yardstick is `method_reference`; `faithful` has to arrive at the same picture.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from s2edit import imaging
from s2edit.alignment import plan_prompts
from s2edit.attention import AttentionControl, TokenMask, cross_attention, install
from s2edit.checkpoints import load
from s2edit.diffusion import Denoiser
from s2edit.engine import EditRequest, Engine, ObjectSpec
from s2edit.masks import MaskPyramid
from s2edit.profiles import profile
from s2edit.requests import Progress
from s2edit.settings import Settings
from s2edit.starter import caption, recommended, sample_portrait, weights_folder

from .method_reference import Published, Scene

SEED = 20_000_004
STAGES = ("identity", "inversion", "editing")
QUICK = {"identity.steps": 4, "inversion.steps": 4, "inversion.inner_steps": 2}


@dataclass
class Cost:
    """Wall and processor seconds, and forward equivalents."""

    wall: float = 0.0
    cpu: float = 0.0
    forwards: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.wall + other.wall, self.cpu + other.cpu, self.forwards + other.forwards)


class Meter:
    """Counts what a U-Net does, and sums costs by name."""

    def __init__(self, unet: Any) -> None:
        self.costs: dict[str, Cost] = {}
        self._forwards = 0
        unet.register_forward_pre_hook(self._count)

    def _count(self, _: Any, inputs: tuple[Any, ...]) -> None:
        self._forwards += inputs[0].shape[0] * (3 if torch.is_grad_enabled() else 1)

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Add what happens inside to a name."""
        wall, cpu, forwards = time.perf_counter(), time.process_time(), self._forwards
        yield
        spent = Cost(time.perf_counter() - wall, time.process_time() - cpu, self._forwards - forwards)
        self.costs[name] = self.costs.get(name, Cost()) + spent


@dataclass
class Picture:
    """A portrait with its mask, what it shows, and two wishes."""

    pixels: np.ndarray[Any, Any]
    mask: np.ndarray[Any, Any]
    word: str
    source: str
    targets: tuple[str, str]


def picture() -> Picture:
    """A portrait without anything on its head, to get sunglasses, then a hat."""
    for seed in range(SEED, SEED + 1_000):
        pixels, portrait = sample_portrait(seed)
        if portrait.accessory == portrait.hat == "none":
            break
    mention = {"mood", "hair", "accessory", "hat"}
    wishes = (portrait.change(accessory="sunglasses"), portrait.change(hat="hat", hat_color="red"))
    mask = np.zeros(pixels.shape[:2], np.uint8)
    mask[8:120, 16:112] = 255
    first, second = (caption(wish, mention=mention) for wish in wishes)
    return Picture(pixels, mask, portrait.person, caption(portrait, mention=mention), (first, second))


def settings_of(name: str, quick: bool) -> Settings:
    """A profile's, without the correction of colours, which the yardstick doesn't have."""
    changes: dict[str, Any] = {"blend.colour_match": False}
    return profile(name, recommended()).replace_from(changes | (QUICK if quick else {}))


def published(it: Picture, settings: Settings) -> tuple[dict[str, Cost], Tensor]:
    """The yardstick's costs and its first edit."""
    checkpoint = load(weights_folder())
    size = (it.pixels.shape[0], it.pixels.shape[1])
    plans = [plan_prompts(checkpoint.tokenizer, it.source, target, [it.word]) for target in it.targets]
    scene = Scene(imaging.model_input(it.pixels, size), imaging.model_mask(it.mask, size), plans[0])
    meter = Meter(checkpoint.unet)
    reference = Published(checkpoint, scene, settings, seed=0)
    with meter.of("identity"):
        reference.fine_tune()
    with meter.of("inversion"):
        reference.invert()
    with meter.of("editing"):
        found = reference.edit(plans[0])
    with meter.of("next"):
        reference.edit(plans[1])
    return meter.costs, found


def ours(
    it: Picture, settings: Settings, *, compiled: bool = False
) -> tuple[dict[str, Cost], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Our costs, the first edit's patch and its alpha. Loading and compiling the model is left out ("compiling")."""
    engine = Engine(weights_folder(), device="cpu", compiled=compiled)
    meter = Meter(engine._loaded().checkpoint.unet)
    results = []

    def request_of(target: str, settings: Settings) -> EditRequest:
        return EditRequest(it.pixels, it.source, target, (ObjectSpec(it.word, it.mask),), settings=settings, seed=0)

    if compiled:
        with meter.of("compiling"):
            for target in it.targets:
                if not engine.edit(request_of(target, settings.replace_from(QUICK))).record["compiled"]:
                    raise SystemExit("No compiler works here; see the line above.")
    for target, whole in zip(it.targets, ("first", "next"), strict=True):
        request = request_of(target, settings)
        by_stage = _ByStage(meter)
        with meter.of(whole):
            results.append(engine.edit(request, by_stage))
            by_stage.close()
        if whole == "first":
            stages = {name: meter.costs.get(name, Cost()) for name in STAGES}
    names = ("first", "next", *(["compiling"] if compiled else []))
    return stages | {name: meter.costs[name] for name in names}, results[0].patch, results[0].alpha


class _ByStage:
    """A progress callback that tells a meter which stage it is in."""

    def __init__(self, meter: Meter) -> None:
        self._meter, self._stage = meter, ""
        self._open: Any = None

    def __call__(self, progress: Progress) -> None:
        if progress.phase != self._stage:
            self.close()
            self._stage = progress.phase
            self._open = self._meter.of(progress.phase)
            self._open.__enter__()

    def close(self) -> None:
        if self._open is not None:
            self._open.__exit__(None, None, None)
            self._open = None


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


def attention(rounds: int) -> dict[str, float]:
    """Cost of Eq. 3 as a multiple of plain fused attention: a U-Net pass, a training pass, one layer of SD v1-4."""
    checkpoint = load(weights_folder())
    denoiser = Denoiser(checkpoint.unet, install(checkpoint.unet))
    latent = torch.randn(1, 4, 16, 16)
    states = torch.randn(1, checkpoint.tokenizer.length, checkpoint.unet.config.cross_attention_dim)
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


def agreement(reference: Tensor, patch: np.ndarray[Any, Any], alpha: np.ndarray[Any, Any]) -> float:
    """PSNR in dB of our patch against the yardstick's picture, both 8-bit, where the layer is opaque."""
    theirs = ((reference[0].permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255).numpy()
    error = np.square(theirs - patch)[alpha == 255].mean()
    return float(10 * np.log10(255**2 / max(float(error), 1e-9)))


def show(costs: dict[str, dict[str, Cost]]) -> None:
    """Print the table with ratios to the first row."""
    print(f"{'':22}" + "".join(f"{name:>26}" for name in ("identity", "inversion", "first edit", "next edit")))
    base = next(iter(costs.values()))
    for name, by_stage in costs.items():
        cells = []
        for stage in ("identity", "inversion", "first", "next"):
            cost = by_stage[stage]
            ratio = base[stage].cpu / cost.cpu if cost.cpu else float("inf")
            cells.append(f"{cost.cpu:7.2f} s {cost.forwards:5d} fwd {ratio:5.2f}×")
        print(f"{name:22}" + "".join(f"{cell:>26}" for cell in cells))
    next_rows, rows = costs["balanced"]["next"].forwards, base["next"].forwards
    print(
        f"What bounds the next edit is rows through the U-Net: {rows} as published, {next_rows} in balanced, so at most"
        f" {rows / next_rows:.2f}×.\nTwo rows a step depend on the wish: the target with its prompt and without. The"
        " source's, computed beside them while its attention is\ninjected, could be kept from the first edit at the"
        " memory of its queries and keys. How many steps there are is the checkpoint's to recommend."
    )
    wall = ", ".join(f"{name} {c['first'].wall:.1f} s and {c['next'].wall:.1f} s" for name, c in costs.items())
    print(f"wall clock, first and next edit: {wall}")


def main() -> None:
    """Print the tables, and write them as JSON when asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few steps: shows that it runs, its ratios mean little")
    parser.add_argument("--compiled", action="store_true", help="also balanced with torch.compile, once it is compiled")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    it = picture()
    print(f"{torch.get_num_threads()} thread(s), load {os.getloadavg()[0]:.1f}; “{it.source}” to “{it.targets[0]}”")
    costs, reference = published(it, settings_of("faithful", options.quick))
    costs["first"] = costs["identity"] + costs["inversion"] + costs["editing"]
    table = {"as published": costs}
    patches = {}
    for name in ("faithful", "balanced", "fast"):
        table[name], patches[name], alpha = ours(it, settings_of(name, options.quick))
        if name == "faithful":
            decibels = agreement(reference, patches[name], alpha)
    if options.compiled:
        table["balanced, compiled"], patch, _ = ours(it, settings_of("balanced", options.quick), compiled=True)
        seconds = table["balanced, compiled"]["compiling"].wall
        apart = np.abs(patch.astype(int) - patches["balanced"]).max()
        print(f"compiled in {seconds:.0f} s; its edit differs from the other by at most {apart} of 255")
    show(table)
    print(f"faithful against as published: {decibels:.1f} dB")
    masked = attention(3 if options.quick else 25)
    for name, ratio in masked.items():
        print(f"masked attention against plain SDPA, {name}: {100 * (ratio - 1):+.1f} %")
    if options.json:
        rows = {name: {stage: asdict(cost) for stage, cost in found.items()} for name, found in table.items()}
        figures = {"costs": rows, "agreement_db": decibels, "masked_attention": masked}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
