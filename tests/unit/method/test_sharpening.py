"""Slopes become edges where they are, and nothing else changes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from s2edit.picture.finishing import finished_by
from s2edit.picture.sharpening import shock_filtered
from s2edit.picture.upscaling import SCALE, Upscaler, UpscalerNetwork


def slope(width: int) -> Tensor:
    """From dark to bright in `width` px around column 16, in three colours: 1x3x32x32."""
    ramp = ((torch.arange(32) - 15.5) / width + 0.5).clamp(0, 1)
    colours = torch.tensor([[0.1, 0.9], [0.3, 0.6], [0.8, 0.2]])
    return (colours[:, :1] + (colours[:, 1:] - colours[:, :1]) * ramp)[None, :, None].expand(1, 3, 32, 32)


def steepness(picture: Tensor) -> float:
    return float(picture.diff(dim=-1).square().sum())


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("width", [4, 6, 8])
def test_a_slope_becomes_steeper_where_it_is(width: int, across: bool) -> None:
    picture = slope(width)
    found = shock_filtered(picture.mT if across else picture, 4)
    found = found.mT if across else found
    assert steepness(found) > 1.2 * steepness(picture)
    halfway = picture[..., 15:17].mean(dim=-1)
    assert torch.allclose(found[..., 15:17].mean(dim=-1), halfway, atol=1e-3), "its middle stays"
    assert found.min() >= picture.min()
    assert found.max() <= picture.max(), "no halo"


@pytest.mark.parametrize("picture", [torch.full((1, 3, 16, 16), 0.4), slope(1), torch.rand(1, 1, 1, 1)])
def test_what_has_no_slope_stays(picture: Tensor) -> None:
    assert torch.allclose(shock_filtered(picture, 4), picture, atol=1e-4)


def test_no_steps_change_nothing() -> None:
    assert torch.equal(shock_filtered(slope(6), 0), slope(6))


def draws_new(sharpening: int) -> Upscaler:
    """One that takes all of the edit and nothing of the picture."""
    network = UpscalerNetwork(8, 1, sharpening)
    network.head.load_state_dict({**network.head.state_dict(), "4.bias": torch.tensor([20.0, 0, 0, 0])})
    return Upscaler(network.eval(), "0" * 16)


def test_only_what_is_new_is_sharpened() -> None:
    large = F.interpolate(slope(8), scale_factor=SCALE, mode="bilinear")
    before = slope(8)
    after = before.clone()
    after[..., :10, :] = after[..., :10, :].flip(1)
    inside = torch.ones(large.shape[-2:], dtype=torch.bool)
    plain, sharp = (finished_by(draws_new(steps))(large, before, after, inside).after for steps in (0, 4))
    new, own = (..., slice(4, 36), slice(None)), (..., slice(60, None), slice(None))
    assert steepness(sharp[new]) > 1.05 * steepness(plain[new])
    assert torch.equal(sharp[own], plain[own])
