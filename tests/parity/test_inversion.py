"""Section 7.1: the inversion trajectory and the null-text loss curve equal the written-out formulas."""

from __future__ import annotations

import pytest
import torch

from s2edit.method.alignment import plan_prompts
from s2edit.method.attention import TokenMask
from s2edit.method.diffusion import Ddim, Denoiser
from s2edit.method.inversion import ddim_inversion, null_text_optimisation
from s2edit.method.masks import MaskPyramid
from s2edit.model.backbone import Encoding
from s2edit.model.checkpoints import Checkpoint
from s2edit.settings import InversionSettings
from tests.parity.reference_diffusion import Reference
from tests.parity.reference_text import literal

TOLERANCE = 1e-5


def scene(checkpoint: Checkpoint, height: int, width: int) -> tuple[torch.Tensor, Encoding, torch.Tensor, int]:
    """Latent, encoding of P~, object mask with a small stroke, and [I]'s position."""
    plan = plan_prompts(checkpoint.tokenizer, "a photo of a lady, smiling", "a photo of a man, smiling", ["lady"])
    latent = torch.randn(1, 4, height, width, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        encoding = literal(checkpoint, plan.source)[0]
    mask = torch.zeros(8 * height, 8 * width)
    mask[3:6, 5:29] = 1
    return latent, encoding, mask, plan.source.identity[0]


@pytest.mark.parametrize(("height", "width"), [(8, 8), (8, 16)])
def test_trajectory(checkpoint: Checkpoint, denoiser: Denoiser, height: int, width: int) -> None:
    latent, encoding, mask, position = scene(checkpoint, height, width)
    masks = [TokenMask((0,), (position,), MaskPyramid(mask))]
    found = ddim_inversion(denoiser, Ddim(checkpoint.alphas, 6), latent, encoding, masks, lambda _: None)
    with torch.no_grad():
        wanted = Reference(checkpoint.unet, 6).invert(latent, encoding, {position: mask})
    assert found.shape == (7, 4, height, width)
    torch.testing.assert_close(found, torch.cat(wanted), rtol=0, atol=TOLERANCE)
    # The first step away from the picture does something, because the steps are offset by one.
    assert not torch.equal(found[0], found[1])


def test_mask_matters(checkpoint: Checkpoint, denoiser: Denoiser) -> None:
    latent, encoding, mask, position = scene(checkpoint, 8, 8)
    ddim = Ddim(checkpoint.alphas, 6)
    masks = [TokenMask((0,), (position,), MaskPyramid(mask))]
    with_mask = ddim_inversion(denoiser, ddim, latent, encoding, masks, lambda _: None)
    without = ddim_inversion(denoiser, ddim, latent, encoding, [], lambda _: None)
    assert (with_mask[-1] - without[-1]).abs().max() > 1e-3


def test_null_text(checkpoint: Checkpoint, denoiser: Denoiser) -> None:
    latent, encoding, mask, position = scene(checkpoint, 8, 8)
    with torch.no_grad():
        null = literal(checkpoint, None)[0]
    steps, guidance = 2, 4.5
    masks = [TokenMask((0,), (position,), MaskPyramid(mask))]
    ddim = Ddim(checkpoint.alphas, steps)
    trajectory = ddim_inversion(denoiser, ddim, latent, encoding, masks, lambda _: None)
    found = null_text_optimisation(
        denoiser,
        ddim,
        trajectory,
        encoding,
        null,
        masks,
        guidance=guidance,
        settings=InversionSettings(mode="null_text", steps=steps),
        on_step=lambda _: None,
    )
    path = list(trajectory.split(1))
    wanted, losses = Reference(checkpoint.unet, steps).null_text(path, encoding, null, {position: mask}, guidance)
    assert found.null is not None
    assert len(losses) > steps, "more than one inner step has to be compared"
    torch.testing.assert_close(torch.tensor(found.losses), torch.tensor(losses), rtol=1e-4, atol=TOLERANCE)
    # Adam divides by the gradient's size: where that is rounding noise, an element may drift by a part of the rate.
    difference = (found.null - torch.cat(wanted)).abs()
    assert (difference < TOLERANCE).float().mean() > 0.95
    assert difference.max() < 1e-3


def test_null_text_stops_early(checkpoint: Checkpoint, denoiser: Denoiser) -> None:
    latent, encoding, mask, position = scene(checkpoint, 8, 8)
    masks = [TokenMask((0,), (position,), MaskPyramid(mask))]
    ddim = Ddim(checkpoint.alphas, 3)
    trajectory = ddim_inversion(denoiser, ddim, latent, encoding, masks, lambda _: None)
    settings = InversionSettings(mode="null_text", steps=3, early_stop=1.0)
    found = null_text_optimisation(
        denoiser,
        ddim,
        trajectory,
        encoding,
        encoding,
        masks,
        guidance=2.0,
        settings=settings,
        on_step=lambda _: None,
    )
    assert len(found.losses) == 3
