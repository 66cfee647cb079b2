"""Stage 2 with as much guidance as the edit needs: w is raised while that changes much more of the picture (ours).

Where a little guidance is enough, more of it harms what should stay; where it is not, nothing happens. Which of the two
it is shows only in the edit. The inversion doesn't depend on w, so an attempt costs stage 2 alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .method.editing import Sampled
from .model.backbone import Backbone
from .picture import imaging
from .picture.finishing import DRAWN, ramped
from .previews import Previews
from .settings import Settings

if TYPE_CHECKING:
    from .job import Job
    from .work import Work

RAISED = 1.6
"""Times the guidance of one attempt is that of the next."""
GROWS = 0.4
"""More of the picture that an attempt has to change than the one before, as a share, for w to be raised to it."""
_HIGHEST = 20.0
"""Of the setting `edit.guidance`."""


@dataclass(frozen=True, eq=False)
class Attempt:
    """An edit as the model draws it.

    Args:
        decoded: 1×3×h×w in [-1, 1]. blend: see `Sampled`. guidance: its w.
        changed: share of the model's pixels that it changes, a faint change counting less.
    """

    decoded: Tensor
    blend: Tensor | None
    guidance: float
    changed: float


Stage = Callable[["Work", Settings, Callable[[int, Tensor], None]], Sampled]
"""Stage 2 of a work with these settings; calls back after each step with its number and the clean latent."""


@torch.no_grad()
def attempt(checkpoint: Backbone, work: Work, stage: Stage, job: Job) -> Attempt:
    """The first of `edit.attempts` attempts that the next one doesn't outdo by `GROWS`; the last, if each does.

    Raises:
        MaskError: LocalBlend's maps are all zero. Cancelled: as the job says.
    """
    settings = work.settings
    guidance = settings.edit.guidance
    unedited = checkpoint.decode(work.subjects[0].mean) if settings.edit.attempts > 1 else None
    best: Attempt | None = None
    for number in range(settings.edit.attempts):
        w = min(guidance * RAISED**number, _HIGHEST)
        tried = replace(settings, edit=replace(settings.edit, guidance=w))
        sampled = stage(work, tried, _teller(checkpoint, settings, job, number * settings.edited_in))
        decoded = checkpoint.decode(sampled.latent)
        changed = 0.0 if unedited is None else _changed(unedited, decoded, work)
        if best is not None and changed <= (1 + GROWS) * best.changed and best.changed > 0:
            return best
        best = Attempt(decoded, sampled.blend, w, changed)
    assert best is not None, "there is one attempt at least"
    return best


def _teller(checkpoint: Backbone, settings: Settings, job: Job, first: int) -> Callable[[int, Tensor], None]:
    """Reports an attempt's steps, the job's from `first` on, with previews where somebody watches."""
    previews = Previews(lambda clean: imaging.preview(checkpoint.decode(clean)), settings.edited_in)

    def on_step(index: int, clean: Tensor) -> None:
        job.step(first + index, previews.at(index, clean) if job.watched else None)

    return on_step


def _changed(before: Tensor, after: Tensor, work: Work) -> float:
    """Share of the model's pixels that differ where the edit may show; both 1×3×h×w in [-1, 1]."""
    share = ramped((after - before).abs().amax(dim=1)[0] / 2, DRAWN)
    if work.edit_mask is not None:
        share = share * imaging.model_mask(work.edit_mask, work.subjects[0].size).to(share)
    return float(share.mean())
