"""Any depth in, the same depth out, and nothing touched where alpha is 0."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from s2edit.errors import ImageError, MaskError
from s2edit.method.masks import MaskPyramid, area_pool
from s2edit.picture import imaging
from s2edit.picture.compositing import _ramp, composite, feathered, grown, match_colours
from s2edit.picture.imaging import bounding_box
from s2edit.settings import BlendSettings

WHITE = {"uint8": 255, "uint16": 65535, "float32": 1.0}


def image(dtype: str, channels: int, size: tuple[int, int] = (40, 56)) -> np.ndarray:
    values = np.random.default_rng(0).random((*size, channels))
    return (values * WHITE[dtype]).astype(dtype)


def box_mask(size: tuple[int, int] = (40, 56)) -> np.ndarray:
    mask = np.zeros(size, np.uint8)
    mask[10:30, 8:40] = 255
    return mask


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_layer_leaves_the_rest_alone(dtype: str, channels: int) -> None:
    original, mask = image(dtype, channels), box_mask()
    decoded = torch.rand(1, 3, 64, 96) * 2 - 1
    patch, alpha = composite(original, decoded, mask, None, BlendSettings(feather=4))
    assert patch.shape == (40, 56, 1 if channels < 3 else 3)
    assert patch.dtype == alpha.dtype == original.dtype
    assert not alpha[mask == 0].any()
    assert (alpha[mask > 0] > 0).all()
    # A pixel that is half transparent in the picture stays so in the layer.
    opaque = original[:, :, -1] if channels in (2, 4) else np.full(mask.shape, WHITE[dtype])
    assert (alpha <= np.where(opaque == 0, WHITE[dtype], np.maximum(opaque, 1))).all()
    assert alpha.max() > 0.9 * WHITE[dtype]
    # What an editor computes: the layer over the picture.
    share = alpha[..., None].astype(np.float64) / WHITE[dtype]
    colours = original[..., : patch.shape[2]]
    over = colours * (1 - share) + patch * share
    assert np.array_equal(over[mask == 0], colours[mask == 0])


def test_undecided_place_means_the_whole_picture() -> None:
    original = image("uint8", 3)
    _, alpha = composite(original, torch.zeros(1, 3, 64, 96), None, None, BlendSettings())
    assert (alpha == 255).all()


def test_latent_mask_becomes_alpha() -> None:
    blend = torch.zeros(8, 12, dtype=torch.bool)
    blend[2:5, 4:8] = True
    _, alpha = composite(image("uint16", 3, (80, 120)), torch.zeros(1, 3, 64, 96), None, blend, BlendSettings())
    assert alpha[35, 60] == 65535
    assert not alpha[:10].any()
    assert not alpha[:, 90:].any()


def test_grow_reaches_beyond_the_mask() -> None:
    original, mask = image("uint8", 3), box_mask()
    _, alpha = composite(original, torch.zeros(1, 3, 40, 56), mask, None, BlendSettings(grow=3, feather=2))
    assert bounding_box(alpha > 0) == (5, 7, 38, 26)


def test_round_trip_at_the_model_size() -> None:
    original = image("uint8", 3, (64, 64))
    seen = imaging.model_input(original, (64, 64))
    assert seen.shape == (1, 3, 64, 64)
    assert seen.min() >= -1
    assert seen.max() <= 1
    patch, _ = composite(original, seen, None, None, BlendSettings(colour_match=False))
    assert np.array_equal(patch, original)


def test_transparent_parts_are_gray_to_the_model() -> None:
    original = image("uint8", 4, (64, 64))
    original[..., 3] = 0
    assert imaging.model_input(original, (64, 64)).abs().max() < 1e-6


@given(st.integers(0, 2**32 - 1), st.floats(0, 20))
@settings(max_examples=25, deadline=None)
def test_feather_stays_inside_and_never_erases_a_stroke(seed: int, width: float) -> None:
    rng = np.random.default_rng(seed)
    inside = np.zeros((60, 60), bool)
    for _ in range(3):
        y, x, h, w = rng.integers(0, 50), rng.integers(0, 50), rng.integers(1, 30), rng.integers(1, 30)
        inside[y : y + h, x : x + w] = True
    alpha = feathered(inside, width).numpy()
    assert not alpha[~inside].any()
    assert (alpha[inside] > 0).all()
    assert alpha.max() == pytest.approx(1)


def test_thin_stroke_beside_a_large_area_stays_visible() -> None:
    inside = np.zeros((80, 80), bool)
    inside[5:45, 5:75] = True
    inside[60:63, 5:75] = True
    alpha = feathered(inside, 10).numpy()
    assert alpha[61, 40] > 0.9
    assert alpha[25, 40] == 1
    assert 0 < alpha[5, 40] < 0.1


def test_feather_does_not_start_at_the_pictures_border() -> None:
    inside = np.zeros((40, 40), bool)
    inside[:20] = True
    alpha = feathered(inside, 8).numpy()
    assert alpha[0, 20] == 1
    assert 0 < alpha[19, 20] < 0.2


@pytest.mark.parametrize("place", [(40, 30), (0, 0), (5, 3), (190, 100)])
def test_a_wide_feather_is_that_of_every_pixel(place: tuple[int, int]) -> None:
    """Large pictures' feathers are computed on coarser cells: the same ramp, at the picture's border too."""
    inside = np.zeros((400, 360), bool)
    y, x = place
    inside[y : y + 205, x : x + 250] = True
    inside[y + 30 : y + 90, x + 100 : x + 140] = False
    alpha = feathered(inside, 100)
    apart = (alpha - _ramp(torch.from_numpy(inside.astype(np.float32)), 100)).abs()
    assert apart.max() < 0.12 and apart.mean() < 0.02
    assert not alpha[~torch.from_numpy(inside)].any() and (alpha[torch.from_numpy(inside)] > 0).all()


def test_a_stroke_stays_visible_under_a_wide_feather() -> None:
    inside = np.zeros((300, 300), bool)
    inside[150:153, 20:280] = True
    assert feathered(inside, 200)[151, 150] > 0.9


def test_colours_are_matched_on_the_ring() -> None:
    original = torch.rand(1, 3, 32, 32)
    shifted = original * 0.9 + 0.05
    ring = torch.zeros(32, 32, dtype=torch.bool)
    ring[:, :10] = True
    torch.testing.assert_close(match_colours(shifted, original, ring), original, rtol=0, atol=1e-4)
    assert torch.equal(match_colours(shifted, original, torch.zeros(32, 32, dtype=torch.bool)), shifted)


def test_grown() -> None:
    inside = np.zeros((9, 9), bool)
    inside[4, 4] = True
    assert grown(inside, 2).sum() == 25
    assert grown(inside, 0.2) is inside
    mask = np.random.default_rng(1).random((31, 47)) > 0.98
    for reach in (1, 5, 60):
        wanted = F.max_pool2d(
            F.pad(torch.from_numpy(mask.astype(np.float32))[None, None], (reach,) * 4), 2 * reach + 1, stride=1
        )
        assert np.array_equal(grown(mask, reach), wanted[0, 0].numpy() > 0)


def test_area_pooling_keeps_small_strokes() -> None:
    mask = torch.zeros(512, 512)
    mask[100:103, 200:260] = 1
    pyramid = MaskPyramid(mask)
    for side in (64, 32, 16, 8):
        pooled = pyramid.at(side, side)
        assert pooled.shape == (side * side,)
        assert pooled.max() > 0
        assert float(pooled.mean()) == pytest.approx(float(mask.mean()), rel=1e-5)
    assert area_pool(mask, 8, 16).shape == (8, 16)


def test_masks_of_any_size_are_pooled_to_the_model() -> None:
    pooled = imaging.model_mask(box_mask(), (64, 96))
    assert pooled.shape == (64, 96)
    assert float(pooled.mean()) == pytest.approx(20 * 32 / (40 * 56), abs=0.03)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (np.zeros((4, 4), np.uint8), "image_shape"),
        (np.zeros((4, 4, 5), np.uint8), "image_shape"),
        (np.zeros((0, 4, 3), np.uint8), "image_shape"),
        (np.zeros((4, 4, 3), np.float64), "image_dtype"),
        (np.full((4, 4, 3), np.nan, np.float32), "image_values"),
    ],
)
def test_wrong_pictures(bad: np.ndarray, code: str) -> None:
    with pytest.raises(ImageError) as caught:
        imaging.check_image(bad)
    assert caught.value.code == code


def test_wrong_masks() -> None:
    picture = image("uint8", 3)
    with pytest.raises(MaskError, match="55×40") as caught:
        imaging.check_mask(np.ones((40, 55), np.uint8), picture, "mask")
    assert caught.value.code == "mask_size"
    with pytest.raises(MaskError) as caught:
        imaging.check_mask(np.full((40, 56), 127, np.uint8), picture, "mask")
    assert caught.value.code == "mask_empty"
