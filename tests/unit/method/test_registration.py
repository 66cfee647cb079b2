"""An answer is laid over its source, or it is said why not."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
import pytest
import torch
from torch import Tensor

from s2edit.picture.registration import Registered, Unmatched, register
from s2edit.picture.tint import untinted
from s2edit.research.evaluation.cases import TEST_FIRST, Case, cases
from s2edit.research.starter.portraits import PORTRAITS
from tests.fakes.distorted import Distortion, as_tensor, photographs, tinted

SIDE = 256


def error(one: Tensor, other: Tensor, where: Tensor) -> float:
    """Root mean square over some pixels, of 1."""
    return float(((one - other) ** 2)[:, :, where].mean().sqrt())


@cache
def pictures() -> list[tuple[Tensor, Tensor, Tensor]]:
    """Source, the right answer, and the painted mask, which in photographs is over some other picture's part."""
    found = []
    for case in _painted():
        inside = torch.from_numpy(case.mask > 127)  # type: ignore[operator]
        inside = torch.nn.functional.interpolate(inside[None, None].float(), (SIDE, SIDE))[0, 0] > 0
        drawn = [case.domain.render(thing, SIDE) for thing in (case.source, case.target)]
        found.append((*(as_tensor(one, (SIDE, SIDE)) for one in drawn), inside))
    shots = [as_tensor(picture, (SIDE, SIDE)) for picture in photographs()]
    for shot, other in zip(shots, reversed(shots), strict=True):
        inside = torch.zeros(SIDE, SIDE, dtype=torch.bool)
        inside[60:170, 90:190] = True
        found.append((shot, torch.where(inside, other, shot), inside))
    return found  # type: ignore[return-value]


def _painted() -> list[Case]:
    return [case for case in cases(4, 4, first=TEST_FIRST) if case.painted]


@pytest.mark.parametrize("number", range(len(_painted()) + 2))
def test_what_was_shifted_stretched_and_tinted_comes_back(number: int) -> None:
    source, truth, inside = pictures()[number]
    rng = np.random.default_rng(number)
    way = Distortion.drawn(rng)
    answer = tinted(way.laid(truth), rng)
    found = register(source, answer, inside)
    assert isinstance(found, Registered), found
    assert way.away(Distortion(found.stretch, found.shift), (SIDE, SIDE)) < 0.25
    laid, seen = found.laid(answer)
    kept = seen & ~inside
    assert error(untinted(laid, source, found.agrees * kept), source, kept) < 0.2 * error(answer, source, kept)


def test_what_lies_right_is_left_alone_to_parts_of_a_pixel() -> None:
    for source, truth, inside in pictures():
        found = register(source, truth, inside)
        assert isinstance(found, Registered)
        assert found.moved((SIDE, SIDE)) < 0.05


def test_a_tint_is_taken_off_also_below_the_mask() -> None:
    for number, (source, truth, inside) in enumerate(pictures()):
        answer = tinted(truth, np.random.default_rng(number))
        better = untinted(answer, source, (~inside).float())
        assert error(better, truth, inside) < 0.6 * error(answer, truth, inside)


def test_a_flat_part_that_was_recoloured_is_no_tint() -> None:
    """Where nothing has edges, both pictures agree in them, whatever was asked for."""
    for number, (source, _, _) in enumerate(pictures()):
        truth, square = source.clone(), torch.zeros(SIDE, SIDE, dtype=torch.bool)
        square[100:160, 90:150] = True
        truth[:, :, square] = 1 - truth[:, :, square].mean(dim=2, keepdim=True).round()
        answer = tinted(truth, np.random.default_rng(number))
        better = untinted(answer, source, torch.ones(SIDE, SIDE))
        assert error(better, truth, square) < 0.12 < 0.3 < error(source, truth, square)


def test_other_portraits_and_photographs_are_no_answers() -> None:
    drawn = [as_tensor(PORTRAITS.render(PORTRAITS.sample(TEST_FIRST + seed), SIDE), (SIDE, SIDE)) for seed in range(6)]
    shots = [as_tensor(picture, (SIDE, SIDE)) for picture in photographs()]
    for one, other in combinations([*drawn, *shots], 2):
        assert isinstance(register(one, other), Unmatched)


def _repeating() -> dict[str, Tensor]:
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    return {
        "flat": torch.full((SIDE, SIDE), 0.4),
        "a gradient": x / SIDE,
        "stripes": ((x // 12) % 2).float(),
        "slanted stripes": (((x + y) // 12) % 2).float(),
        "squares": (((x // 20) + (y // 20)) % 2).float(),
        "fine squares": (((x // 2) + (y // 2)) % 2).float(),
        "an edge": (x > 100).float(),
        "waves": 0.5 + 0.5 * torch.sin(x / 4) * torch.sin(y / 5),
    }


@pytest.mark.parametrize("name", _repeating())
def test_what_fits_at_several_places_is_refused(name: str) -> None:
    picture = _repeating()[name][None, None].expand(1, 3, -1, -1)
    found = register(picture, picture)
    assert isinstance(found, Unmatched)
    assert found.why.endswith(".")


def test_little_is_left_outside_the_mask() -> None:
    source, _, _ = pictures()[-1]
    assert isinstance(register(source, source, torch.ones(SIDE, SIDE, dtype=torch.bool)), Unmatched)
    sliver = torch.ones(SIDE, SIDE, dtype=torch.bool)
    sliver[:, :6] = False
    assert isinstance(register(source, source, sliver), Unmatched)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (8, 8), (16, 1024), (23, 40)])
def test_small_and_narrow_pictures_are_refused(size: tuple[int, int]) -> None:
    picture = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(1))
    assert isinstance(register(picture, picture), Unmatched)


def test_a_long_picture_is_laid_over() -> None:
    shot = as_tensor(next(photographs()), (192, 640))
    way = Distortion((0.02, -0.01), (0.05, -0.03))
    found = register(shot, way.laid(shot))
    assert isinstance(found, Registered)
    assert way.away(Distortion(found.stretch, found.shift), (192, 640)) < 0.3


def test_an_answer_that_is_no_picture_is_refused() -> None:
    source = pictures()[-1][0]
    answer = source.clone()
    answer[0, 0, 5, 5] = float("nan")
    assert isinstance(register(source, answer), Unmatched)


def test_further_away_than_any_model_goes_is_refused() -> None:
    source = pictures()[-1][0]
    assert isinstance(register(source, Distortion((0.0, 0.0), (0.5, 0.0)).laid(source)), Unmatched)
