"""The mark in the pixels: found after what happens to pictures, nowhere outside the edit, and not where it can't be."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image
from s2edit_marks import watermark

from tests.benchmarks import false_alarms

SIDE, EDIT = 512, (96, 120, 256, 256)
DTYPES = (np.uint8, np.uint16, np.float32)
Samples = NDArray[Any]


def photo(seed: int = 0, side: int = SIDE) -> Samples:
    """Soft and hard parts as in a photograph: noise whose strength falls with frequency, and edges."""
    dice = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    spectrum = np.fft.fft2(dice.standard_normal((side, side))) / np.maximum(frequency, 1 / side) ** 1.2
    plane = np.fft.ifft2(spectrum).real
    plane = 128 + 40 * plane / plane.std()
    plane[: side // 3] += 30
    samples: Samples = np.clip(np.stack([plane, plane * 0.9 + 10, 250 - plane], axis=2), 0, 255).astype(np.uint8)
    return samples


def ellipse(width: int, height: int) -> NDArray[np.uint8]:
    """Full within, soft at the rim."""
    y, x = np.mgrid[:height, :width]
    far = np.hypot((x - width / 2) / (width / 2), (y - height / 2) / (height / 2))
    alpha: NDArray[np.uint8] = np.clip((1 - far) * 1_000, 0, 255).astype(np.uint8)
    return alpha


def edited(picture: Samples, box: tuple[int, int, int, int] = EDIT) -> Samples:
    """The picture with a marked edit in it."""
    x, y, width, height = box
    alpha = ellipse(width, height)
    patch, score = watermark.embed(picture[y : y + height, x : x + width], alpha)
    assert score >= watermark.SELF_CHECK
    result, weight = picture.copy(), alpha[:, :, None] / 255
    under = result[y : y + height, x : x + width]
    result[y : y + height, x : x + width] = np.rint(under + (patch.astype(float) - under) * weight)
    return result


def jpeg(picture: Samples, quality: int) -> Samples:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "jpeg", quality=quality)
    return np.asarray(Image.open(file))


def scaled(picture: Samples, factor: float) -> Samples:
    image: Any = pyvips.Image.new_from_array(picture)
    resized: Samples = image.resize(factor).numpy()
    return resized


ATTACKS: dict[str, Callable[[Samples], Samples]] = {
    "nothing": lambda picture: picture,
    "JPEG 75": lambda picture: jpeg(picture, 75),
    "JPEG 50": lambda picture: jpeg(picture, 50),
    "half": lambda picture: scaled(picture, 0.5),
    "half as large again": lambda picture: scaled(picture, 1.5),
    "cut": lambda picture: picture[77:460, 61:430],
    "gray": lambda picture: np.repeat(picture.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2),
    "brighter": lambda picture: np.clip(picture * 1.1 + 8, 0, 255).astype(np.uint8),
    "screenshot": lambda picture: jpeg(scaled(picture, 0.8), 80),
}


@pytest.fixture(scope="module")
def marked() -> Samples:
    """One picture for all that happens to it."""
    return edited(photo())


@pytest.mark.parametrize("attack", ATTACKS)
def test_it_is_found_after_what_happens_to_pictures(attack: str, marked: Samples) -> None:
    found = watermark.detect(ATTACKS[attack](marked))
    assert found.sure, f"{attack}: {found.score:.1f}"
    if attack == "nothing":
        x, y, width, height = found.box
        assert x < EDIT[0] + EDIT[2] and y < EDIT[1] + EDIT[3] and x + width > EDIT[0] and y + height > EDIT[1]


def test_a_picture_without_it_has_none() -> None:
    periodic = np.tile(np.indices((32, 32)).sum(axis=0)[:, :, None] % 2 * 200, (12, 12, 1)).astype(np.uint8)
    for picture in (photo(1), periodic, np.full((300, 300, 3), 90, np.uint8), photo(2)[:40, :50]):
        assert not watermark.detect(picture).sure


@pytest.mark.parametrize("number", [29, 47, 85, 196])
def test_flat_parts_are_no_mark(number: int) -> None:
    """A fractal, a screenshot, a gradient and a diagram, in whose flat blocks rounding was once taken for the mark."""
    found = watermark.detect(false_alarms.picture(number, [])[1])
    assert not found.sure, f"{found.score:.1f}"


@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing_outside_alpha_changes_and_little_inside(dtype: type[Any]) -> None:
    unit = {np.uint8: 1, np.uint16: 257, np.float32: 1 / 255}[dtype]
    picture: Samples = (photo()[:256, :256].astype(float) * unit).astype(dtype)
    alpha = ellipse(256, 256)
    full: Samples = (alpha.astype(float) * unit).astype(dtype)
    patch, score = watermark.embed(picture, full[:, :, None])
    assert patch.dtype == dtype and score >= watermark.SELF_CHECK
    assert np.array_equal(patch[alpha == 0], picture[alpha == 0])
    error = (patch.astype(float) - picture)[alpha > 0] / unit
    assert 38 < 10 * np.log10(255**2 / (error**2).mean()) < 50
    assert np.abs(error).max() <= 16


@pytest.mark.parametrize("side", [1, 7, 40, 64, 80])
def test_an_edit_that_is_too_small_stays_as_it_was(side: int) -> None:
    picture = photo()[:side, :side]
    patch, score = watermark.embed(picture, np.full((side, side), 255, np.uint8))
    assert score < watermark.SELF_CHECK and patch is picture
    untouched, none = watermark.embed(photo(), np.zeros((SIDE, SIDE), np.uint8))
    assert none == 0 and np.array_equal(untouched, photo())


def test_the_pattern_is_the_same_everywhere_and_for_ever() -> None:
    pattern = watermark.tile()
    assert pattern.shape == (watermark.TILE, watermark.TILE)
    assert abs(float(pattern.mean())) < 1e-6 and abs(float(pattern.std()) - 1) < 1e-5
    assert np.allclose(pattern[0, :4], FIRST, atol=1e-4), "old pictures would no longer be recognised"


FIRST = (1.54775, 1.2217, 0.51295, -0.10169)
