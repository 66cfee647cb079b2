"""The layer is the difference: native pixels stay, recolouring keeps their edges, hidden colours change nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from s2edit.picture.compositing import closed, composite
from s2edit.picture.detail import edited
from s2edit.picture.finishing import Finished, finished_by
from s2edit.picture.imaging import model_input
from s2edit.picture.upscaling import Upscaler, UpscalerNetwork
from s2edit.settings import BlendSettings

SIZE, NATIVE = 64, 320
DETAIL = BlendSettings(feather=2, detail=True)


def checkers(side: int, cells: int) -> torch.Tensor:
    """A picture of hard edges, 1×3×side×side."""
    coarse = torch.rand(1, 3, cells, cells, generator=torch.Generator().manual_seed(4))
    return F.interpolate(coarse, (side, side), mode="nearest")


def shrunk(picture: torch.Tensor) -> torch.Tensor:
    return F.interpolate(picture, (SIZE, SIZE), mode="area")


EVERYWHERE = torch.ones(NATIVE, NATIVE, dtype=torch.bool)


def twice(original: torch.Tensor, before: torch.Tensor, after: torch.Tensor, inside: torch.Tensor) -> Finished:
    """Stands for an upscaler that knows nothing of the picture."""
    del original, inside
    before, after = (F.interpolate(each, scale_factor=2.0, mode="nearest") for each in (before, after))
    return Finished(before, after, is_picture=False)


@pytest.mark.parametrize("channels", [1, 3])
def test_no_difference_is_the_picture_itself(channels: int) -> None:
    original = checkers(NATIVE, 9)[:, :channels]
    decoded = shrunk(checkers(NATIVE, 7))
    _, share = edited(original, decoded, decoded, EVERYWHERE)
    assert not share.any()


def test_recolouring_keeps_the_pictures_edges() -> None:
    """Blue and green swapped everywhere: five times larger, the answer is as sharp as the picture."""
    original = checkers(NATIVE, 9)
    before = shrunk(original)
    colours, share = edited(original, before, before[:, [0, 2, 1]], EVERYWHERE, twice)
    right = original[:, [0, 2, 1]]
    clear = (right - original).abs().amax(dim=1)[0] > 0.3
    assert float(share[clear].mean()) > 0.9
    pasted = F.interpolate(before[:, [0, 2, 1]], (NATIVE, NATIVE), mode="bicubic")
    error, naive = ((picture - right)[0, :, clear].square().mean() for picture in (colours, pasted))
    assert float(error) < 0.25 * float(naive)


def test_what_is_new_is_the_edits_own() -> None:
    before = torch.full((1, 3, SIZE, SIZE), 0.7)
    after = before.clone()
    after[:, :, 20:40, 20:40] = 0.1
    colours, share = edited(torch.full((1, 3, NATIVE, NATIVE), 0.7), before, after, EVERYWHERE, twice)
    middle = slice(NATIVE * 24 // SIZE, NATIVE * 36 // SIZE)
    assert torch.allclose(colours[0, :, middle, middle], torch.tensor(0.1), atol=0.02)
    assert float(share[middle, middle].min()) > 0.999
    assert not share[: NATIVE * 16 // SIZE].any()


def untrained() -> Upscaler:
    """Halfway between the picture and the edit, as every network begins."""
    return Upscaler(UpscalerNetwork(8, 1).eval(), "x")


@pytest.mark.parametrize("side", [250, 300, 900])
def test_a_second_pass_draws_at_the_pictures_own_size_inside_the_mask_alone(side: int) -> None:
    """Once up to five times the model's size, beyond it twice; tiles join without a seam, the rest is the picture's."""
    original = checkers(side, 9)
    before = F.interpolate(original, (SIZE, SIZE), mode="area")
    after = before.flip(dims=(3,))
    inside = torch.zeros(side, side, dtype=torch.bool)
    inside[:, : side // 2] = True
    found = finished_by(untrained())(original, before, after, inside)
    found_before, found_after = found.before, found.after
    wanted = 4 * SIZE if side < 5 * SIZE else side
    assert found_before.shape == found_after.shape == (1, 3, wanted, wanted)
    large = F.interpolate(original, (wanted, wanted), mode="bicubic", antialias=True).clamp(0, 1)
    assert torch.allclose(found_before, large, atol=1e-6)
    if wanted > 4 * SIZE:
        once = finished_by(untrained())(F.interpolate(original, (256, 256), mode="area"), before, after, inside).after
        small = F.interpolate(once, (wanted // 4, wanted // 4), mode="bicubic", antialias=True).clamp(0, 1)
        expected = (large + F.interpolate(small, scale_factor=4.0, mode="bicubic")) / 2
        left = slice(0, wanted // 4)
        assert torch.allclose(found_after[..., left], expected.clamp(0, 1)[..., left], atol=0.02)
        assert torch.equal(found_after[..., wanted * 7 // 8 :], large[..., wanted * 7 // 8 :])


@pytest.mark.parametrize("dtype, white", [("uint8", 255), ("uint16", 65535), ("float32", 1.0)])
@pytest.mark.parametrize("detail", [True, False])
def test_hidden_colours_change_no_bit(dtype: str, white: float, detail: bool) -> None:
    """A cut-out: whatever stands under alpha 0, the model sees the same, and the layer is the same."""
    settings = BlendSettings(feather=2, detail=detail)
    shape = (checkers(NATIVE, 9)[0].permute(1, 2, 0) * white).numpy().astype(dtype)
    opacity = np.zeros((NATIVE, NATIVE), dtype)
    opacity[60:260, 80:240] = white
    opacity[60:260, 78:80] = white / 2 if dtype == "float32" else int(white) // 2
    decoded, unedited = torch.rand(1, 3, SIZE, SIZE) * 2 - 1, torch.rand(1, 3, SIZE, SIZE) * 2 - 1
    mask = np.zeros((NATIVE, NATIVE), np.uint8)
    mask[40:200, 40:200] = 255
    found = []
    for hidden in (0, 0.5, 1):
        colours = np.where(opacity[..., None] > 0, shape, np.asarray(hidden * white, dtype))
        image = np.concatenate([colours, opacity[..., None]], axis=2)
        patch, alpha = composite(image, decoded, mask, None, settings, unedited)
        found.append((model_input(image, (SIZE, SIZE)).numpy(), patch, alpha))
    for other in found[1:]:
        assert all(np.array_equal(one, two) for one, two in zip(found[0], other, strict=True))


def test_a_soft_border_stays_as_faint_as_it_was() -> None:
    image = np.full((NATIVE, NATIVE, 4), 128, np.uint8)
    image[..., 3] = 255
    image[:, 100:110, 3] = 51
    after = torch.full((1, 3, SIZE, SIZE), 1.0)
    patch, alpha = composite(image, after, None, None, DETAIL, torch.full((1, 3, SIZE, SIZE), 0.0))
    assert alpha[160, 105] == 51 and alpha[160, 200] == 255
    assert patch[160, 200].min() > 250


def test_gaps_of_strokes_are_closed_and_the_outline_is_kept() -> None:
    mask = np.zeros((60, 80), bool)
    mask[10:50, 10:30] = mask[10:50, 34:60] = True
    mask[28:31, 15:17] = False
    filled = closed(mask, 6)
    assert filled[10:50, 10:60].all()
    assert filled.sum() == 40 * 50
    assert closed(mask, 0) is mask
