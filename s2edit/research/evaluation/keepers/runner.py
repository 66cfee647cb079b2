"""Makes the edits as a painter's program does: choose the crop, edit it, lay the result over the whole picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from s2edit.engine import EditRequest, ObjectSpec
from s2edit.errors import S2EditError
from s2edit.picture.imaging import bounding_box
from s2edit.picture.region import Box, crop_for
from s2edit.research.baselines import Workbench
from s2edit.research.evaluation.methods import Method
from s2edit.research.evaluation.records import append, load
from s2edit.research.evaluation.runner import over
from s2edit.settings import Settings

from . import pictures
from .cases import NativeCase
from .measure import Picture
from .scores import KeeperScore, judge

SettingsOf = Callable[[Method], Settings]


def run(
    workbench: Workbench,
    cases: Iterable[NativeCase],
    methods: Sequence[Method],
    settings_of: SettingsOf,
    out: Path,
) -> Iterator[KeeperScore]:
    """Make and score what is not yet in `out`, case by case; yields each new score.

    Writes a line of `records.SCORES` and `METHOD/CASE.png`, the whole picture, for each, and the case's own pictures.
    """
    workbench.warm()
    for case in cases:
        for method in left(case, methods, out):
            score = _attempt(workbench, case, method, settings_of(method), out)
            pictures.keep(case, score, out)
            append(out, score)
            yield score


def left(case: NativeCase, methods: Sequence[Method], out: Path) -> list[Method]:
    """The methods that can answer the case (some need a painted mask) and have no score of it yet."""
    known = {score.method for score in load(out, KeeperScore) if score.case == case.id}
    able = [method for method in methods if case.manner is not None or not method.painted_only]
    return [method for method in able if method.name not in known]


def crop_of(case: NativeCase, settings: Settings, checkpoint_size: int) -> Box:
    """What the model is given of a case's picture: as the planner chooses it for every client."""
    box = None if case.mask is None else bounding_box(case.mask > 127)
    return crop_for(case.scene.canvas, box, settings, checkpoint_size)


def _attempt(workbench: Workbench, case: NativeCase, method: Method, settings: Settings, out: Path) -> KeeperScore:
    crop = crop_of(case, settings, workbench.native_size)
    try:
        picture, record = _edited(workbench, case, method, settings, crop)
    except S2EditError as error:
        return judge(case, method.name, case.image, crop=crop, error=str(error))
    path = pictures.result(out, method.name, case.id)
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(picture).save(path)
    phases, cached = record["phases"], record["cached"]
    own = float(sum(phases.get(phase, 0.0) for phase in ("loading", "editing", "compositing")))
    first = 0.0 if any(cached.values()) else float(sum(phases.values()))
    return judge(case, method.name, picture, crop=crop, seconds=own, first_seconds=first)


def _edited(
    workbench: Workbench, case: NativeCase, method: Method, settings: Settings, crop: Box
) -> tuple[Picture, dict[str, Any]]:
    """The whole picture with the edit in it, and the edit's record; the mask is the object's, as editors send it."""
    x, y, width, height = crop
    part = np.s_[y : y + height, x : x + width]
    mask = None if case.mask is None else np.ascontiguousarray(case.mask[part])
    image = np.ascontiguousarray(case.image[part])
    source, target = case.prompts
    request = EditRequest(
        image=image,
        source=source,
        target=target,
        objects=(ObjectSpec(case.noun, mask),),
        settings=settings,
        seed=case.seed,
    )
    if method.baseline:
        result = workbench.baseline(method.baseline, request, case.instruction)
    else:
        result = workbench.edit(request)
    picture = case.image.copy()
    picture[part] = over(image, result)
    return picture, result.record
