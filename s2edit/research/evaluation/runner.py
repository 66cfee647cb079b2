"""Makes the edits, portrait by portrait: what a portrait's edits share is made once, and a cut run is a smaller run.

Every score is a line of JSON the moment it is known; a run that was cut off goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from s2edit.engine import EditRequest, EditResult, ObjectSpec
from s2edit.errors import S2EditError
from s2edit.research.baselines import Workbench
from s2edit.settings import Settings

from .bench import Score, automatic_mask, judge, load
from .cases import Case
from .methods import Method
from .metrics import Picture
from .records import append

RUN = "run.json"
_BACKWARD = 2
"""What a backward pass costs, in forward passes."""

SettingsOf = Callable[[Method], Settings]


def planned(
    cases: Iterable[Case], methods: Sequence[Method], others: int, part: tuple[int, int] = (1, 1)
) -> list[tuple[Case, Method]]:
    """What is to be made, in the order of work: by portrait, then by method, then by edit.

    Args:
        others: on so many portraits the methods that are not core are made too.
        part: (k, n): only every n-th portrait, from the k-th on.
    """
    found = []
    for number, (_, group) in enumerate(groupby(cases, key=lambda case: case.seed)):
        of_one = list(group) if number % part[1] == part[0] - 1 else []
        for method in methods:
            if method.core or number < others:
                found += [(case, method) for case in of_one if case.painted or not method.painted_only]
    return found


def run(
    workbench: Workbench, plan: Sequence[tuple[Case, Method]], settings_of: SettingsOf, out: Path
) -> Iterator[Score]:
    """Make and score what is not yet in `out`; yields each new score.

    Writes `records.SCORES` and one PNG per case and method (`METHOD/CASE.png`) below `out`.
    """
    known = {(score.case, score.method) for score in load(out)}
    costs = Costs()
    workbench.warm()
    for case, method in plan:
        if (case.id, method.name) not in known:
            score = _attempt(workbench, case, method, settings_of(method), costs, out)
            append(out, score)
            yield score


def remember(out: Path, facts: dict[str, Any]) -> None:
    """Write what a run depends on, or make sure that the folder's run depended on the same.

    Raises:
        ValueError: it depended on something else.
    """
    path = out / RUN
    if not path.is_file():
        path.write_text(json.dumps(facts, indent=1), "utf-8")
        return
    before = json.loads(path.read_text("utf-8"))
    if differing := sorted(key for key in facts if facts[key] != before.get(key)):
        raise ValueError(
            f"{out.name} holds a run with another {' and '.join(differing)}. Choose another folder, or remove it."
        )


def is_run(out: Path) -> bool:
    """Whether the folder holds a run of ours."""
    return (out / RUN).is_file()


def scale(out: Path) -> float | None:
    """w of the full method in the folder's run; None for pictures of another system."""
    if not is_run(out):
        return None
    return float(json.loads((out / RUN).read_text("utf-8"))["settings"]["edit"]["guidance"])


def request_of(case: Case, settings: Settings) -> EditRequest:
    """What the engine is asked for a case."""
    source, target = case.prompts
    return EditRequest(
        image=case.image,
        source=source,
        target=target,
        objects=(ObjectSpec(case.noun, None),),
        edit_mask=case.mask,
        settings=settings,
        seed=case.seed,
    )


def _attempt(workbench: Workbench, case: Case, method: Method, settings: Settings, costs: Costs, out: Path) -> Score:
    request = request_of(case, settings)
    try:
        if method.baseline:
            result = workbench.baseline(method.baseline, request, case.instruction)
        else:
            result = workbench.edit(request)
    except S2EditError as error:
        return judge(case, method.name, case.image, error=str(error))
    picture = over(case.image, result)
    path = out / method.name / f"{case.id}.png"
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(picture).save(path)
    if case.mask is None and not method.baseline:
        Image.fromarray(result.alpha).save(automatic_mask(out, method.name, case))
    return judge(case, method.name, picture, **costs.of(case, method, settings, result.record))


def over(image: Picture, result: EditResult) -> Picture:
    """The edit's layer over the picture, as an editor composites it: H×W×3 uint8."""
    weight = result.alpha[..., None].astype(np.float64) / 255
    return np.asarray(np.rint(image * (1 - weight) + result.patch * weight), dtype=np.uint8)


class Costs:
    """What an edit costs alone, and with the stages that it found ready: their cost is remembered from when made."""

    def __init__(self) -> None:
        self._stages: dict[tuple[str, str], tuple[float, int]] = {}

    def of(self, case: Case, method: Method, settings: Settings, record: dict[str, Any]) -> dict[str, Any]:
        """The cost fields of `Score`. Loading and compositing count as part of every edit.

        A stage whose cost is not known, because the edit that made it failed later, leaves the first edit's at 0.
        """
        seconds, forwards = record["phases"], equivalents(record, settings)
        own = float(sum(seconds[phase] for phase in ("loading", "editing", "compositing")))
        made = []
        for stage, key in self._keys(case, method, settings).items():
            if stage not in seconds:
                continue
            if not record["cached"][stage]:
                self._stages[stage, key] = (float(seconds[stage]), forwards[stage])
            made.append(self._stages.get((stage, key)))
        known = [cost for cost in made if cost is not None]
        whole = len(known) == len(made)
        return {
            "seconds": own,
            "forwards": forwards["editing"],
            "first_seconds": own + sum(cost[0] for cost in known) if whole else 0.0,
            "first_forwards": forwards["editing"] + sum(cost[1] for cost in known) if whole else 0,
        }

    @staticmethod
    def _keys(case: Case, method: Method, settings: Settings) -> dict[str, str]:
        """What the stages of an edit depend on, among the edits of one portrait."""
        identity = [case.seed, asdict(settings.identity)]
        own_inversion = method.baseline if method.baseline == "ledits++" else ""
        null = [asdict(settings.inversion), settings.edit.guidance] if settings.inversion.mode == "null_text" else None
        inversion = [*identity, own_inversion, settings.inversion.steps, null]
        return {"identity": json.dumps(identity), "inversion": json.dumps(inversion)}


def equivalents(record: dict[str, Any], settings: Settings) -> dict[str, int]:
    """U-Net forward equivalents of each stage: what the record counts, and the backward passes."""
    found = dict(record["unet_forwards"])
    if settings.identity.enabled and not record["cached"]["identity"] and found["identity"]:
        found["identity"] += _BACKWARD * settings.identity.steps * settings.identity.rows
    if settings.inversion.mode == "null_text" and found["inversion"]:
        # Each step inverts, predicts conditionally, and steps with the fitted embedding; the rest are inner steps.
        found["inversion"] += _BACKWARD * (found["inversion"] - 3 * settings.inversion.steps)
    return found
