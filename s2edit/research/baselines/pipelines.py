"""Baselines that diffusers has: LEDITS++ on the same checkpoint, and InstructPix2Pix on weights of its own."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from s2edit.cache import array_digest
from s2edit.errors import CheckpointError
from s2edit.method.prompts import FUNCTION_WORDS, Prompt
from s2edit.picture import imaging

from .recombined import Answer, Scene

_OPTIONS = {
    "safety_checker": None,
    "feature_extractor": None,
    "requires_safety_checker": False,
    "local_files_only": True,
    "dtype": torch.float32,
}
_STEPS_INSTRUCT = 50


class Pipelines:
    """The diffusers pipelines of a checkpoint, each loaded when it is first asked for.

    Args:
        checkpoint: a diffusers folder. instruct: folder of InstructPix2Pix's weights, or None when there are none.
    """

    def __init__(self, checkpoint: Path, instruct: Path | None) -> None:
        self._checkpoint, self._instruct = checkpoint, instruct
        self._loaded: dict[str, Any] = {}
        self._inverted: tuple[str, int, int] | None = None
        self.forwards = 0
        """U-Net forward passes of all pipelines so far, counted by rows."""

    def ledits(self, scene: Scene) -> Answer:
        """LEDITS++ (Brack et al., 2024) with diffusers' default scales, T steps, and the painted mask if there is one.

        Every phrase that only the target prompt has is an edit concept; every one that only the source has is reversed.
        """
        pipeline = self._get("LEditsPPPipelineStableDiffusion", self._checkpoint)
        plan = scene.work.plan
        added, removed = changed_phrases(plan.plain_target, plan.plain)
        if not added and not removed:
            added = [plan.plain_target.text]
        steps = scene.work.settings.inversion.steps
        mask = scene.edit_mask
        generator = torch.Generator().manual_seed(scene.work.seed)
        key = (array_digest(scene.work.image), steps, scene.work.seed)
        scene.cached["inversion"] = self._inverted == key
        with _silenced():
            with scene.phase("inversion"):
                if self._inverted != key:
                    self._inverted = None
                    pipeline.invert(
                        image=_picture(scene),
                        # What is inverted with a source prompt's guidance would be replayed without it.
                        source_prompt="",
                        num_inversion_steps=steps,
                        generator=generator,
                    )
            self._inverted = key
            with scene.phase("editing"):
                found = pipeline(
                    editing_prompt=[*added, *removed],
                    reverse_editing_direction=[False] * len(added) + [True] * len(removed),
                    user_mask=None if mask is None else (mask > 0).float()[None, None],
                    output_type="pt",
                ).images
        return _answer(scene, found)

    def instruct_pix2pix(self, scene: Scene, instruction: str) -> Answer:
        """InstructPix2Pix (Brooks et al., 2023) at its own resolution, with the authors' two guidance scales.

        Args:
            instruction: what to do, as a command.
        Raises:
            CheckpointError: its weights are not here.
        """
        if self._instruct is None or not (self._instruct / "model_index.json").is_file():
            raise CheckpointError(
                "InstructPix2Pix's weights are not here.",
                code="checkpoint_missing",
                hint="Download timbrooks/instruct-pix2pix as a diffusers folder, and name the folder.",
            )
        pipeline = self._get("StableDiffusionInstructPix2PixPipeline", self._instruct)
        side = int(pipeline.unet.config.sample_size) * int(pipeline.vae_scale_factor)
        with _silenced(), scene.phase("editing"):
            found = pipeline(
                prompt=instruction,
                image=_picture(scene).resize((side, side), Image.Resampling.LANCZOS),
                num_inference_steps=_STEPS_INSTRUCT,
                generator=torch.Generator().manual_seed(scene.work.seed),
                output_type="pt",
            ).images
        return _answer(scene, found)

    def _get(self, name: str, folder: Path) -> Any:
        if name not in self._loaded:
            if not folder.is_dir():
                raise CheckpointError(
                    f"“{folder.name}” is one file; this baseline needs a checkpoint in diffusers' folder form.",
                    code="checkpoint_unsupported",
                )
            with _silenced():
                import diffusers

                pipeline = getattr(diffusers, name).from_pretrained(folder, **_OPTIONS)
                if name.startswith("LEdits"):
                    # Without an end at sigma_min the noises found by `invert` don't lead back to the picture.
                    pipeline.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(
                        pipeline.scheduler.config,
                        algorithm_type="sde-dpmsolver++",
                        solver_order=2,
                        final_sigmas_type="sigma_min",
                    )
            pipeline.set_progress_bar_config(disable=True)
            pipeline.unet.register_forward_pre_hook(self._count)
            self._loaded[name] = pipeline
        return self._loaded[name]

    def _count(self, _: Any, arguments: tuple[Any, ...]) -> None:
        self.forwards += int(arguments[0].shape[0])


def changed_phrases(prompt: Prompt, other: Prompt) -> tuple[list[str], list[str]]:
    """What only `prompt` says, and what only `other` says, as phrases without function words, in order.

    An adjective keeps its noun ("blonde hair", not "blonde"), because a concept has to make sense alone.
    """
    ours, theirs = _phrases(prompt), _phrases(other)
    return [phrase for phrase in ours if phrase not in theirs], [phrase for phrase in theirs if phrase not in ours]


def _phrases(prompt: Prompt) -> list[str]:
    """The runs of words between function words or punctuation: "a man with red hair" has "man" and "red hair"."""
    words = [unit.text for unit in prompt.units]
    runs = groupby(words, key=lambda word: word[0].isalnum() and word not in FUNCTION_WORDS)
    return [" ".join(run) for is_phrase, run in runs if is_phrase]


def _picture(scene: Scene) -> Image.Image:
    """The picture at the model's size."""
    values = imaging.model_input(scene.work.image, scene.subject.size)
    return Image.fromarray(imaging.preview(values))


def _answer(scene: Scene, images: Tensor) -> Answer:
    """B×3×h×w in [0, 1] at any size to an answer at the model's."""
    return Answer(imaging.resample(images.float(), scene.subject.size) * 2 - 1)


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep the libraries' advice about their own future, and their progress bars, out of our output."""
    from diffusers.utils import logging as diffusers_logging

    loggers = [logging.getLogger(name) for name in ("diffusers", "transformers")]
    before = [logger.level for logger in loggers]
    bars = diffusers_logging.is_progress_bar_enabled()
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    diffusers_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
        if bars:
            diffusers_logging.enable_progress_bar()
