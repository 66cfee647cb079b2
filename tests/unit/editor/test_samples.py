"""Pictures taken apart and put together, at each depth, against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from s2edit_editor.pixels import Box, Picture, coloured
from s2edit_editor.samples import (
    FULL,
    are_alike,
    as_gray,
    as_rgb,
    fitting,
    interleave,
    is_full,
    sampled,
    samples,
    without_alpha,
)

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


def test_what_fits_a_document(dtype: str) -> None:
    colour, gray = picture(array(dtype, 3), dtype), picture(array(dtype, 1), dtype)
    assert fitting(colour, gray=False) is colour and fitting(gray, gray=True) is gray
    assert (fitting(colour, gray=True), fitting(gray, gray=False)) == (as_gray(colour), as_rgb(gray))


def test_rounding_is_no_difference(dtype: str) -> None:
    values = np.full((3, 5, 1), FULL[dtype] / 2).astype(TYPES[dtype])
    near, far = values.copy(), values.copy()
    near[1, 1] += np.array(FULL[dtype] * 0.03).astype(TYPES[dtype])
    far[1, 1] += np.array(FULL[dtype] * 0.06).astype(TYPES[dtype])
    assert are_alike(values.tobytes(), near.tobytes(), dtype, 0.04)
    assert not are_alike(values.tobytes(), far.tobytes(), dtype, 0.04)


def test_a_thinned_picture_has_every_third_pixel(dtype: str) -> None:
    size = np.dtype(TYPES[dtype]).itemsize
    whole = np.random.default_rng(0).integers(0, 256, (20, 31, size), dtype=np.uint8)

    def take(x: int, y: int, width: int, height: int) -> bytes:
        return whole[y : y + height, x : x + width].tobytes()

    box = Box(3, 2, 25, 16)
    assert box.thinned(3) == Box(0, 0, 9, 6)
    assert sampled(take, box, 3) == whole[2:18:3, 3:28:3].tobytes()
    assert sampled(take, box, 1) == whole[2:18, 3:28].tobytes()
