"""What an edit's score is, scores on disk, and the scores of pictures that another system made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from s2edit.research.starter import classify

from . import records
from .cases import SIZE, Case
from .metrics import Picture, psnr, ssim
from .records import SCORES


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


def score_folder(folder: Path, cases: Iterable[Case], name: str, keep: Path) -> Iterator[Score]:
    """Score another system's answers: one `CASE-ID.png` of `SIZE`² pixels per case; a missing one counts as no edit.

    Args:
        folder: with the pictures. cases: that were asked for. name: of the system in the tables.
        keep: the pictures are copied to `keep/name`, where the page finds them.
    Raises:
        ValueError: no picture is named after a case, or one is no PNG, has another size, or is transparent.
    """
    listed = list(cases)
    answers = {case.id: _answer(folder / f"{case.id}.png") for case in listed if (folder / f"{case.id}.png").is_file()}
    if not answers:
        raise ValueError(_no_answers(folder, listed))
    (keep / name).mkdir(parents=True, exist_ok=True)
    for case in listed:
        if case.id not in answers:
            yield judge(case, name, case.image, error="no picture")
            continue
        picture = answers[case.id]
        Image.fromarray(picture).save(keep / name / f"{case.id}.png")
        yield judge(case, name, picture)


def strangers(folder: Path, cases: Iterable[Case]) -> list[str]:
    """The files in a folder of answers that are named after none of the cases."""
    known = {f"{case.id}.png" for case in cases}
    return sorted(path.name for path in folder.iterdir() if path.is_file() and path.name not in known)


def _no_answers(folder: Path, cases: list[Case]) -> str:
    found = strangers(folder, cases)
    there = f"It holds {len(found)} files of other names, such as {found[0]}." if found else "It holds no file."
    return (
        f"No picture in “{folder.name}” is named after a case. {there} Each answer is a PNG named CASE-ID.png, such as "
        f"{cases[0].id}.png; “s2edit bench export” lists the ids. Choose the same --portraits, --edits and --domain."
    )


def _answer(path: Path) -> Picture:
    """A file's picture, `SIZE`² RGB uint8; ValueError says what is wrong with it."""
    try:
        with Image.open(path) as opened:
            # All of this stands in the file's head: nothing large is unpacked to be refused.
            if opened.format != "PNG":
                raise ValueError(f"{path.name} is a {opened.format}, whose losses would be scored. Write it as a PNG.")
            if opened.size != (SIZE, SIZE):
                width, height = opened.size
                raise ValueError(f"{path.name} has {width}×{height} px; the cases have {SIZE}×{SIZE}.")
            if opened.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
                raise ValueError(f"{path.name} has more than 8 bits a channel. Write it with 8.")
            pixels: Picture = np.asarray(opened.convert("RGBA"), dtype=np.uint8)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path.name} can't be read as a picture. Write it again as a PNG.") from error
    if pixels[..., 3].min() < 255:
        raise ValueError(f"{path.name} is transparent in places. Write the whole edited picture.")
    return pixels[..., :3]


def replace(out: Path, method: str, scores: Iterable[Score]) -> None:
    """Put a method's scores in the place of those that the folder has of it; all others stay."""
    kept = [*(score for score in load(out) if score.method != method), *scores]
    part = out / f"{SCORES}.part"
    part.write_text("".join(json.dumps(asdict(score)) + "\n" for score in kept), "utf-8")
    part.replace(out / SCORES)


def automatic_mask(out: Path, method: str, case: Case) -> Path:
    """Where a run keeps the mask that a method found by itself: 0 where nothing may change."""
    return out / method / f"{case.id}.mask.png"


def load(out: Path) -> list[Score]:
    """The scores in a folder; a line that a kill cut short is passed over."""
    return records.load(out, Score)
