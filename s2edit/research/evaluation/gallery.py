"""The cases as tables of pictures: source, mask, each method's answer with its scores, and the truth."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import numpy as np
from PIL import Image

from .bench import Score, automatic_mask
from .cases import SIZE, Case
from .methods import FULL
from .metrics import Picture

CASES = "cases"
"""The folder of the cases' own pictures beside the methods'."""

Answers = Mapping[tuple[str, str], Score]
"""Scores by case id and method."""


def mask_of(case: Case, out: Path) -> Picture:
    """The painted mask; else where the full method found that pixels may change; else, gray, where the truth does."""
    found = automatic_mask(out, FULL, case)
    if case.mask is not None:
        mask = case.mask
    elif found.is_file():
        with Image.open(found) as opened:
            mask = np.asarray(opened.convert("L"), dtype=np.uint8)
    else:
        mask = np.where(case.changed, 150, 0).astype(np.uint8)
    return np.repeat(mask[..., None], 3, axis=2)


def title_of(case: Case, out: Path) -> str:
    """The edit, what stands in the column of masks, and the target prompt."""
    kept = automatic_mask(out, FULL, case).is_file()
    automatic = "automatic mask" if kept else "automatic mask (gray: where the truth changes)"
    return f"{case.edit.name}, {'painted mask' if case.painted else automatic}: {case.prompts[1]}"


def gallery(cases: Sequence[Case], methods: Sequence[str], scores: Sequence[Score], out: Path) -> str:
    """HTML: a table for each kind of edit; writes the pictures of the cases themselves into `out/CASES`."""
    answers = {(score.case, score.method): score for score in scores}
    (out / CASES).mkdir(exist_ok=True)
    for case in cases:
        for name, picture in (("source", case.image), ("mask", mask_of(case, out)), ("truth", case.truth)):
            Image.fromarray(picture).save(out / CASES / f"{case.id}.{name}.png")
    head = "".join(f"<th>{html.escape(title)}" for title in ("source", "mask", *methods, "truth"))
    tables = []
    for kind in dict.fromkeys(case.edit.kind for case in cases):
        rows = [_row(case, methods, answers, out) for case in cases if case.edit.kind == kind]
        title = f"<summary>{html.escape(kind)}: {len(rows)} cases</summary>"
        body = "".join(rows)
        tables.append(f"<details open>{title}<table class=pictures><thead><tr>{head}</thead>{body}</table></details>")
    return "\n".join(tables)


def _row(case: Case, methods: Sequence[str], answers: Answers, out: Path) -> str:
    told = html.escape(title_of(case, out))
    cells = [_own(case, "source"), _own(case, "mask")]
    cells += [_answer(case, method, answers.get((case.id, method)), out) for method in methods]
    cells.append(_own(case, "truth"))
    return f"<tr><td colspan={len(cells)}>{told}<tr>{''.join(cells)}"


def _own(case: Case, name: str) -> str:
    return f"<td>{_image(f'{CASES}/{case.id}.{name}.png', name)}"


def _answer(case: Case, method: str, score: Score | None, out: Path) -> str:
    """A method's picture over its PSNR inside and outside, and the share of the target reached."""
    if score is None:
        return "<td class=none>not made"
    if not (out / method / f"{case.id}.png").is_file():
        return f"<td class=none title={html.escape(score.error, quote=True)!r}>no picture"
    told = f"{score.psnr_inside:.1f} | {score.psnr_outside:.1f} dB, {100 * score.reached:.0f} %"
    return f"<td>{_image(f'{method}/{case.id}.png', method)}{told}"


def _image(path: str, name: str) -> str:
    return f'<img src="{quote(path)}" width={SIZE} height={SIZE} loading=lazy alt="{html.escape(name, quote=True)}">'
