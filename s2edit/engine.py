"""The facade: an edit from pixels to a layer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from .cache import DiskCache
from .job import Job
from .method.alignment import PromptPlan, plan_prompts, takes_away
from .method.composition import check_learning, plan_composition
from .method.diffusion import Denoiser
from .method.masks import nowhere
from .method.prompts import Prompt
from .model.abilities import check_abilities
from .model.backbone import Backbone
from .model.checkpoints import load
from .model.compilation import compile_blocks
from .model.device import choose_device, empty_cache, free_bytes, memory_figures, out_of_memory, precision
from .model.families import FAMILIES
from .model.levels import choose_level
from .picture import imaging
from .picture.framing import Framing
from .picture.region import Box
from .picture.view import compose_view, edit_view, placed, view_of
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
from .stages import Stages, Subject
from .work import Work, painted_edit_mask, perform

__all__ = ["ComposeRequest", "EditRequest", "EditResult", "Engine", "ObjectSpec", "Progress"]

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A request ready for the stages: prompts aligned, pictures encoded, settings final but for the level.

    Args:
        image, edit_mask: of the part that the model is shown, `view`.
        removal: whether the words only take something away.
    """

    plan: PromptPlan
    subjects: tuple[Subject, ...]
    settings: Settings
    image: Pixels
    edit_mask: Mask | None
    view: Box
    removal: bool = False


class Engine:
    """A checkpoint on a device. Loads it at the first edit; one edit at a time.

    Args:
        checkpoint: folder, Hugging Face snapshot or .safetensors file.
        device: "auto", "cpu", "cuda", "cuda:1", "mps". dtype: "auto", "float32", "tf32", "bfloat16", "float16"
            (the last two as autocast; weights stay float32).
        cache_dir: for identities and inversions, or None to keep only the last in memory. cache_quota: bytes.
        threads: of the CPU, or None to leave torch's number.
        compiled: have torch.compile work on the U-Net, for a process that makes many edits (see `compilation`).
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
        compiled: bool = False,
    ) -> None:
        self._path = checkpoint
        self._device = choose_device(device)
        self._autocast = precision(dtype, self._device)
        self._compiled = compiled
        self._cache = DiskCache(cache_dir, cache_quota) if cache_dir is not None else None
        self._stages: Stages | None = None
        if threads:
            torch.set_num_threads(threads)

    def work_for(self, user: str) -> None:
        """Note from now on that this user needs what the cache holds for a request (`DiskCache.user`)."""
        if self._cache is not None:
            self._cache.user = user

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
        imaging.check_image(request.image)
        imaging.check_masks(request.image, request.objects, request.edit_mask)

        def prepare(stages: Stages) -> _Prepared:
            return self._prepared(stages, request)

        return self._perform(request, prepare, Job(progress, cancelled))

    def compose(
        self,
        request: ComposeRequest,
        progress: ProgressCallback = no_progress,
        cancelled: CancelCallback = never_cancelled,
    ) -> EditResult:
        """Carry an attribute of the reference picture over to the source picture; raises as `edit` does."""
        imaging.check_image(request.image)
        imaging.check_image(request.reference, "reference picture")
        check_learning(request.settings)
        source = (ObjectSpec(request.word, request.mask),)
        reference = (ObjectSpec(request.attribute, request.reference_mask),)
        imaging.check_masks(request.image, source, request.edit_mask)
        imaging.check_masks(request.reference, reference, None)

        def prepare(stages: Stages) -> _Prepared:
            return self._composition(stages, request)

        return self._perform(request, prepare, Job(progress, cancelled))

    def _composition(self, stages: Stages, asked: ComposeRequest) -> _Prepared:
        """A composition's prompts, aligned, and what the model is shown of both pictures, encoded."""
        request, view = compose_view(self._framing(stages, asked.settings), asked)
        source = (ObjectSpec(request.word, request.mask),)
        reference = (ObjectSpec(request.attribute, request.reference_mask),)
        plan = plan_composition(
            stages.checkpoint.tokenizer,
            request.source,
            request.reference_prompt,
            request.mix,
            word=request.word,
            attribute=request.attribute,
            emphasize=request.settings.edit.emphasize,
            mode=request.settings.edit.mode,
        )
        edit, settings = plan.edit, request.settings
        subject = self._subject(stages, request.image, edit.plain, edit.source, source, settings)
        # Both pictures go through the U-Net in one batch, so the reference takes the source's size.
        other = self._subject(
            stages, request.reference, plan.plain_reference, plan.reference, reference, settings, subject.size
        )
        edit_mask = painted_edit_mask(source, request.edit_mask)
        return _Prepared(edit, (subject, other), settings, request.image, edit_mask, view)

    @staticmethod
    def _framing(stages: Stages, settings: Settings) -> Framing | None:
        return stages.checkpoint.framing if settings.blend.frame else None

    def _prepared(self, stages: Stages, asked: EditRequest) -> _Prepared:
        """An edit's prompts, aligned, what the model is shown, encoded, and settings that the words decide."""
        request, view = edit_view(self._framing(stages, asked.settings), asked)
        settings, tokenizer = request.settings, stages.checkpoint.tokenizer
        removal = takes_away(tokenizer.encode(request.source), tokenizer.encode(request.target))
        if removal and not settings.identity.removals:
            settings = settings.replace_from({"identity.enabled": False})
        plan = plan_prompts(
            tokenizer,
            request.source,
            request.target,
            [spec.word for spec in request.objects],
            emphasize=settings.edit.emphasize,
            mode=settings.edit.mode,
            identity=settings.identity.enabled,
        )
        subject = self._subject(stages, request.image, plan.plain, plan.source, request.objects, settings)
        edit_mask = painted_edit_mask(request.objects, request.edit_mask)
        return _Prepared(plan, (subject,), settings, request.image, edit_mask, view, removal)

    def _perform(
        self,
        request: EditRequest | ComposeRequest,
        prepare: Callable[[Stages], _Prepared],
        job: Job,
    ) -> EditResult:
        """Load, prepare, settle the level, and run the stages on a request whose pixels are checked.

        Args:
            prepare: aligns the prompts, chooses what the model is shown, and encodes the pictures to learn from.
        """
        request.settings.validate()
        with out_of_memory(self._device, request.settings.identity.level):
            with job.phase("loading"):
                stages = self._loaded()
                check_abilities(FAMILIES[stages.checkpoint.family], request.settings)
                ready = prepare(stages)
            settings = self._with_level(stages, ready.subjects, ready.settings, request.seed)
            work = Work(ready.image, ready.subjects, ready.plan, ready.edit_mask, settings, request.seed, ready.removal)
            result = perform(stages, work, job)
        result = replace(result, record=result.record | {"compiled": self._compiled})
        size = (request.image.shape[0], request.image.shape[1])
        result = placed(result, ready.view, size, fading=ready.edit_mask is None)
        return replace(result, record=result.record | {"box": list(result.box)})

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
        x, y, width, height = view_of(self._framing(stages, settings), image, ())
        shown = image[y : y + height, x : x + width]
        mean, _ = stages.moments(imaging.model_input(shown, self._model_size(stages.checkpoint, shown, settings)))
        job = Job(no_progress, never_cancelled)
        mask = stages.automatic_mask(mean, plain, word, settings.edit, job)
        found = np.zeros(image.shape[:2], np.uint8)
        found[y : y + height, x : x + width] = imaging.image_mask(mask.cpu(), (height, width))
        if not found.any():
            raise nowhere(word)
        return found

    def unload(self) -> None:
        """Give the memory back; the next edit loads again."""
        self._stages = None
        empty_cache(self._device)

    def memory(self) -> dict[str, int]:
        """Bytes: "used" by the networks (on CUDA by torch), "free" on the device (0 when the system doesn't tell)."""
        return memory_figures(self._device, self._stages.checkpoint if self._stages else None)

    def _loaded(self) -> Stages:
        if self._stages is None:
            checkpoint = load(self._path, self._autocast)
            checkpoint.move_to(self._device)
            self._compiled = self._compiled and compile_blocks(checkpoint.network, self._device)
            checkpoint.half = self._autocast
            denoiser = Denoiser(checkpoint, autocast=self._autocast)
            self._stages = Stages(checkpoint, denoiser, self._cache)
        return self._stages

    @staticmethod
    def _model_size(checkpoint: Backbone, image: Pixels, settings: Settings) -> tuple[int, int]:
        return checkpoint.model_size(image.shape[1], image.shape[0], settings.native_size or None)

    def _with_level(self, stages: Stages, subjects: Sequence[Subject], settings: Settings, seed: int) -> Settings:
        """Settle the identity level "auto"; raises OutOfMemory with figures when not even the smallest fits.

        What was learned before stays in use whatever is free now. Where the system doesn't tell how much that is, the
        level is the most faithful there is; so it is where nothing is to be learned, which takes no such memory.
        """
        if settings.identity.level != "auto":
            return settings
        if not settings.identity.learns:
            return settings.replace_from({"identity.level": "full"})
        level, free = stages.known_level(subjects, settings, seed), free_bytes(self._device)
        if level is None and free:
            available = free + memory_figures(self._device, stages.checkpoint)["used"]
            rank = settings.identity.lora_rank
            rows = len(subjects) * settings.identity.rows
            plan = choose_level(stages.checkpoint, subjects[0].size, available, rank=rank, rows=rows)
            level = plan.level
            LOG.info("learning at level %s: %.1f of %.1f GiB", level, plan.total / 2**30, available / 2**30)
        return settings.replace_from({"identity.level": level or FAMILIES[stages.checkpoint.family].learns[0]})

    def _subject(
        self,
        stages: Stages,
        image: Pixels,
        plain: Prompt,
        prompt: Prompt,
        objects: Sequence[ObjectSpec],
        settings: Settings,
        size: tuple[int, int] | None = None,
    ) -> Subject:
        size = size or self._model_size(stages.checkpoint, image, settings)
        mean, std = stages.moments(imaging.model_input(image, size))
        painted = tuple(
            None if spec.mask is None else imaging.model_mask(spec.mask, size).to(self._device) for spec in objects
        )
        return Subject(image, plain, prompt, tuple(objects), mean, std, painted)
