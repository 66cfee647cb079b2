"""What registration is worth: `python -m tests.benchmarks.registration`, figures as a Markdown table.

A perfect edit is shifted by up to 5 % of a side, stretched by up to 3 % and tinted, as models do that redraw a picture
from an instruction, then laid over its source. Of drawn portraits, the right answer is known; of the photographs that
lie with the tests, the "edit" is a part of another one. Errors are root mean squares of 255, as medians over the cases.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import permutations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from s2edit.picture.compositing import composite
from s2edit.picture.registration import Registered, register
from s2edit.picture.tint import untinted
from s2edit.profiles import profile
from s2edit.research.evaluation.cases import TUNING_FIRST, cases
from s2edit.research.starter.portraits import PORTRAITS
from tests.fakes.distorted import Distortion, as_tensor, photographs, tinted

SIDE = 512
Example = tuple[Tensor, Tensor, Tensor, Tensor]
"""Source and right answer, 1×3×h×w in [0, 1]; what is painted, and what has to change, h×w bool."""


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portraits", type=int, default=12)
    parser.add_argument("--times", type=int, default=4, help="distortions of each photograph")
    chosen = parser.parse_args()
    print(
        "| | cases | matched | corner off, px: median, worst | outside the mask: as it came | registered | ratio |",
        end="",
    )
    print(" composed, kept inside the mask: as it came | registered | ratio |")
    print("|---" * 10 + "|")
    _row("portraits", _portraits(chosen.portraits))
    _row("photographs", _photographs(chosen.times))
    print(_false_matches(chosen.portraits))
    return 0


def _row(name: str, examples: Iterator[Example]) -> None:
    away, outside, inside, cases_ = [], [], [], 0
    for number, (source, truth, painted, changes) in enumerate(examples):
        cases_ += 1
        rng = np.random.default_rng([7, number])
        way = Distortion.drawn(rng)
        answer = tinted(way.laid(truth), rng)
        found = register(source, answer, painted)
        if not isinstance(found, Registered):
            continue
        size = (source.shape[-2], source.shape[-1])
        away.append(way.away(Distortion(found.stretch, found.shift), size))
        laid, seen = found.laid(answer)
        better = untinted(laid, source, found.agrees * (seen & ~painted))
        kept = ~painted & seen
        outside.append([_error(each, source, kept) for each in (answer, better)])
        meant = painted & ~changes & seen
        inside.append([_error(_composed(source, each, painted & seen), truth, meant) for each in (answer, better)])
    print(
        f"| {name} | {cases_} | {len(away)} | {np.median(away):.2f}, {max(away):.2f}"
        f" | {_ratio(outside)} | {_ratio(inside)} |",
        flush=True,
    )


def _ratio(pairs: list[list[float]]) -> str:
    before, after = np.median(np.array(pairs), axis=0)
    return f"{before:.1f} | {after:.1f} | {after / before:.2f}"


def _error(one: Tensor, other: Tensor, where: Tensor) -> float:
    return float(((one - other) ** 2)[:, :, where].mean().sqrt()) * 255


def _composed(source: Tensor, answer: Tensor, painted: Tensor) -> Tensor:
    """What reaches the picture, 1×3×h×w."""
    pixels = (source[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    mask = painted.numpy().astype(np.uint8) * np.uint8(255)
    patch, alpha = composite(pixels, answer * 2 - 1, mask, None, profile("balanced").blend, source * 2 - 1)
    share = torch.from_numpy(alpha.astype(np.float32) / 255)
    return source * (1 - share) + torch.from_numpy(patch.astype(np.float32) / 255).permute(2, 0, 1)[None] * share


def _portraits(count: int) -> Iterator[Example]:
    for case in cases(count, 2, first=TUNING_FIRST):
        if case.mask is None:
            continue
        drawn = [as_tensor(case.domain.render(thing, SIDE), (SIDE, SIDE)) for thing in (case.source, case.target)]
        painted, changes = (
            F.interpolate(torch.from_numpy(each)[None, None].float(), (SIDE, SIDE))[0, 0] > 0
            for each in (case.mask, case.changed)
        )
        yield drawn[0], drawn[1], painted, changes


def _photographs(times: int) -> Iterator[Example]:
    shots = [as_tensor(shot, (SIDE, SIDE)) for shot in photographs()]
    for number, (shot, other) in enumerate(permutations(shots * times, 2)):
        if shot is other or number % 5:
            continue
        rng = np.random.default_rng([8, number])
        x, y = rng.integers(SIDE // 8, SIDE // 2, 2)
        painted, changes = torch.zeros(2, SIDE, SIDE, dtype=torch.bool)
        painted[y : y + SIDE // 3, x : x + SIDE // 3] = True
        edge = SIDE // 16
        changes[y + edge : y + SIDE // 3 - edge, x + edge : x + SIDE // 3 - edge] = True
        yield shot, torch.where(changes, other, shot), painted, changes


def _false_matches(count: int) -> str:
    """Pairs of pictures that have nothing to do with each other."""
    drawn = [PORTRAITS.render(PORTRAITS.sample(TUNING_FIRST + seed), SIDE) for seed in range(count)]
    pictures = [as_tensor(each, (SIDE, SIDE)) for each in (*drawn, *photographs())]
    pairs = list(permutations(pictures, 2))
    wrong = sum(isinstance(register(one, other), Registered) for one, other in pairs)
    return f"\nOf {len(pairs)} pairs of unrelated pictures, {wrong} were taken for a match."


if __name__ == "__main__":
    sys.exit(main())
