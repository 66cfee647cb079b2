"""Crop boxes and model sizes, for every canvas."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2edit.errors import ImageError
from s2edit.picture.region import crop_box, model_size

SIDES = st.integers(1, 5000)


@st.composite
def canvases(draw: st.DrawFn) -> tuple[tuple[int, int], tuple[int, int, int, int]]:
    width, height = draw(SIDES), draw(SIDES)
    x, y = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return (width, height), (x, y, draw(st.integers(1, width - x)), draw(st.integers(1, height - y)))


@given(canvases(), st.floats(0, 1), st.sampled_from([128, 512]))
def test_crop_holds_the_mask_inside_the_canvas(
    case: tuple[tuple[int, int], tuple[int, int, int, int]], context: float, native: int
) -> None:
    (width, height), (x, y, w, h) = case
    left, top, wide, high = crop_box((width, height), (x, y, w, h), context=context, native=native)
    assert 0 <= left <= x
    assert 0 <= top <= y
    assert x + w <= left + wide <= width
    assert y + h <= top + high <= height
    assert wide >= min(native, width)
    assert high >= min(native, height)
    assert wide == width or wide % 8 == 0
    assert high == height or high % 8 == 0
    assert wide <= 2 * high + 16 or high == height or wide == min(width, native)
    assert high <= 2 * wide + 16 or wide == width or high == min(height, native)


def test_crop_examples() -> None:
    assert crop_box((1600, 1200), None, context=0.35, native=512) == (0, 0, 1600, 1200)
    assert crop_box((1600, 1200), (500, 300, 200, 100), context=0.35, native=512) == (344, 94, 512, 512)
    assert crop_box((1600, 1200), (0, 0, 800, 600), context=0.25, native=512) == (0, 0, 1200, 1000)


@pytest.mark.parametrize("box", [(0, 0, 0, 5), (90, 0, 20, 5), (-1, 0, 5, 5)])
def test_box_outside(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(ImageError):
        crop_box((100, 100), box, context=0.3, native=64)


@given(SIDES, SIDES, st.sampled_from([(128, 32), (512, 64), (100, 64)]))
def test_model_size(width: int, height: int, kind: tuple[int, int]) -> None:
    native, multiple = kind
    h, w = model_size(width, height, native=native, multiple=multiple)
    assert h % multiple == w % multiple == 0
    assert native <= min(h, w) < native + multiple
    assert max(h, w) <= 2 * min(h, w)
    assert (w >= h) == (width >= height) or w == h
    ratio = min(max(width, height) / min(width, height), 2)
    assert abs(max(h, w) - ratio * min(h, w)) <= multiple / 2 or max(h, w) == min(h, w)


def test_model_size_examples() -> None:
    assert model_size(512, 512, native=512, multiple=64) == (512, 512)
    assert model_size(768, 512, native=512, multiple=64) == (512, 768)
    assert model_size(3000, 100, native=512, multiple=64) == (512, 1024)
    assert model_size(128, 160, native=128, multiple=32) == (160, 128)


def test_no_torch_is_loaded() -> None:
    code = "import sys, s2edit.picture.region, s2edit.method.prompts, s2edit.settings, s2edit.errors, s2edit.cache; "
    code += "sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
