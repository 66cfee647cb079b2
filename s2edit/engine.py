"""The facade: an edit from pixels to a layer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import imaging
from .alignment import PromptPlan, plan_prompts
from .cache import DiskCache, array_digest
from .checkpoints import load
from .device import choose_device, memory_figures, out_of_memory, precision
from .diffusion import Ddim, Denoiser
from .editing import Branches, Sampled, sample
from .identity import encode_prompt
from .inversion import Inversion
from .job import Job
from .masks import area_pool
from .prompts import PromptTokenizer
from .region import model_size
from .requests import (
    CancelCallback,
    ComposeRequest,
    EditRequest,
    EditResult,
    Mask,
    ObjectSpec,
    Pixels,
    Progress,
    ProgressCallback,
    never_cancelled,
    no_progress,
)
from .settings import Settings
from .stages import Identity, Stages, Subject, map_shape

__all__ = ["ComposeRequest", "EditRequest", "EditResult", "Engine", "ObjectSpec", "Progress"]

_PREVIEWS = 5
"""Previews in an edit: each costs a decoding."""
_RING = 32
"""Width of the ring on which colours are matched, px of the model's size."""


class Engine:
    """A checkpoint on a device. Loads it at the first edit; one edit at a time.

    Args:
        checkpoint: folder, Hugging Face snapshot or .safetensors file.
        device: "auto", "cpu", "cuda", "cuda:1", "mps". dtype: "auto", "float32", "tf32", "bfloat16" (the last as
            autocast; weights stay float32).
        cache_dir: for identities and inversions, or None to keep only the last in memory. cache_quota: bytes.
        threads: of the CPU, or None to leave torch's number.
    """

    def __init__(
        self,
        checkpoint: Path,
        *,
        device: str = "auto",
        dtype: str = "auto",
        cache_dir: Path | None = None,
        cache_quota: int | None = None,
        threads: int | None = None,
    ) -> None:
        self._path = checkpoint
        self._device = choose_device(device)
        self._autocast = precision(dtype, self._device)
        self._cache = DiskCache(cache_dir, cache_quota) if cache_dir is not None else None
        self._stages: Stages | None = None
        if threads:
            torch.set_num_threads(threads)

    def edit(
        self,
        request: EditRequest,
        progress: ProgressCallback = no_progress,
        cancelled: CancelCallback = never_cancelled,
    ) -> EditResult:
        """Make one edit.

        Raises:
            PromptError, MaskError, ImageError, SettingError: the request can't be met; nothing was computed.
            CheckpointError, OutOfMemory, Cancelled: as they say; the engine can be used again.
        """
        check_request(request)
        job = Job(progress, cancelled)
        with out_of_memory(self._device, request.settings.identity.level):
            with job.phase("loading"):
                stages = self._loaded()
                plan = self._plan(stages.checkpoint.tokenizer, request)
                subject = self._subject(stages, request.image, plan, request.objects, request.settings)
            return self._run(stages, request, plan, subject, job)

    def automatic_mask(self, image: Pixels, prompt: str, word: str, settings: Settings | None = None) -> Mask:
        """Where the model sees a word of a prompt: H×W uint8, 0 or 255.

        Raises:
            PromptError: the word is not in the prompt. MaskError: the model sees it nowhere.
        """
        imaging.check_image(image)
        settings = settings or Settings()
        stages = self._loaded()
        plain = stages.checkpoint.tokenizer.encode(prompt)
        plain.positions(word)
        mean, _ = self._moments(stages, image, settings)
        with torch.no_grad():
            mask = stages.automatic_mask(mean, plain, word, settings.edit, Job(no_progress, never_cancelled))
        return imaging.image_mask(mask.cpu(), (image.shape[0], image.shape[1]))

    def unload(self) -> None:
        """Give the memory back; the next edit loads again."""
        self._stages = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def memory(self) -> dict[str, int]:
        """Bytes: "used" by the networks (on CUDA by torch), "free" on the device (0 when the system doesn't tell)."""
        return memory_figures(self._device, self._stages.checkpoint if self._stages else None)

    def _loaded(self) -> Stages:
        if self._stages is None:
            from .attention import install

            checkpoint = load(self._path)
            checkpoint.move_to(self._device)
            denoiser = Denoiser(checkpoint.unet, install(checkpoint.unet), autocast=self._autocast)
            self._stages = Stages(checkpoint, denoiser, self._cache)
        return self._stages

    @staticmethod
    def _plan(tokenizer: PromptTokenizer, request: EditRequest) -> PromptPlan:
        return plan_prompts(
            tokenizer,
            request.source,
            request.target,
            [spec.word for spec in request.objects],
            emphasize=request.settings.edit.emphasize,
            mode=request.settings.edit.mode,
            identity=request.settings.identity.enabled,
        )

    @torch.no_grad()
    def _moments(self, stages: Stages, image: Pixels, settings: Settings) -> tuple[Tensor, Tensor]:
        checkpoint = stages.checkpoint
        native = settings.native_size or checkpoint.native_size
        size = model_size(image.shape[1], image.shape[0], native=native, multiple=checkpoint.size_multiple)
        return checkpoint.latent_moments(imaging.model_input(image, size).to(self._device))

    def _subject(
        self, stages: Stages, image: Pixels, plan: PromptPlan, objects: Sequence[ObjectSpec], settings: Settings
    ) -> Subject:
        mean, std = self._moments(stages, image, settings)
        size = (mean.shape[-2] * 8, mean.shape[-1] * 8)
        painted = tuple(
            None if spec.mask is None else imaging.model_mask(spec.mask, size).to(self._device) for spec in objects
        )
        return Subject(image, plan.plain, plan.source, tuple(objects), mean, std, painted)

    def _run(self, stages: Stages, request: EditRequest, plan: PromptPlan, subject: Subject, job: Job) -> EditResult:
        settings, checkpoint = request.settings, stages.checkpoint
        counts: dict[str, int] = {}
        before = stages.denoiser.forwards

        def count(phase: str) -> None:
            nonlocal before
            counts[phase], before = stages.denoiser.forwards - before, stages.denoiser.forwards

        with job.phase("identity", settings.identity.steps):
            identity, known = stages.identity([subject], settings, request.seed, job)
        count("identity")
        null = self._null(stages)
        inversion_steps = settings.inversion.steps * (2 if settings.inversion.mode == "null_text" else 1)
        with job.phase("inversion", inversion_steps):
            inversion, inverted = stages.inversion(identity, subject, null, settings, job)
        count("inversion")
        with job.phase("editing", settings.inversion.steps):
            edit_mask = painted_edit_mask(request)
            sampled = self._sample(stages, plan, subject, identity, inversion, null, settings, edit_mask, job)
        count("editing")
        with job.phase("compositing"):
            with torch.no_grad():
                decoded = checkpoint.decode(sampled.latent)
            size = (request.image.shape[0], request.image.shape[1])
            patch, alpha = composite(request.image, decoded, edit_mask, sampled.blend, settings)
            objects = [imaging.image_mask(mask.cpu(), size) for mask in identity.masks[0]]
        return EditResult(
            patch=patch,
            alpha=alpha,
            object_mask=np.maximum.reduce(objects),
            box=imaging.bounding_box(alpha > 0),
            record={
                "seed": request.seed,
                "settings": settings.as_dict(),
                "model_hash": checkpoint.model_hash,
                "masks": {
                    "objects": [array_digest(spec.mask) for spec in request.objects],
                    "edit": array_digest(request.edit_mask),
                },
                "phases": {name: round(seconds, 4) for name, seconds in job.seconds.items()},
                "unet_forwards": counts,
                "cached": {"identity": known, "inversion": inverted},
                "model_size": list(subject.size),
                "device": str(self._device),
            },
        )

    @torch.no_grad()
    def _null(self, stages: Stages) -> Tensor:
        tokenizer = stages.checkpoint.tokenizer
        ids = [tokenizer.start, tokenizer.end]
        ids += [tokenizer.pad] * (tokenizer.length - 2)
        return stages.checkpoint.encode_text([ids], self._device)

    def _sample(
        self,
        stages: Stages,
        plan: PromptPlan,
        subject: Subject,
        identity: Identity,
        inversion: Inversion,
        null: Tensor,
        settings: Settings,
        edit_mask: Mask | None,
        job: Job,
    ) -> Sampled:
        checkpoint = stages.checkpoint
        with torch.no_grad():
            source, target = (
                encode_prompt(checkpoint, prompt, plan.plain, settings.identity)
                for prompt in (plan.source, plan.target)
            )
        source_masks = stages.masks(identity, plan.source, subject.words(), settings)
        target_masks = stages.masks(identity, plan.target, plan.target_words(subject.words()), settings)
        npi = settings.inversion.mode == "npi"
        latent_size = (subject.mean.shape[-2], subject.mean.shape[-1])
        blend = None
        if edit_mask is not None:
            blend = area_pool(imaging.model_mask(edit_mask, subject.size), *latent_size).to(self._device)
        every = max(1, settings.inversion.steps // _PREVIEWS)

        def on_step(index: int, clean: Tensor) -> None:
            shown = index % every == every - 1
            job.step(index, imaging.preview(checkpoint.decode(clean)) if shown else None)

        stages.denoiser.control.semantics = settings.identity.mask_semantics
        return sample(
            stages.denoiser,
            Ddim(checkpoint.alphas, settings.inversion.steps),
            inversion,
            Branches(
                source,
                target,
                source if npi else null,
                plan.alignment,
                source_masks,
                target_masks,
                source_masks if npi else (),
            ),
            settings.edit,
            settings.inversion.mode,
            edit_mask=blend,
            map_shape=map_shape(latent_size, settings.edit, checkpoint.native_size),
            on_step=on_step,
        )


def check_request(request: EditRequest) -> None:
    """Raise for what can be seen wrong with a request without the model."""
    request.settings.validate()
    imaging.check_image(request.image)
    for spec in request.objects:
        if spec.mask is not None:
            imaging.check_mask(spec.mask, request.image, f"mask of “{spec.word}”")
    if request.edit_mask is not None:
        imaging.check_mask(request.edit_mask, request.image, "edit mask")


def painted_edit_mask(request: EditRequest) -> Mask | None:
    """Where pixels may change as painted: the edit mask, else all painted object masks together, else None."""
    if request.edit_mask is not None:
        return request.edit_mask
    painted = [spec.mask for spec in request.objects if spec.mask is not None]
    return np.maximum.reduce(painted) if painted else None


def composite(
    image: Pixels, decoded: Tensor, edit_mask: Mask | None, blend: Tensor | None, settings: Settings
) -> tuple[Pixels, Pixels]:
    """Patch and alpha for the picture.

    Args:
        decoded: 1×3×h×w in [-1, 1]. edit_mask: as painted, or None for `blend`, the latent's mask; both None means all.
    """
    size = (image.shape[0], image.shape[1])
    scale = (size[0] * size[1] / (decoded.shape[-2] * decoded.shape[-1])) ** 0.5
    if edit_mask is not None:
        inside = edit_mask > 127
    elif blend is not None:
        # Half a latent cell beyond the mask, where the feather is still thin.
        inside = (
            (torch.nn.functional.interpolate(blend[None, None].float(), size, mode="bilinear")[0, 0] > 0).cpu().numpy()
        )
    else:
        inside = np.ones(size, bool)
    inside = imaging.grown(inside, settings.blend.grow * scale)
    ring = None
    if settings.blend.colour_match:
        ring = torch.from_numpy(imaging.grown(inside, _RING * scale) & ~inside)
    patch = imaging.patch(decoded, image, ring)
    alpha = imaging.feathered(inside, settings.blend.feather * scale)
    return patch, imaging.alpha_channel(alpha, image.dtype)
