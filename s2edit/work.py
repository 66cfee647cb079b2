"""The three stages in a row, for an edit and for a composition alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .attempts import attempt
from .cache import array_digest
from .job import Job
from .method.alignment import PromptPlan
from .method.attention import TokenMask
from .method.editing import Branches, Sampled, sample
from .method.flow_edit import flow_edit
from .method.identity import encode_prompt, token_masks
from .method.inversion import Inversion
from .method.masks import MaskPyramid, area_pool
from .model.backbone import Backbone, Encoding
from .picture import imaging
from .picture.compositing import composite
from .picture.finishing import finish_of
from .picture.imaging import bounding_box
from .requests import EditResult, Mask, ObjectSpec, Pixels
from .settings import Settings
from .stages import Identity, Stages, Subject, map_shape

_COMPARED = 512
"""Pixels along a picture's shorter side that are enough to compare attempts by."""


@dataclass(frozen=True, eq=False)
class Work:
    """An edit ready to be computed.

    Args:
        image: as given. subjects: the pictures to learn from; the first is the one to change.
        plan: its prompts. With two subjects the target prompt has one more identity token than the first subject: the
            last one is [A] of the second subject.
        edit_mask: where pixels may change, H×W, or None to go by the changed words' attention.
        removal: whether the words only take something away.
    """

    image: Pixels
    subjects: tuple[Subject, ...]
    plan: PromptPlan
    edit_mask: Mask | None
    settings: Settings
    seed: int
    removal: bool = False


def painted_edit_mask(objects: Sequence[ObjectSpec], edit_mask: Mask | None) -> Mask | None:
    """Where pixels may change as painted: the edit mask, else all painted object masks together, else None."""
    if edit_mask is not None:
        return edit_mask
    painted = [spec.mask for spec in objects if spec.mask is not None]
    return np.maximum.reduce(painted) if painted else None


def perform(stages: Stages, work: Work, job: Job) -> EditResult:
    """Learn the identity, invert, edit, composite; raises MaskError, Cancelled."""
    settings, subject = work.settings, work.subjects[0]
    forwards = _Forwards(stages)
    with job.phase("identity", settings.identity.steps if settings.identity.learns else 0):
        identity, known = stages.identity(work.subjects, settings, work.seed, job)
    forwards.count("identity")
    with torch.no_grad():
        null = stages.checkpoint.encode([None]).encoding
    with job.phase("inversion", settings.inversion.steps * (2 if settings.inversion.mode == "null_text" else 1)):
        inversion, inverted = stages.inversion(identity, subject, null, settings, job)
    forwards.count("inversion")
    stage = partial(_sample, stages, work, identity=identity, inversion=inversion, null=null)
    lay = partial(composited, stages.checkpoint, smaller(work), subject, check=job.check)
    with job.phase("editing", settings.edited_in * settings.attempts):
        tried = attempt(stages.checkpoint, settings, stage, lay, job, removal=work.removal)
    forwards.count("editing")
    with job.phase("compositing"):
        with torch.no_grad():
            patch, alpha = composited(stages.checkpoint, work, subject, tried.decoded, tried.blend, job.check)
        size = (work.image.shape[0], work.image.shape[1])
        objects = [
            imaging.image_mask(mask.cpu(), size) if spec.mask is None else imaging.binary(spec.mask)
            for spec, mask in zip(subject.objects, identity.masks[0], strict=True)
        ]
    found = {"identity": known, "inversion": inverted}
    return EditResult(
        patch=patch,
        alpha=alpha,
        object_mask=np.maximum.reduce(objects),
        box=bounding_box(alpha > 0),
        record=_record(stages, work, job, forwards.by_phase, found) | {"guidance": tried.guidance},
    )


def smaller(work: Work) -> Work:
    """The work on every n-th pixel of its picture, so few that its shorter side is just above `_COMPARED`."""
    step = max(1, min(work.image.shape[:2]) // _COMPARED)
    mask = None if work.edit_mask is None else np.ascontiguousarray(work.edit_mask[::step, ::step])
    return replace(work, image=np.ascontiguousarray(work.image[::step, ::step]), edit_mask=mask)


def composited(
    checkpoint: Backbone,
    work: Work,
    subject: Subject,
    decoded: Tensor,
    blend: Tensor | None,
    check: Callable[[], None] = lambda: None,
) -> tuple[Pixels, Pixels]:
    """`compositing.composite` of a decoded edit, as the work's settings have it.

    Args:
        decoded: 1×3×h×w in [-1, 1]. blend: where it may differ from the source, h×w bool at the latent's size; None
            means everywhere. check: called now and then; may raise to stop.
    Returns:
        Patch and alpha, as of `compositing.composite`.
    """
    settings = work.settings.blend
    unedited = checkpoint.decode(subject.mean) if settings.detail else None
    upscaler = checkpoint.upscaler if settings.upscale else None
    return composite(work.image, decoded, work.edit_mask, blend, settings, unedited, finish_of(upscaler, check))


class _Forwards:
    def __init__(self, stages: Stages) -> None:
        self._denoiser = stages.denoiser
        self._before = stages.denoiser.forwards
        self.by_phase: dict[str, int] = {}

    def count(self, phase: str) -> None:
        now = self._denoiser.forwards
        self.by_phase[phase], self._before = now - self._before, now


def _record(stages: Stages, work: Work, job: Job, forwards: dict[str, int], cached: dict[str, bool]) -> dict[str, Any]:
    objects = [spec for subject in work.subjects for spec in subject.objects]
    upscaler = stages.checkpoint.upscaler
    return {
        "seed": work.seed,
        "settings": work.settings.as_dict(),
        "model_hash": stages.checkpoint.model_hash,
        "masks": {"objects": [array_digest(spec.mask) for spec in objects], "edit": array_digest(work.edit_mask)},
        "phases": {name: round(seconds, 4) for name, seconds in job.seconds.items()},
        "unet_forwards": forwards,
        "cached": cached,
        "model_size": list(work.subjects[0].size),
        "device": str(stages.checkpoint.device),
        "upscaler": upscaler.digest if upscaler is not None and work.settings.blend.upscale else "",
    }


def _target_masks(work: Work, identity: Identity) -> list[TokenMask]:
    """Eq. 3 of the target branch. [A] of a composition acts where pixels may change, else on the object (ours)."""
    target, subject = work.plan.target, work.subjects[0]
    if not target.identity:
        return []
    words, pyramids = list(work.plan.target_words(subject.words())), list(identity.pyramids())
    if len(work.subjects) > 1:
        attribute = work.subjects[1].objects[0].word
        where = identity.masks[0][0]
        if work.edit_mask is not None:
            where = imaging.model_mask(work.edit_mask, subject.size).to(where)
        words.append(target.positions(attribute))
        pyramids.append(MaskPyramid(where))
    return token_masks((0,), target, words, pyramids, work.settings.identity)


def _sample(
    stages: Stages,
    work: Work,
    settings: Settings,
    on_step: Callable[[int, Tensor], None],
    *,
    identity: Identity,
    inversion: Inversion,
    null: Encoding,
) -> Sampled:
    """Stage 2 of a work, with settings that may differ from its own in the guidance."""
    checkpoint, plan = stages.checkpoint, work.plan
    subject = work.subjects[0]
    with torch.no_grad():
        source = encode_prompt(checkpoint, plan.source, plan.plain, settings.identity)
        target = encode_prompt(checkpoint, plan.target, plan.plain_target, settings.identity)
    source_masks = stages.masks(identity, plan.source, subject.words(), settings)
    npi = settings.inversion.mode == "npi"
    branches = Branches(
        source,
        target,
        source if npi else null,
        plan.alignment,
        source_masks,
        _target_masks(work, identity),
        source_masks if npi else (),
    )
    latent_size = (subject.mean.shape[-2], subject.mean.shape[-1])
    blend = None
    if work.edit_mask is not None:
        blend = area_pool(imaging.model_mask(work.edit_mask, subject.size), *latent_size).to(checkpoint.device)
    stages.denoiser.control.obey(settings.identity)
    walk = checkpoint.process.walk(latent_size, settings.inversion.steps, settings.edit.steps)
    shape = map_shape(latent_size, settings.edit, checkpoint)
    if settings.inversion.mode == "flowedit":
        return flow_edit(
            stages.denoiser,
            checkpoint.process,
            walk,
            subject.mean,
            branches,
            settings.edit,
            work.seed,
            edit_mask=blend,
            map_shape=shape,
            on_step=on_step,
        )
    return sample(
        stages.denoiser,
        walk,
        inversion,
        branches,
        settings.edit,
        settings.inversion.mode,
        edit_mask=blend,
        map_shape=shape,
        on_step=on_step,
    )
