"""Stage 2 on flow transformers: the stored path, guidance, blending, and FlowEdit equal the formulas written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from s2edit.method.alignment import PromptPlan, plan_prompts
from s2edit.method.attention import TokenMask
from s2edit.method.diffusion import Denoiser
from s2edit.method.editing import Branches, sample
from s2edit.method.flow_edit import flow_edit
from s2edit.method.inversion import Inversion
from s2edit.method.masks import MaskPyramid
from s2edit.method.prompts import Prompt
from s2edit.model.flow import FlowCheckpoint
from s2edit.settings import EditSettings
from tests.fakes.tiny import flow_loaded
from tests.parity.flow_checks import assert_close, painted
from tests.parity.reference_attention import Branch
from tests.parity.reference_diffusion import Edit, blend_mask, edit
from tests.parity.reference_flow import reference_of

SIZE, STEPS, GUIDANCE, TOKENS = (8, 12), 4, 2.0, 24
SHAPE = (4, 6)
PROMPTS = ("a photo of a lady, smiling", "a photo of a man, smiling")


@pytest.fixture
def model(flow_folder: Path) -> FlowCheckpoint:
    return flow_loaded(flow_folder)


def masks_of(prompt: Prompt) -> list[TokenMask]:
    return [TokenMask((0,), prompt.identity, MaskPyramid(painted()))]


class Scene:
    """Prompts, encodings and a path of random latents: what a path is made of is another test's."""

    def __init__(self, model: FlowCheckpoint, **more: Any) -> None:
        self.plan: PromptPlan = plan_prompts(model.tokenizer, *PROMPTS, ["lady"], **more)
        with torch.no_grad():
            encoding = model.encode([self.plan.source, self.plan.target, None]).encoding
        self.source, self.target, self.null = (encoding[k : k + 1] for k in range(3))
        self.path = torch.randn(STEPS + 1, 8, *SIZE, generator=torch.Generator().manual_seed(2))

    def branches(self, *, npi: bool) -> Branches:
        masks = masks_of(self.plan.source)
        return Branches(
            self.source,
            self.target,
            self.source if npi else self.null,
            self.plan.alignment,
            masks,
            masks_of(self.plan.target),
            masks if npi else (),
        )

    def literal(self, settings: EditSettings, *, npi: bool, edit_mask: Tensor | None) -> Edit:
        alignment, source = self.plan.alignment, dict.fromkeys(self.plan.source.identity, painted())
        return Edit(
            self.source,
            self.target,
            [self.source if npi else self.null] * STEPS,
            alignment.mapper,
            alignment.alphas,
            alignment.equalizer,
            source,
            dict.fromkeys(self.plan.target.identity, painted()),
            source if npi else {},
            settings.guidance,
            cross_steps=STEPS,
            self_steps=int(settings.self_replace * STEPS),
            self_queries=TOKENS,
            blend_from=int(settings.local_blend_start * STEPS),
            threshold=settings.local_blend_threshold,
            source_words=alignment.changed_source,
            target_words=alignment.changed_target,
            map_shape=SHAPE,
            overwrite=not npi,
            edit_mask=edit_mask,
            guided_steps=int(settings.guidance_until * STEPS),
        )


@pytest.mark.parametrize("mode", ["direct", "npi"])
@pytest.mark.parametrize("by_words", [False, True], ids=["painted", "words"])
def test_edits(model: FlowCheckpoint, mode: Any, by_words: bool) -> None:
    """Injected queries and keys in half of the steps, guidance in three quarters, a reweighted word."""
    it, npi = Scene(model, emphasize={"smiling": 1.5}), mode == "npi"
    settings = EditSettings(
        guidance=GUIDANCE,
        guidance_until=0.75,
        self_replace=0.5,
        self_replace_max_queries=TOKENS * SIZE[0] // SIZE[1],
        local_blend_start=0.5,
        local_blend_threshold=0.9,
    )
    edit_mask = None if by_words else (torch.arange(SIZE[1]) < 7).float().expand(SIZE).contiguous()
    found = sample(
        Denoiser(model),
        model.process.walk(SIZE, STEPS),
        Inversion(it.path),
        it.branches(npi=npi),
        settings,
        mode,
        edit_mask=edit_mask,
        map_shape=SHAPE,
        on_step=lambda *_: None,
    )
    reference = reference_of(model, STEPS, SIZE)
    literal = it.literal(settings, npi=npi, edit_mask=edit_mask)
    latent, blend = edit(reference, list(it.path.split(1)), literal)  # type: ignore[arg-type]
    assert_close(found.latent, latent)
    assert found.blend is not None
    assert blend is not None
    assert torch.equal(found.blend, blend > 0)
    assert (found.latent - it.path[:1])[..., found.blend].abs().max() > 1e-3


def test_few_steps_along_the_stored_path(model: FlowCheckpoint) -> None:
    """Two of four steps: the source is where it was at their noise levels."""
    walk = model.process.walk(SIZE, 4, 2)
    whole = model.process.walk(SIZE, 4)
    assert walk.timesteps == whole.timesteps[::2]
    trajectory = torch.arange(5.0).view(5, 1, 1, 1)
    assert walk.passed(trajectory).flatten().tolist() == [0, 2, 4]
    latent, velocity = torch.randn(2, 1, 8, *SIZE, generator=torch.Generator().manual_seed(5))
    for index in range(2):
        back = walk.invert(velocity, index, walk.step(velocity, index, latent))
        torch.testing.assert_close(back, latent, rtol=0, atol=1e-6)
    # At the last step what is left of the noise is all taken away.
    torch.testing.assert_close(walk.step(velocity, 1, latent), walk.clean(velocity, 1, latent))


@torch.no_grad()
@pytest.mark.parametrize("by_words", [False, True], ids=["painted", "words"])
def test_flow_edit(model: FlowCheckpoint, by_words: bool) -> None:
    """Algorithm 1 of arXiv 2412.08629, step by step."""
    it, latent = Scene(model), torch.randn(1, 8, *SIZE, generator=torch.Generator().manual_seed(4))
    settings = EditSettings(
        guidance=3.0, source_guidance=1.5, skipped=0.25, local_blend_start=0.5, local_blend_threshold=0.9
    )
    edit_mask = None if by_words else (torch.arange(SIZE[1]) < 7).float().expand(SIZE).contiguous()
    found = flow_edit(
        Denoiser(model),
        model.process,
        model.process.walk(SIZE, STEPS),
        latent,
        it.branches(npi=False),
        settings,
        9,
        edit_mask=edit_mask,
        map_shape=SHAPE,
        on_step=lambda *_: None,
    )
    reference = reference_of(model, STEPS, SIZE)
    literal = it.literal(settings, npi=False, edit_mask=edit_mask)
    generator = torch.Generator().manual_seed(9)
    sigmas, edited = reference.sigmas, latent
    for i in range(STEPS):
        noise = torch.randn(latent.shape, generator=generator)
        if i < 1:
            continue
        source = (1 - sigmas[i]) * latent + sigmas[i] * noise
        target = edited + source - latent
        velocities = []
        for name, states, encoding, masks, w in (
            ("source", source, it.source, literal.source_masks, 1.5),
            ("target", target, it.target, literal.target_masks, 3.0),
        ):
            branch = Branch(SIZE, masks)
            words = reference.noise(states, sigmas[i], encoding, branch)
            empty = reference.noise(states, sigmas[i], it.null, Branch(SIZE))
            velocities.append(empty + w * (words - empty))
            columns = literal.source_words if name == "source" else literal.target_words
            seen = sum(maps[..., list(columns)].sum(dim=(0, 2)) for maps in branch.cross_maps)
            literal.maps[name] = literal.maps.get(name, torch.zeros(SHAPE)) + torch.as_tensor(seen).view(SHAPE)
        edited = edited + (sigmas[i + 1] - sigmas[i]) * (velocities[1] - velocities[0])
        blend = edit_mask
        if by_words:
            blend = blend_mask(literal, SIZE).float() if i >= 2 else None
        if blend is not None:
            edited = latent + blend * (edited - latent)
    assert_close(found.latent, edited)
