"""Stage 2 with as much guidance as the edit needs: w is raised while that changes much more of the picture (ours).

Where a little guidance is enough, more of it harms what should stay; where it is not, nothing happens. Which of the two
it is shows only in the edit. The inversion doesn't depend on w, so an attempt costs stage 2 alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from .method.editing import Sampled
from .model.backbone import Backbone
from .picture import imaging
from .previews import Previews
from .requests import Pixels
from .settings import Settings

if TYPE_CHECKING:
    from .job import Job

RAISED = 1.6
"""Times the guidance of one attempt is that of the next."""
GROWS = 0.4
"""More of the picture that an attempt has to change than the one before, as a share, for w to be raised to it."""
NOTHING = 5e-4
"""Mean alpha that counts as none."""
_HIGHEST = 20.0
"""Of the setting `edit.guidance`."""


@dataclass(frozen=True, eq=False)
class Attempt:
    """An edit as the model draws it.

    Args:
        decoded: 1×3×h×w in [-1, 1]. blend: see `Sampled`. guidance: its w.
        changed: mean alpha of its layer, of 1; 0 where there is nothing to compare it with.
    """

    decoded: Tensor
    blend: Tensor | None
    guidance: float
    changed: float


Stage = Callable[[Settings, Callable[[int, Tensor], None]], Sampled]
"""Stage 2 with these settings; calls back after each step with its number and the clean latent."""
Lay = Callable[[Tensor, Tensor | None], tuple[Pixels, Pixels]]
"""Patch and alpha of a decoded edit and where it may differ."""


@torch.no_grad()
def attempt(
    checkpoint: Backbone, settings: Settings, stage: Stage, lay: Lay, job: Job, *, removal: bool = False
) -> Attempt:
    """The first of `edit.attempts` attempts that the next one doesn't outdo by `GROWS`; the last, if each does.

    How much an edit changes shows in its layer, as painters get it: a mouth that the model redraws hardly otherwise is
    none. A single attempt needs no layer here.

    Args:
        lay: may answer for a smaller picture, since alphas are only compared.
        removal: something is only taken away. The first attempt that does anything is taken then: more guidance draws
            something else in its place.
    Raises:
        MaskError: LocalBlend's maps are all zero. Cancelled: as the job says.
    """
    several = settings.attempts > 1
    best: Attempt | None = None
    for number in range(settings.attempts):
        w = min(settings.edit.guidance * RAISED**number, _HIGHEST)
        if best is not None and w == best.guidance:
            break
        tried = replace(settings, edit=replace(settings.edit, guidance=w))
        sampled = stage(tried, _teller(checkpoint, settings, job, number * settings.edited_in))
        decoded = checkpoint.decode(sampled.latent)
        found = Attempt(decoded, sampled.blend, w, _mean(lay(decoded, sampled.blend)[1]) if several else 0.0)
        if best is not None and best.changed > 0 and found.changed <= (1 + GROWS) * best.changed:
            return best
        best = found
        if removal and best.changed > NOTHING:
            return best
    assert best is not None, "there is one attempt at least"
    return best


def _mean(alpha: Pixels) -> float:
    return float(alpha.mean(dtype=np.float64)) / (1 if alpha.dtype == np.float32 else np.iinfo(alpha.dtype).max)


def _teller(checkpoint: Backbone, settings: Settings, job: Job, first: int) -> Callable[[int, Tensor], None]:
    """Reports an attempt's steps, the job's from `first` on, with previews where somebody watches."""
    previews = Previews(lambda clean: imaging.preview(checkpoint.decode(clean)), settings.edited_in)

    def on_step(index: int, clean: Tensor) -> None:
        job.step(first + index, previews.at(index, clean) if job.watched else None)

    return on_step
