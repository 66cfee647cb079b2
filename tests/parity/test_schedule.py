"""A schedule's bound is a decimal fraction of the steps, and agrees with Prompt-to-Prompt's published rule."""

from __future__ import annotations

from fractions import Fraction

import pytest

from s2edit.method.editing import within


def count(fraction: float, steps: int) -> int:
    """How many steps lie within; they have to be the first ones."""
    inside = [within(index, fraction, steps) for index in range(steps)]
    assert inside == sorted(inside, reverse=True)
    return sum(inside)


@pytest.mark.parametrize("steps", range(2, 101))
def test_whole_numbers_of_steps_are_meant(steps: int) -> None:
    assert [count(k / steps, steps) for k in range(steps + 1)] == list(range(steps + 1))


@pytest.mark.parametrize("steps", [10, 20, 25, 30, 50, 100])
def test_hundredths_are_rounded_down_as_written(steps: int) -> None:
    for hundredths in range(101):
        wanted = int(Fraction(hundredths, 100) * steps)
        assert count(hundredths / 100, steps) == wanted
        assert count(float(f"0.{hundredths:02}") if hundredths < 100 else 1, steps) == wanted
        # Prompt-to-Prompt's `update_alpha_time_word` counts in steps + 1, which cures the rounding of 0.58 · 50.
        if hundredths * steps % 100 == 0 and hundredths < 100:
            assert wanted == int(hundredths / 100 * (steps + 1))


def test_the_case_that_was_reported() -> None:
    assert int(0.58 * 50) == 28
    assert count(0.58, 50) == 29
    assert int(0.58 * 51) == 29
