"""Section 7.1: injected maps, LocalBlend's masks and the blended latents equal the written-out formulas."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from s2edit.method.alignment import PromptPlan, plan_prompts
from s2edit.method.attention import TokenMask
from s2edit.method.diffusion import Ddim, Denoiser
from s2edit.method.editing import Branches, sample
from s2edit.method.inversion import Inversion, ddim_inversion, null_text_optimisation
from s2edit.method.masks import MaskPyramid
from s2edit.method.prompts import Prompt
from s2edit.model.backbone import Encoding
from s2edit.model.checkpoints import Checkpoint
from s2edit.settings import EditSettings, InversionSettings
from tests.parity.reference_diffusion import Edit, Reference, edit
from tests.parity.reference_schedule import ReferenceSchedule
from tests.parity.reference_text import literal as literal_text

TOLERANCE = 1e-5
"""Of the latents' range: with random weights they grow well beyond 1 on the way."""
GUIDANCE = 2.0
STEPS = 6
REPLACE = ("a photo of a lady, smiling", "a photo of a hippopotamuses, smiling")
REFINE = ("a photo of a lady", "a photo of a lady with eyeglasses and a hat")


@dataclass
class Scene:
    plan: PromptPlan
    source: Encoding
    target: Encoding
    null: Encoding
    mask: Tensor
    trajectory: Tensor


def scene(
    checkpoint: Checkpoint,
    denoiser: Denoiser,
    prompts: tuple[str, str],
    size: tuple[int, int],
    *,
    steps: int = STEPS,
    **more: Any,
) -> Scene:
    plan = plan_prompts(checkpoint.tokenizer, *prompts, ["lady"], **more)
    with torch.no_grad():
        source, target, null = (literal_text(checkpoint, one)[0] for one in (plan.source, plan.target, None))
    latent = torch.randn(1, 4, *size, generator=torch.Generator().manual_seed(2))
    mask = torch.zeros(8 * size[0], 8 * size[1])
    mask[10:40, 5:39] = 1
    masks = token_masks(plan.source, mask)
    ddim = Ddim(checkpoint.alphas, steps)
    trajectory = ddim_inversion(denoiser, ddim, latent, source, masks, lambda _: None)
    return Scene(plan, source, target, null, mask, trajectory)


def token_masks(prompt: Prompt, mask: Tensor) -> list[TokenMask]:
    """Eq. 3 for row 0; none for a prompt without [I]."""
    return [TokenMask((0,), prompt.identity, MaskPyramid(mask))] if prompt.identity else []


def finest(checkpoint: Checkpoint, size: tuple[int, int]) -> tuple[int, int]:
    """(H, W) of the finest layers that attend to words: SDXL's first level doesn't."""
    stride = min(checkpoint.map_strides)
    return size[0] // stride, size[1] // stride


def assert_equal(found: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(found, wanted, rtol=0, atol=TOLERANCE * max(1.0, float(wanted.abs().max())))


def ours(
    checkpoint: Checkpoint,
    denoiser: Denoiser,
    it: Scene,
    settings: EditSettings,
    mode: Any,
    edit_mask: Tensor | None,
    shape: Any,
) -> tuple[Tensor, Tensor | None]:
    source_masks, target_masks = token_masks(it.plan.source, it.mask), token_masks(it.plan.target, it.mask)
    npi = mode == "npi"
    null = (
        it.null.states.repeat(STEPS, 1, 1) * torch.linspace(1, 1.2, STEPS)[:, None, None]
        if mode == "null_text"
        else None
    )
    branches = Branches(
        it.source,
        it.target,
        it.source if npi else it.null,
        it.plan.alignment,
        source_masks,
        target_masks,
        source_masks if npi else (),
    )
    ddim = Ddim(checkpoint.alphas, it.trajectory.shape[0] - 1, settings.steps)
    found = sample(
        denoiser,
        ddim,
        Inversion(it.trajectory, null),
        branches,
        settings,
        mode,
        edit_mask=edit_mask,
        map_shape=shape,
        on_step=lambda *_: None,
    )
    return found.latent, found.blend


def literal(
    checkpoint: Checkpoint,
    it: Scene,
    settings: EditSettings,
    mode: Any,
    edit_mask: Tensor | None,
    shape: Any,
    *,
    renormalise: bool = False,
) -> tuple[Tensor, Tensor | None]:
    alignment, plan = it.plan.alignment, it.plan
    reference = Reference(checkpoint.unet, it.trajectory.shape[0] - 1, settings.steps)
    path = list(it.trajectory.split(1))
    if settings.steps:
        times = ReferenceSchedule(reference.steps).timesteps
        path = [path[0], *(path[len(times) - times.index(time)] for time in reversed(reference.timesteps))]
    steps = len(reference.timesteps)
    null = [it.source if mode == "npi" else it.null] * steps
    if mode == "null_text":
        null = [it.null.with_states(it.null.states * factor) for factor in torch.linspace(1, 1.2, STEPS)]
    source_masks = dict.fromkeys(plan.source.identity, it.mask)
    inputs = Edit(
        it.source,
        it.target,
        null,
        alignment.mapper,
        alignment.alphas,
        alignment.equalizer,
        source_masks,
        dict.fromkeys(plan.target.identity, it.mask),
        source_masks if mode == "npi" else {},
        settings.guidance,
        cross_steps=int(settings.cross_replace * steps),
        self_steps=int(settings.self_replace * steps),
        self_queries=settings.self_replace_max_queries,
        blend_from=int(settings.local_blend_start * steps),
        threshold=settings.local_blend_threshold,
        source_words=alignment.changed_source,
        target_words=alignment.changed_target,
        map_shape=shape,
        overwrite=mode == "direct",
        edit_mask=None if edit_mask is None else edit_mask > 0,
        guided_steps=round(settings.guidance_until * steps),
        renormalise=renormalise,
    )
    return edit(reference, path, inputs)


@pytest.mark.parametrize("mode", ["direct", "null_text", "npi"])
@pytest.mark.parametrize(("prompts", "size"), [(REPLACE, (8, 8)), (REFINE, (8, 16))])
def test_blended_latents(
    checkpoint: Checkpoint, denoiser: Denoiser, mode: str, prompts: tuple[str, str], size: tuple[int, int]
) -> None:
    it = scene(checkpoint, denoiser, prompts, size)
    settings = EditSettings(guidance=GUIDANCE, self_replace_max_queries=32, local_blend_threshold=0.93)
    shape = finest(checkpoint, size)
    latent, blend = ours(checkpoint, denoiser, it, settings, mode, None, shape)
    wanted, wanted_blend = literal(checkpoint, it, settings, mode, None, shape)
    assert blend is not None
    assert wanted_blend is not None
    assert 0 < int(blend.sum()) < blend.numel(), "the mask has to divide the picture for this to prove anything"
    assert torch.equal(blend, wanted_blend)
    assert_equal(latent, wanted)
    assert (latent - it.trajectory[:1]).abs().max() > 1e-2, "the edit has to change something"


@pytest.mark.parametrize("fractions", [(1.0, 1.0), (0.0, 0.5), (0.5, 0.0)])
def test_painted_edit_mask(checkpoint: Checkpoint, denoiser: Denoiser, fractions: tuple[float, float]) -> None:
    it = scene(checkpoint, denoiser, REFINE, (8, 8))
    settings = EditSettings(guidance=GUIDANCE, cross_replace=fractions[0], self_replace=fractions[1])
    edit_mask = torch.zeros(8, 8)
    edit_mask[2:5, 1:7] = 0.25
    latent, _ = ours(checkpoint, denoiser, it, settings, "direct", edit_mask, (4, 4))
    wanted, _ = literal(checkpoint, it, settings, "direct", edit_mask, (4, 4))
    assert_equal(latent, wanted)
    outside = (edit_mask == 0).expand_as(latent)
    assert torch.equal(latent[outside], it.trajectory[:1][outside])


@pytest.mark.parametrize("mode", ["direct", "null_text", "npi"])
def test_guidance_that_ends_early(checkpoint: Checkpoint, denoiser: Denoiser, mode: str) -> None:
    it = scene(checkpoint, denoiser, REFINE, (8, 8))
    ending = EditSettings(
        guidance=GUIDANCE, guidance_until=0.5, self_replace_max_queries=32, local_blend_threshold=0.85
    )
    found, rows = [], []
    for settings in (ending, dataclasses.replace(ending, guidance_until=1.0)):
        before = denoiser.forwards
        found.append(ours(checkpoint, denoiser, it, settings, mode, None, finest(checkpoint, (8, 8)))[0])
        rows.append(denoiser.forwards - before)
    unguided = {"direct": 1, "null_text": 2, "npi": 1}[mode]
    assert rows[1] - rows[0] == unguided * STEPS // 2, "rows that are not needed are not made"
    assert (found[1] - found[0]).abs().max() > 1e-2
    assert_equal(found[0], literal(checkpoint, it, ending, mode, None, finest(checkpoint, (8, 8)))[0])


def test_renormalised_masks_beside_injection(checkpoint: Checkpoint, denoiser: Denoiser) -> None:
    """Where probabilities are formed, the other tokens get what the mask took from [I], no more."""
    it = scene(checkpoint, denoiser, REFINE, (8, 8), emphasize={"eyeglasses": 2.0})
    settings = EditSettings(guidance=GUIDANCE, self_replace=0.0)
    edit_mask = torch.ones(8, 8)
    printed = ours(checkpoint, denoiser, it, settings, "direct", edit_mask, (4, 4))[0]
    denoiser.control.semantics = "renormalise"
    found = ours(checkpoint, denoiser, it, settings, "direct", edit_mask, (4, 4))[0]
    assert not torch.allclose(found, printed, atol=1e-3)
    assert_equal(found, literal(checkpoint, it, settings, "direct", edit_mask, (4, 4), renormalise=True)[0])


def test_a_long_picture_is_injected_at_the_levels_of_a_square_one(checkpoint: Checkpoint, denoiser: Denoiser) -> None:
    """A bound of 4×4 queries means the level that is 4×8 in a picture of 1:2."""
    it = scene(checkpoint, denoiser, REFINE, (8, 16))
    settings = EditSettings(guidance=GUIDANCE, cross_replace=0.5, self_replace=0.5, self_replace_max_queries=4 * 4)
    edit_mask = torch.ones(8, 16)
    found, _ = ours(checkpoint, denoiser, it, settings, "direct", edit_mask, (4, 8))
    by_level = dataclasses.replace(settings, self_replace_max_queries=4 * 8)
    assert_equal(found, literal(checkpoint, it, by_level, "direct", edit_mask, (4, 8))[0])


def test_reweight(checkpoint: Checkpoint, denoiser: Denoiser) -> None:
    it = scene(checkpoint, denoiser, REFINE, (8, 8), emphasize={"eyeglasses": 2.0})
    plain = scene(checkpoint, denoiser, REFINE, (8, 8))
    settings = EditSettings(guidance=GUIDANCE, local_blend=False)
    latent, _ = ours(checkpoint, denoiser, it, settings, "direct", None, (4, 4))
    settings_literal = EditSettings(guidance=GUIDANCE, local_blend=False, local_blend_start=1.0)
    wanted, _ = literal(checkpoint, it, settings_literal, "direct", None, (4, 4))
    assert_equal(latent, wanted)
    assert not torch.allclose(latent, ours(checkpoint, denoiser, plain, settings, "direct", None, (4, 4))[0], atol=1e-4)


def test_source_row_is_dropped_when_nothing_looks_at_it(checkpoint: Checkpoint, denoiser: Denoiser) -> None:
    it = scene(checkpoint, denoiser, REFINE, (8, 8))
    before = denoiser.forwards
    ours(checkpoint, denoiser, it, EditSettings(cross_replace=0.5, self_replace=0.0), "direct", None, (4, 4))
    assert denoiser.forwards - before == 3 * 3 + 3 * 2


def test_null_text_goes_the_way_the_optimisation_went(checkpoint: Checkpoint, denoiser: Denoiser) -> None:
    """The source branch's latents, as the optimisation left them, save its unconditional pass and change nothing."""
    it = scene(checkpoint, denoiser, REFINE, (8, 8))
    masks = token_masks(it.plan.source, it.mask)
    ddim = Ddim(checkpoint.alphas, STEPS)
    inversion = null_text_optimisation(
        denoiser,
        ddim,
        it.trajectory,
        it.source,
        it.null,
        masks,
        guidance=GUIDANCE,
        settings=InversionSettings(mode="null_text", steps=STEPS, inner_steps=2),
        on_step=lambda _: None,
    )
    settings = EditSettings(guidance=GUIDANCE, cross_replace=0.5, self_replace=0.0, local_blend_threshold=0.85)
    target_masks = token_masks(it.plan.target, it.mask)
    branches = Branches(it.source, it.target, it.null, it.plan.alignment, masks, target_masks)
    options: dict[str, Any] = {"edit_mask": None, "map_shape": finest(checkpoint, (8, 8)), "on_step": lambda *_: None}
    found, rows = [], []
    for known in (inversion, dataclasses.replace(inversion, retraced=None)):
        before = denoiser.forwards
        found.append(sample(denoiser, ddim, known, branches, settings, "null_text", **options).latent)
        rows.append(denoiser.forwards - before)
    assert_equal(found[0], found[1])
    assert rows == [3 * 3 + 3 * 2, 4 * STEPS]
