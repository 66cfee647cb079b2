"""An engine that also runs baselines, on the same requests and with the same compositing as the method's own edits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from s2edit.engine import Engine
from s2edit.errors import SettingError
from s2edit.job import Job
from s2edit.method.diffusion import Denoiser
from s2edit.model.backbone import Backbone
from s2edit.model.checkpoints import load
from s2edit.model.device import out_of_memory
from s2edit.picture import imaging
from s2edit.picture.imaging import bounding_box
from s2edit.picture.view import placed
from s2edit.requests import EditRequest, EditResult, never_cancelled, no_progress
from s2edit.stages import Stages
from s2edit.work import Work, composited

from .pipelines import Pipelines
from .recombined import Answer, Scene, ddim_p2p, inpainting, sdedit, sine

_RECOMBINED: dict[str, Callable[[Scene], Answer]] = {
    "ddim+p2p": ddim_p2p,
    "sdedit": sdedit,
    "inpaint": inpainting,
    "sine": sine,
}
BASELINES = (*_RECOMBINED, "ledits++", "instruct-pix2pix")
"""Names for `Workbench.baseline`."""


class Workbench(Engine):
    """An engine with baselines.

    Args:
        checkpoint: a diffusers folder (the method's own edits take the other forms too).
        instruct: folder of InstructPix2Pix's weights, or None. Other arguments: see `Engine`.
    """

    def __init__(self, checkpoint: Path, *, instruct: Path | None = None, **options: Any) -> None:
        super().__init__(checkpoint, **options)
        self._pipelines = Pipelines(checkpoint, instruct)
        self._published: tuple[Backbone, Denoiser] | None = None

    def baseline(self, name: str, request: EditRequest, instruction: str = "") -> EditResult:
        """Answer a request with a baseline; the settings' identity part counts for "sine" alone.

        Args:
            name: one of `BASELINES`. instruction: the edit as a command, for "instruct-pix2pix".
        Returns:
            As `Engine.edit`; the record has "baseline", and no masks. A painted edit mask bounds what may change.
        Raises:
            SettingError: there is no such baseline. Otherwise as `Engine.edit`.
        """
        if name not in BASELINES:
            raise SettingError(f"There is no baseline “{name}”.", hint=f"Choose one of {', '.join(BASELINES)}.")
        request.settings.validate()
        imaging.check_image(request.image)
        imaging.check_masks(request.image, request.objects, request.edit_mask)
        job = Job(no_progress, never_cancelled)
        with out_of_memory(self._device, request.settings.identity.level):
            with job.phase("loading"):
                scene = self.scene(request, job)
            if name == "ledits++":
                answer = self._pipelines.ledits(scene)
            elif name == "instruct-pix2pix":
                answer = self._pipelines.instruct_pix2pix(scene, instruction)
            else:
                answer = _RECOMBINED[name](scene)
            return placed(_composited(scene, answer, name), scene.view, request.image.shape[:2])

    def warm(self) -> None:
        """Load the checkpoint, so that no edit's seconds contain it."""
        self._published_copy(self._loaded())

    @property
    def native_size(self) -> int:
        """Short side that the checkpoint was trained at, px; loads it."""
        return self._loaded().checkpoint.native_size

    def scene(self, request: EditRequest, job: Job) -> Scene:
        """What a baseline is made from: the networks, the prepared work, the empty prompt; errors as `Engine.edit`."""
        stages = self._loaded()
        ready = self._prepared(stages, request)
        settings = self._with_level(stages, ready.subjects, ready.settings, request.seed)
        work = Work(ready.image, ready.subjects, ready.plan, ready.edit_mask, settings, request.seed)
        published, denoiser = self._published_copy(stages)
        with torch.no_grad():
            null = published.encode([None]).encoding

        def passes() -> int:
            return stages.denoiser.forwards + denoiser.forwards + self._pipelines.forwards

        return Scene(stages, work, null, published, denoiser, job, passes, ready.view)

    def _published_copy(self, stages: Stages) -> tuple[Backbone, Denoiser]:
        """A second copy of the networks: SINE needs both at once, and nothing has to be restored between methods."""
        if self._published is None:
            checkpoint = load(self._path)
            checkpoint.move_to(stages.checkpoint.device)
            self._published = (checkpoint, Denoiser(checkpoint, autocast=self._autocast))
        return self._published


def _composited(scene: Scene, answer: Answer, name: str) -> EditResult:
    work, job = scene.work, scene.job
    with job.phase("compositing"), torch.no_grad():
        patch, alpha = composited(scene.published, work, scene.subject, answer.decoded, answer.blend)
    everywhere = np.full(work.image.shape[:2], 255, np.uint8)
    record = {
        "baseline": name,
        "seed": work.seed,
        "settings": work.settings.as_dict(),
        "phases": {phase: round(seconds, 4) for phase, seconds in job.seconds.items()},
        "unet_forwards": scene.forwards,
        "cached": scene.cached,
        "model_size": list(work.subjects[0].size),
    }
    return EditResult(patch=patch, alpha=alpha, object_mask=everywhere, box=bounding_box(alpha > 0), record=record)
