"""The benchmark as a page: tables, curves, then source, mask, each method's picture and the truth, case by case."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from . import curves
from .bench import Score
from .cases import SIZE, Case
from .methods import METHODS, scale_of
from .metrics import Picture
from .tables import markdown, methods_of, summary

_GAP = 6
_HEAD = 18
_ROWS = 20
"""Cases in one picture of the grid."""
_STYLE = "body{font:14px sans-serif;margin:2em}td,th{padding:2px 8px;text-align:left}img{max-width:none;display:block}"


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
        mask = "painted mask" if case.painted else "automatic mask"
        draw.text((_GAP, top + 1), f"{case.edit.name}, {mask}: {case.prompts[1]}", fill="black")
        for number, picture in enumerate(row(case, methods, out)):
            sheet.paste(Image.fromarray(picture), (_GAP + number * cell, top + _HEAD - 2))
    return sheet


OVERVIEW = ("nti+p2p", "direct+p2p", "ift", "s2edit")
"""The columns of `overview`: what the paper compares itself with, and the full method."""


def overview(cases: Sequence[Case], out: Path) -> Image.Image:
    """The README's grid: of each kind of edit the first two cases, whatever came of them.

    Raises:
        ValueError: no case has a picture of every method of `OVERVIEW` in `out`.
    """
    shown: dict[str, list[Case]] = {}
    for case in cases:
        if all((out / method / f"{case.id}.png").is_file() for method in OVERVIEW):
            shown.setdefault(case.edit.kind, []).append(case)
    if not shown:
        raise ValueError(f"No case has pictures of {', '.join(OVERVIEW)} yet; run these methods first.")
    return grid([case for found in shown.values() for case in found[:2]], OVERVIEW, out)


def write(
    scores: Sequence[Score],
    cases: Sequence[Case],
    out: Path,
    *,
    pictures: Path | None = None,
    scale: float | None = None,
) -> Path:
    """Write `report.md`, `summary.json`, `grid-N.png` and `index.html` below `out`; returns the page's path.

    Args:
        cases: those with a score are shown. pictures: where the answers lie (`METHOD/CASE.png`), `out` when None.
        scale: w of the methods that have none in their name.
    """
    known = {score.case for score in scores}
    shown = [case for case in cases if case.id in known]
    methods = [name for name in methods_of(scores) if scale_of(name)[1] is None]
    tables = markdown(scores)
    (out / "report.md").write_text(tables, "utf-8")
    (out / "summary.json").write_text(json.dumps(summary(scores), indent=1), "utf-8")
    images = []
    for number, start in enumerate(range(0, len(shown), _ROWS), start=1):
        name = f"grid-{number}.png"
        grid(shown[start : start + _ROWS], methods, pictures or out).save(out / name)
        images.append(f"<img src={name} loading=lazy alt='source, mask, answers, truth'>")
    found = curves.points(scores, scale)
    drawn = [
        curves.trade_off(found),
        *(curves.over_scale(found, y) for y in ("reached", "psnr_inside", "psnr_outside")),
    ]
    titles = [
        f"<li><b>{html.escape(name)}</b>: {html.escape(METHODS[name].title)}" for name in methods if name in METHODS
    ]
    page = out / "index.html"
    page.write_text(
        f"<!doctype html><meta charset=utf-8><title>S²Edit benchmark</title><style>{_STYLE}</style>"
        f"<h1>S²Edit benchmark</h1><ul>{''.join(titles)}</ul>{_as_html(tables)}<h2>Trade-off</h2>{''.join(drawn)}"
        f"<h2>Pictures</h2>{''.join(images)}",
        "utf-8",
    )
    return page


def _as_html(tables: str) -> str:
    """Our own Markdown (paragraphs, tables, lists without nesting) as HTML."""
    blocks = []
    for block in tables.strip().split("\n\n"):
        lines = html.escape(block).splitlines()
        if lines[0].startswith("|"):
            cells = [
                [cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("|-")
            ]
            body = ["".join(f"<td>{cell}" for cell in found) for found in cells[1:]]
            head = "".join(f"<th>{cell}" for cell in cells[0])
            blocks.append(f"<table><tr>{head}<tr>{'<tr>'.join(body)}</table>")
        else:
            blocks.append("<p>" + "<br>".join(re.sub(r"^- ", "• ", line) for line in lines))
    return "\n".join(blocks)
