"""FlowEdit (Kulikov et al., 2025, arXiv 2412.08629): from the picture straight to the edit, without an inversion."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..settings import EditSettings
from .diffusion import Denoiser
from .editing import Branches, Recording, RowPlan, Sampled, batch, guidance_at, guided_of, masks_of, within
from .process import Process, Walk


@torch.no_grad()
def flow_edit(
    denoiser: Denoiser,
    process: Process,
    walk: Walk,
    latent: Tensor,
    branches: Branches,
    settings: EditSettings,
    seed: int,
    *,
    edit_mask: Tensor | None,
    map_shape: tuple[int, int],
    on_step: Callable[[int, Tensor], None],
) -> Sampled:
    """Walk the difference of two velocities (Algorithm 1, n_avg 1).

    At each step the source is noised anew, z_src = (1 - σ) z + σ ε, and the target is where it differs from the picture
    by as much as the edit so far: z_tar = z_edit + z_src - z. Eq. 3 holds in both; nothing is injected, since both see
    the same noise.

    Args:
        latent: 1×C×h×w of the picture, z. walk: its `timesteps`, but for the first `settings.skipped` of them.
        seed: of the noise, a new ε for each step. edit_mask, map_shape, on_step: as of `editing.sample`.
    Raises:
        MaskError: LocalBlend's maps are all zero.
    """
    generator = torch.Generator().manual_seed(seed)
    recorder = Recording(branches.alignment, map_shape) if edit_mask is None and settings.local_blend else None
    blend = None if edit_mask is None else edit_mask > 0
    edited = latent
    for index, time in enumerate(walk.timesteps):
        noise = torch.randn(latent.shape, generator=generator).to(latent.device)
        if within(index, settings.skipped, walk.steps):
            continue
        source = process.noisy(latent, noise, torch.tensor([time], device=latent.device))
        target = edited + source - latent
        guidance = guidance_at(settings, index, walk.steps)
        plan = RowPlan(_rows(guidance, settings.source_guidance))
        latents, encodings = batch(plan, source, target, branches, branches.null)
        listening = recorder.listen(plan) if recorder else None
        found = denoiser(latents, time, encodings, masks=masks_of(plan, branches), recorder=listening)
        by_row = {row: found[plan.index(row)].unsqueeze(0) for row in plan.rows}
        towards = guided_of(by_row, "target", guidance)
        on_step(index, walk.clean(towards, index, target))
        away = guided_of(by_row, "source", settings.source_guidance)
        edited = walk.step(towards - away, index, edited)
        if recorder is not None and not within(index, settings.local_blend_start, walk.steps):
            blend = recorder.blend_mask(latents.shape[-2:], settings.local_blend_threshold)
        if blend is not None:
            edited = latent + blend * (edited - latent)
    return Sampled(edited, blend)


def _rows(guidance: float, source_guidance: float) -> tuple[str, ...]:
    nulls = [*(["null source"] if source_guidance != 1 else []), *(["null target"] if guidance != 1 else [])]
    return (*nulls, "source", "target")
