"""The benchmark as a page: tables, then source, mask, each method's picture and the truth, case by case."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from .bench import Score
from .cases import SIZE, Case
from .metrics import Picture
from .tables import markdown

_GAP = 6
_HEAD = 18


def row(case: Case, methods: Sequence[str], out: Path) -> list[Picture]:
    """Source, mask (painted, else the true change), each method's answer (gray when there is none), truth."""
    mask = case.mask if case.mask is not None else np.where(case.changed, 255, 0).astype(np.uint8)
    pictures = [case.image, np.repeat(mask[..., None], 3, axis=2)]
    for method in methods:
        path = out / method / f"{case.id}.png"
        if path.is_file():
            with Image.open(path) as opened:
                pictures.append(np.asarray(opened.convert("RGB"), dtype=np.uint8))
        else:
            pictures.append(np.full_like(case.image, 128))
    return [*pictures, case.truth]


def grid(cases: Sequence[Case], methods: Sequence[str], out: Path) -> Image.Image:
    """One picture with a row for each case and a title over each column."""
    columns = ["source", "mask", *methods, "truth"]
    cell = SIZE + _GAP
    sheet = Image.new("RGB", (len(columns) * cell + _GAP, len(cases) * (cell + _HEAD) + _HEAD), "white")
    draw = ImageDraw.Draw(sheet)
    for number, title in enumerate(columns):
        draw.text((_GAP + number * cell, 3), title, fill="black")
    for line, case in enumerate(cases):
        top = _HEAD + line * (cell + _HEAD)
        draw.text((_GAP, top + 1), f"{case.prompts[0]}  →  {case.prompts[1]}", fill="black")
        for number, picture in enumerate(row(case, methods, out)):
            sheet.paste(Image.fromarray(picture), (_GAP + number * cell, top + _HEAD - 2))
    return sheet


def write(scores: Sequence[Score], cases: Sequence[Case], out: Path) -> Path:
    """Write `report.md`, `grid.png` and `index.html` below `out`; returns the page's path."""
    methods = list(dict.fromkeys(score.method for score in scores))
    tables = markdown(scores)
    (out / "report.md").write_text(tables, "utf-8")
    grid(cases, methods, out).save(out / "grid.png")
    page = out / "index.html"
    page.write_text(
        "<!doctype html><meta charset=utf-8><title>S²Edit benchmark</title>"
        f"<h1>S²Edit benchmark</h1><pre>{html.escape(tables)}</pre><img src=grid.png alt='all cases'>",
        "utf-8",
    )
    return page
