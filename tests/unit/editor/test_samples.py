"""Pictures taken apart and put together, at each depth, against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from s2edit_editor.pixels import Picture, coloured
from s2edit_editor.samples import FULL, as_gray, as_rgb, interleave, is_full, samples, without_alpha

TYPES: dict[str, Any] = {"u1": np.uint8, "u2": np.uint16, "f4": np.float32}
pytestmark = pytest.mark.parametrize("dtype", TYPES)


def array(dtype: str, channels: int) -> np.ndarray[Any, Any]:
    values = np.random.default_rng(channels).random((3, 5, channels)) * FULL[dtype]
    return values.astype(TYPES[dtype])


def picture(values: np.ndarray[Any, Any], dtype: str) -> Picture:
    return Picture(5, 3, values.shape[2], dtype, values.tobytes())


@pytest.mark.parametrize("channels", [1, 3])
def test_alpha_comes_and_goes(dtype: str, channels: int) -> None:
    colour, alpha = array(dtype, channels), array(dtype, 1)
    both = interleave(picture(colour, dtype), picture(alpha, dtype))
    assert both == picture(np.concatenate([colour, alpha], axis=2), dtype)
    assert without_alpha(both) == picture(colour, dtype)
    assert without_alpha(picture(colour, dtype)) == picture(colour, dtype)


def test_gray_and_rgb(dtype: str) -> None:
    colour, gray = array(dtype, 3), array(dtype, 1)
    assert as_gray(picture(colour, dtype)) == picture(colour[..., 1:2], dtype)
    assert as_rgb(picture(gray, dtype)) == picture(np.repeat(gray, 3, axis=2), dtype)


def test_what_is_full_all_over(dtype: str) -> None:
    values = np.full((3, 5, 1), FULL[dtype], TYPES[dtype])
    assert is_full(picture(values, dtype))
    values[2, 4] -= values[2, 4] / 2 if dtype == "f4" else 1
    assert not is_full(picture(values, dtype))
    assert list(samples(values.tobytes(), dtype)) == values.ravel().tolist()


def test_a_mask_in_a_colour(dtype: str) -> None:
    assert dtype in FULL
    assert bytes(coloured(b"\x00\x80\xff", (1, 2, 3))) == bytes([1, 2, 3, 0, 1, 2, 3, 128, 1, 2, 3, 255])
