"""What an edit's score is, scores on disk, and the scores of pictures that another system made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from s2edit.starter import classify

from .cases import SIZE, Case
from .metrics import Picture, psnr, ssim

SCORES = "scores.jsonl"


@dataclass(frozen=True)
class Score:
    """One edit judged.

    Args:
        psnr_inside … ssim_outside: against the truth, inside and outside the region that had to change; dB and 0 to 1.
        reached: share of the asked changes that the attribute classifier sees.
        kept: share of all other visible attributes that it sees unchanged.
        seconds, forwards: wall time and U-Net forward equivalents (a backward pass counts two) of a further edit of the
            same picture, with what is already known of it. first_seconds, first_forwards: of a first edit, with
            fine-tuning and inversion. All 0 for pictures of another system.
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
    seconds: float = 0
    forwards: int = 0
    first_seconds: float = 0
    first_forwards: int = 0
    error: str = ""


def judge(case: Case, method: str, picture: Picture, **costs: Any) -> Score:
    """Score one picture, H×W×3 uint8 of the case's size; `costs` are the last fields of `Score`."""
    inside = case.changed
    seen = classify(picture, case.domain)
    shown = case.domain.visible(case.target)
    asked = {field: value for field, value in case.edit.changes.items() if field in shown}
    others = sorted((shown & case.domain.visible(case.source)) - case.edit.changes.keys())
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
        **costs,
    )


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


def append(out: Path, score: Score) -> None:
    """Add a line to the folder's scores, the moment it is known; a line that a kill cut short stays alone."""
    with (out / SCORES).open("a+b") as file:
        if file.tell():
            file.seek(-1, 2)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write((json.dumps(asdict(score)) + "\n").encode())


def load(out: Path) -> list[Score]:
    """The scores in a folder; a line that a kill cut short is passed over."""
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
