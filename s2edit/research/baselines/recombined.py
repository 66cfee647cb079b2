"""Baselines made of the method's own parts, without identity fine-tuning (SINE apart)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

from s2edit.errors import MaskError, SettingError
from s2edit.job import Job
from s2edit.method.diffusion import Ddim, Denoiser, Diffusion
from s2edit.method.editing import Branches, guidance_at, sample
from s2edit.method.identity import encode_prompt
from s2edit.method.inversion import Inversion
from s2edit.method.masks import area_pool
from s2edit.model.backbone import Backbone, Encoding
from s2edit.picture import imaging
from s2edit.picture.region import Box
from s2edit.requests import Phase
from s2edit.stages import Stages, Subject, map_shape
from s2edit.work import Work

from .sampling import denoise_from, two_models

SDEDIT_STRENGTH = 0.6
"""Meng et al. (2021) recommend 0.3 to 0.6; an edit that adds things needs the upper end."""
SINE_SHARE, SINE_UNTIL, SINE_GUIDANCE = 0.6, 500, 10.0
"""As the authors' instructions for editing with one model have them."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What a baseline gets.

    Args:
        stages, work: as `s2edit.work.perform` gets them. null: of the empty prompt, by the published weights.
        published, published_denoiser: a second copy of the checkpoint, never fine-tuned.
        job: for steps and cancelling. passes: U-Net forward passes of everything so far, by rows.
        view: the part of the picture that the model is shown. forwards: of each phase of this edit.
        cached: what was found from an earlier edit rather than made.
    """

    stages: Stages
    work: Work
    null: Encoding
    published: Backbone
    published_denoiser: Denoiser
    job: Job
    passes: Callable[[], int]
    view: Box
    forwards: dict[str, int] = field(default_factory=lambda: {"identity": 0, "inversion": 0, "editing": 0})
    cached: dict[str, bool] = field(default_factory=lambda: {"identity": False, "inversion": False})

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        """Time a phase and count its forward passes."""
        before = self.passes()
        with self.job.phase(name, self.work.settings.inversion.steps):
            yield
        self.forwards[name] += self.passes() - before

    @property
    def subject(self) -> Subject:
        """The picture to change."""
        return self.work.subjects[0]

    @property
    def ddim(self) -> Ddim:
        """The sampler of the edit's settings; raises SettingError for a model that predicts anything but noise."""
        process = self.published.process
        if not isinstance(process, Diffusion):
            raise SettingError(
                "This rival is made for models that predict noise.", hint="Choose a Stable Diffusion model."
            )
        height, width = self.subject.mean.shape[-2:]
        return process.walk((height, width), self.work.settings.inversion.steps)

    @property
    def edit_mask(self) -> Tensor | None:
        """Where the latent may change as painted: h×w, the covered part of each cell; None when nothing is painted."""
        if self.work.edit_mask is None:
            return None
        mask = imaging.model_mask(self.work.edit_mask, self.subject.size)
        return area_pool(mask, *self.subject.mean.shape[-2:]).to(self.published.device)

    def noise(self) -> Tensor:
        """Seeded noise of the latent's shape, the same on every device."""
        generator = torch.Generator().manual_seed(self.work.seed)
        return torch.randn(self.subject.mean.shape, generator=generator).to(self.published.device)

    @torch.no_grad()
    def plain_encodings(self) -> tuple[Encoding, Encoding]:
        """One row each of P and P*, by the published weights."""
        plan = self.work.plan
        both = self.published.encode([plan.plain, plan.plain_target]).encoding
        return both[:1], both[1:]


@dataclass(frozen=True, eq=False)
class Answer:
    """A baseline's picture (1×3×h×w in [-1, 1]) and where its latent may differ (h×w bool; None means everywhere)."""

    decoded: Tensor
    blend: Tensor | None = None


@torch.no_grad()
def _decoded(scene: Scene, latent: Tensor) -> Tensor:
    return scene.published.decode(latent)


def _denoised(scene: Scene, *, strength: float, mask: Tensor | None = None) -> Tensor:
    settings, ddim = scene.work.settings.edit, scene.ddim
    with scene.phase("editing"):
        return denoise_from(
            scene.published_denoiser,
            ddim,
            scene.subject.mean,
            scene.noise(),
            scene.plain_encodings()[1],
            scene.null,
            strength=strength,
            guidance=lambda index: guidance_at(settings, index, ddim.steps),
            mask=mask,
            on_step=scene.job.step,
        )


def sdedit(scene: Scene, strength: float = SDEDIT_STRENGTH) -> Answer:
    """SDEdit (Meng et al., 2021): noise on the picture, and denoising by the target prompt."""
    return Answer(_decoded(scene, _denoised(scene, strength=strength)))


def inpainting(scene: Scene) -> Answer:
    """Masked inpainting in krita-ai-diffusion's manner: encode, keep the latent outside the mask, denoise fully.

    For SD 1.5 krita-ai-diffusion adds an inpainting ControlNet. Nobody has trained one for the embedded model, so
    this is its workflow without those weights; with them it would fit its surroundings better.

    Raises:
        MaskError: nothing is painted; this method finds no place of its own.
    """
    mask = scene.edit_mask
    if mask is None:
        raise MaskError("Inpainting needs a painted mask.", code="mask_empty", hint="Paint where to change something.")
    return Answer(_decoded(scene, _denoised(scene, strength=1, mask=(mask > 0).float())))


def ddim_p2p(scene: Scene) -> Answer:
    """DDIM inversion + Prompt-to-Prompt: both branches sampled with guidance from z_T, nothing corrects the source.

    The work's settings have identity off and the inversion "direct", so that its trajectory is shared with that method.
    """
    work, stages, job = scene.work, scene.stages, scene.job
    settings = work.settings
    with scene.phase("identity"):
        identity, scene.cached["identity"] = stages.identity(work.subjects, settings, work.seed, job)
    with scene.phase("inversion"):
        inversion, scene.cached["inversion"] = stages.inversion(identity, scene.subject, scene.null, settings, job)
    source, target = scene.plain_encodings()
    latent_size = (scene.subject.mean.shape[-2], scene.subject.mean.shape[-1])
    with scene.phase("editing"):
        sampled = sample(
            stages.denoiser,
            scene.ddim,
            Inversion(inversion.trajectory),
            Branches(source, target, scene.null, work.plan.alignment),
            settings.edit,
            # Null-text sampling with the empty prompt in the place of every fitted embedding.
            "null_text",
            edit_mask=scene.edit_mask,
            map_shape=map_shape(latent_size, settings.edit, scene.published),
            on_step=lambda index, _: job.step(index),
        )
    return Answer(_decoded(scene, sampled.latent), sampled.blend)


def sine(scene: Scene) -> Answer:
    """SINE-style guidance (Zhang et al., 2023) by a model fine-tuned on the picture with the work's identity settings.

    Without the authors' patch-based fine-tuning, which serves to change the output's size. T is the work's, where the
    authors take 100 steps.
    """
    work, stages = scene.work, scene.stages
    with scene.phase("identity"):
        _, scene.cached["identity"] = stages.identity(work.subjects, work.settings, work.seed, scene.job)
    with torch.no_grad():
        source = encode_prompt(stages.checkpoint, work.plan.source, work.plan.plain, work.settings.identity)
    with scene.phase("editing"):
        latent = two_models(
            scene.published_denoiser,
            stages.denoiser,
            scene.ddim,
            scene.noise(),
            source,
            scene.plain_encodings()[1],
            scene.null,
            guidance=SINE_GUIDANCE,
            share=SINE_SHARE,
            until=SINE_UNTIL,
            on_step=scene.job.step,
        )
    return Answer(_decoded(scene, latent))
