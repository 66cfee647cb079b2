"""Previews come at most five times an edit, and seldom where decoding is slow beside the steps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from s2edit.previews import Previews


@pytest.mark.parametrize(
    ("steps", "decoding", "shown"),
    [(50, 0.1, [9, 19, 29, 39, 49]), (50, 1, [9, 19, 39]), (50, 2, [9, 39]), (50, 100, [9]), (3, 0.01, [0, 1, 2])],
)
def test_decoding_takes_a_small_share_of_the_time(
    monkeypatch: pytest.MonkeyPatch, steps: int, decoding: float, shown: list[int]
) -> None:
    """Steps of one second each, by a clock that the test turns."""
    clock = [0.0]
    monkeypatch.setattr("s2edit.previews.time.perf_counter", lambda: clock[0])

    def decode(_: torch.Tensor) -> np.ndarray:
        clock[0] += decoding
        return np.zeros((4, 4, 3), np.uint8)

    made = Previews(decode, steps)
    seen = []
    for index in range(steps):
        clock[0] += 1
        if made.at(index, torch.zeros(1, 4, 2, 2)) is not None:
            seen.append(index)
    assert seen == shown
