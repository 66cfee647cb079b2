"""What the method costs, by profile and stage, beside the same method as one would first put it together.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.method [--quick] [--compiled] [--json FILE]

One run on the embedded checkpoint and one portrait. Seconds are of the wall clock and of the processor: on a shared
machine the second is the one to compare. Even that depends on what runs beside, so all take turns at the short next
edits, and their median counts. Forward equivalents are rows through the U-Net, a backward pass counting two. The
yardstick is `method_reference`; `faithful` has to arrive at the same picture.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from s2edit.engine import EditRequest, Engine, ObjectSpec
from s2edit.method.alignment import plan_prompts
from s2edit.picture import imaging
from s2edit.profiles import profile
from s2edit.requests import EditResult, Progress, ProgressCallback, no_progress
from s2edit.research.starter import caption, recommended, sample_portrait, weights_folder
from s2edit.settings import Settings
from tests.fakes.tiny import loaded

from . import method_attention
from .method_attention import attention
from .method_reference import Published, Scene

SEED = 20_000_004
STAGES = ("identity", "inversion", "editing")
ROUNDS = 7
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


@dataclass
class Contender:
    """A way to edit: its costs so far, its first picture, and how it makes the next one.

    Args:
        patch, alpha: of the first edit, H×W×3 and H×W uint8. again: makes the edit for the second wish.
    """

    meter: Meter
    patch: np.ndarray[Any, Any]
    alpha: np.ndarray[Any, Any]
    again: Callable[[], object]

    @property
    def costs(self) -> dict[str, Cost]:
        """By stage, and of the whole first and next edit."""
        return self.meter.costs


def published(it: Picture, settings: Settings) -> Contender:
    """The yardstick, its first edit made."""
    checkpoint = loaded(weights_folder())
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
    meter.costs["first"] = meter.costs["identity"] + meter.costs["inversion"] + meter.costs["editing"]
    pixels = imaging.preview(found)
    return Contender(meter, pixels, np.full(pixels.shape[:2], 255, np.uint8), lambda: reference.edit(plans[1]))


def ours(it: Picture, settings: Settings, *, compiled: bool = False) -> Contender:
    """An engine, its first edit made. Loading and compiling the model is left out of that ("compiling")."""
    engine = Engine(weights_folder(), device="cpu", compiled=compiled)
    meter = Meter(engine._loaded().checkpoint.network)

    def edit(target: str, settings: Settings, progress: ProgressCallback = no_progress) -> EditResult:
        spec = ObjectSpec(it.word, it.mask)
        return engine.edit(EditRequest(it.pixels, it.source, target, (spec,), settings=settings, seed=0), progress)

    if compiled:
        with meter.of("compiling"):
            for target in it.targets:
                if not edit(target, settings.replace_from(QUICK)).record["compiled"]:
                    raise SystemExit("No compiler works here; see the line above.")
    by_stage = _ByStage(meter)
    with meter.of("first"):
        result = edit(it.targets[0], settings, by_stage)
        by_stage.close()
    return Contender(meter, result.patch, result.alpha, lambda: edit(it.targets[1], settings))


def take_turns(contenders: Sequence[Contender], rounds: int) -> None:
    """Measure the next edit of each, the median by processor time of some rounds in which each has its turn."""
    found: dict[int, list[Cost]] = {}
    for _ in range(rounds):
        for number, contender in enumerate(contenders):
            with contender.meter.of("turn"):
                contender.again()
            found.setdefault(number, []).append(contender.costs.pop("turn"))
    for number, contender in enumerate(contenders):
        contender.costs["next"] = sorted(found[number], key=lambda cost: cost.cpu)[rounds // 2]


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


def agreement(reference: Contender, other: Contender) -> float:
    """PSNR in dB of a first edit against the yardstick's, both 8-bit, where the layer is opaque."""
    error = np.square(reference.patch.astype(float) - other.patch)[other.alpha == 255].mean()
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
    ours = costs["balanced"]
    print("What bounds them is rows through the U-Net, of which balanced takes")
    for name in ("first", "next"):
        theirs, rows = base[name].forwards, ours[name].forwards
        print(f"- for the {name} edit {rows} instead of {theirs}: {theirs / rows:.2f}× fewer;")
    print(
        f"{ours['identity'].forwards} of the first edit's are fine-tuning, as many steps as the checkpoint recommends."
    )
    print("In the next edit the target's row, and its unconditional one while it is guided, depend on the wish. The")
    print("source's, beside them while its attention is injected, could be kept at that attention's memory.")
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
    contenders = {"as published": published(it, settings_of("faithful", options.quick))}
    for name in ("faithful", "balanced", "fast"):
        contenders[name] = ours(it, settings_of(name, options.quick))
    if options.compiled:
        contenders["balanced, compiled"] = found = ours(it, settings_of("balanced", options.quick), compiled=True)
        apart = np.abs(found.patch.astype(int) - contenders["balanced"].patch).max()
        seconds = found.costs["compiling"].wall
        print(f"compiled in {seconds:.0f} s; its edit differs from the other by at most {apart} of 255")
    take_turns(list(contenders.values()), 1 if options.quick else ROUNDS)
    table = {name: contender.costs for name, contender in contenders.items()}
    show(table)
    decibels = agreement(contenders["as published"], contenders["faithful"])
    print(f"faithful against as published: {decibels:.1f} dB")
    masked = attention(*([3] if options.quick else []))
    method_attention.show(masked)
    if options.json:
        rows = {name: {stage: asdict(cost) for stage, cost in found.items()} for name, found in table.items()}
        figures = {"costs": rows, "agreement_db": decibels, "masked_attention": masked}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
