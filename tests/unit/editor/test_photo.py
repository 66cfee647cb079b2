"""Photographs are told from drawings alike at every scale and in every way that pixels travel."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from s2edit_editor.photo import likeness, step_of
from s2edit_editor.pixels import Box, Picture

from s2edit.research.starter.renderer import sample_portrait

PHOTOGRAPHS = Path(__file__).parents[2] / "photographs"
FORMATS: dict[str, tuple[str, float]] = {"u1": ("u1", 1), "u2": ("<u2", 257), "f4": ("<f4", 1 / 255)}
DOUBTED = 0.5
"""`s2edit_server.problems.PHOTO_THRESHOLD`."""


def picture(values: NDArray[np.uint8], dtype: str = "u1") -> Picture:
    kind, factor = FORMATS[dtype]
    height, width, channels = values.shape
    return Picture(width, height, channels, dtype, (values * np.float64(factor)).astype(kind).tobytes())


def gradient() -> NDArray[np.uint8]:
    y, x = np.mgrid[0:300, 0:400]
    return np.stack([x * 255 / 399, y * 255 / 299, 120 + 0 * x], axis=-1).round().astype(np.uint8)


def grid() -> NDArray[np.uint8]:
    """What once passed for a photograph in one of the editors."""
    drawn = np.full((400, 400, 3), (230, 220, 200), np.uint8)
    for line in range(0, 400, 8):
        drawn[line : line + 2] = drawn[:, line : line + 2] = (30, 40, 60)
    return drawn


DRAWINGS = {
    "portrait": lambda: sample_portrait(0, 256)[0],
    "another": lambda: sample_portrait(3, 256)[0],
    "grid": grid,
    "gradient": gradient,
    "one colour": lambda: np.full((50, 40, 3), 7, np.uint8),
    "one pixel": lambda: np.full((1, 1, 3), 7, np.uint8),
}


@cache
def drawing(name: str) -> NDArray[np.uint8]:
    return DRAWINGS[name]()


@cache
def photograph(name: str) -> NDArray[np.uint8]:
    return np.asarray(Image.open(PHOTOGRAPHS / name).convert("RGB"))


def scaled(values: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    height, width = (max(1, round(side * scale)) for side in values.shape[:2])
    return np.asarray(Image.fromarray(values).resize((width, height), Image.Resampling.BICUBIC))


def gray(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(values).convert("L"))[..., None]


@pytest.mark.parametrize("scale", [1 / 3, 1, 3])
@pytest.mark.parametrize("name", ["astronaut.jpg", "rocket.jpg"])
def test_a_photograph_at_every_scale(name: str, scale: float) -> None:
    values = scaled(photograph(name), scale)
    assert likeness(picture(values)) >= DOUBTED
    assert likeness(picture(gray(values))) >= DOUBTED


@pytest.mark.parametrize("scale", [1 / 3, 1, 3])
@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_at_every_scale(name: str, scale: float) -> None:
    values = scaled(drawing(name), scale)
    assert likeness(picture(values)) < DOUBTED / 2
    assert likeness(picture(gray(values))) < DOUBTED / 2


def test_a_drawing_that_was_saved_as_jpeg() -> None:
    file = io.BytesIO()
    Image.fromarray(drawing("portrait")).save(file, "JPEG", quality=80)
    assert likeness(picture(np.asarray(Image.open(file)))) < DOUBTED


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("alpha", [False, True])
def test_however_the_pixels_travel_it_is_the_same(dtype: str, alpha: bool) -> None:
    values = photograph("astronaut.jpg")
    sent = np.dstack([values, np.full(values.shape[:2], 255, np.uint8)]) if alpha else values
    assert likeness(picture(sent, dtype)) == pytest.approx(likeness(picture(values)), abs=0.02)


def test_what_a_host_has_thinned_is_judged_as_the_whole() -> None:
    values = scaled(photograph("rocket.jpg"), 2.3)
    step = step_of(Box(5, 6, values.shape[1], values.shape[0]))
    assert step > 1
    assert likeness(picture(values[::step, ::step])) == likeness(picture(values))


def test_hidden_colours_do_not_count() -> None:
    drawn, hidden = drawing("another"), scaled(photograph("astronaut.jpg"), 1)
    shown = np.zeros((256, 256, 1), np.uint8)
    shown[64:192, 64:192] = 255
    cut_out = np.dstack([np.where(shown > 0, drawn, hidden), shown])
    assert likeness(picture(cut_out)) < DOUBTED / 2
    assert likeness(picture(np.dstack([hidden, 0 * shown]))) == 0.0


def test_wild_floats_are_no_trouble() -> None:
    wild = np.full((64, 64, 3), np.nan, np.float32)
    wild[::2], wild[1::3] = np.inf, -1e30
    assert 0.0 <= likeness(Picture(64, 64, 3, "f4", wild.tobytes())) <= 1.0
