"""Makes the edits with each method and scores them, or scores pictures that another system made.

Every score is a line of JSON the moment it is known, so that a run that was cut off goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from s2edit.engine import EditRequest, Engine, ObjectSpec
from s2edit.errors import S2EditError
from s2edit.settings import Settings
from s2edit.starter import classify
from s2edit.starter.attributes import Portrait, visible

from .cases import SIZE, Case
from .methods import Method
from .metrics import Picture, psnr, ssim

SCORES = "scores.jsonl"


@dataclass(frozen=True)
class Score:
    """One edit judged.

    Args:
        psnr_inside … ssim_outside: against the truth, inside and outside the region that had to change; dB and 0 to 1.
        reached: share of the asked changes that the attribute classifier sees.
        kept: share of all other visible attributes that it sees unchanged.
        seconds, forwards: wall time and U-Net forward passes, 0 for pictures of another system.
        error: why there is no picture; the source then counts as the answer.
    """

    case: str
    method: str
    edit: str
    kind: str
    painted: bool
    psnr_inside: float
    psnr_outside: float
    ssim_inside: float
    ssim_outside: float
    reached: float
    kept: float
    seconds: float
    forwards: int
    error: str = ""


def judge(
    case: Case, method: str, picture: Picture, *, seconds: float = 0, forwards: int = 0, error: str = ""
) -> Score:
    """Score one picture, H×W×3 uint8 of the case's size."""
    inside = case.changed
    seen = classify(picture)
    asked = {field: value for field, value in case.edit.changes.items() if field in visible(case.target)}
    others = [field for field in _judged(case.source, case.target) if field not in case.edit.changes]
    kept = [seen.get(field) == getattr(case.target, field) for field in others if field in seen]
    return Score(
        case.id,
        method,
        case.edit.name,
        case.edit.kind,
        case.painted,
        psnr(picture, case.truth, inside),
        psnr(picture, case.truth, ~inside),
        ssim(picture, case.truth, inside),
        ssim(picture, case.truth, ~inside),
        float(np.mean([seen.get(field) == value for field, value in asked.items()])),
        float(np.mean(kept)),
        seconds,
        forwards,
        error,
    )


def _judged(source: Portrait, target: Portrait) -> list[str]:
    """Attributes that both pictures show."""
    return sorted(visible(source) & visible(target))


def make(engine: Engine, case: Case, settings: Settings) -> tuple[Picture, dict[str, Any]]:
    """The method's answer, H×W×3 uint8, and the edit's record."""
    source, target = case.prompts
    request = EditRequest(
        image=case.image,
        source=source,
        target=target,
        objects=(ObjectSpec(case.source.person, None),),
        edit_mask=case.mask,
        settings=settings,
        seed=case.seed,
    )
    result = engine.edit(request)
    return over(case.image, result.patch, result.alpha), result.record


def over(image: Picture, patch: Picture, alpha: Picture) -> Picture:
    """The edit's layer over the picture, as an editor composites it: H×W×3, H×W×3, H×W, all uint8."""
    weight = alpha[..., None].astype(np.float64) / 255
    return np.asarray(np.rint(image * (1 - weight) + patch * weight), dtype=np.uint8)


def run(engine: Engine, cases: Iterable[Case], methods: Iterable[Method], full: Settings, out: Path) -> Iterator[Score]:
    """Make and score what is not yet in `out`; yields each new score.

    Writes `SCORES` and one PNG per case and method (`METHOD/CASE.png`) below `out`.
    """
    out.mkdir(parents=True, exist_ok=True)
    known = {(score.case, score.method) for score in load(out)}
    chosen = list(methods)
    for case in cases:
        for method in chosen:
            if (case.id, method.name) in known:
                continue
            score = _attempt(engine, case, method, full, out)
            with (out / SCORES).open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(score)) + "\n")
            yield score


def _attempt(engine: Engine, case: Case, method: Method, full: Settings, out: Path) -> Score:
    try:
        picture, record = make(engine, case, method.settings(full))
    except S2EditError as error:
        return judge(case, method.name, case.image, error=str(error))
    path = out / method.name / f"{case.id}.png"
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(picture).save(path)
    seconds = float(sum(record["phases"].values()))
    return judge(case, method.name, picture, seconds=seconds, forwards=sum(record["unet_forwards"].values()))


def score_folder(folder: Path, cases: Iterable[Case], name: str) -> Iterator[Score]:
    """Score another system's answers: one `CASE-ID.png` of `SIZE`² pixels per case; a missing one counts as no edit.

    Raises:
        ValueError: a picture has another size.
    """
    for case in cases:
        path = folder / f"{case.id}.png"
        if not path.is_file():
            yield judge(case, name, case.image, error="no picture")
            continue
        with Image.open(path) as opened:
            if opened.size != (SIZE, SIZE):
                raise ValueError(f"{path.name} has {opened.size[0]}×{opened.size[1]} px; the cases have {SIZE}×{SIZE}.")
            picture = np.asarray(opened.convert("RGB"), dtype=np.uint8)
        yield judge(case, name, picture)


def load(out: Path) -> list[Score]:
    """The scores in a folder; a last line that a kill cut short is passed over."""
    path = out / SCORES
    if not path.is_file():
        return []
    found = []
    for line in path.read_text("utf-8").splitlines():
        try:
            found.append(Score(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return found
