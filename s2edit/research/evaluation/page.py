"""The benchmark as a page that needs nothing but its folder: figures, tables, and every case in pictures."""

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
from .charts import forest
from .gallery import gallery, mask_of, title_of
from .methods import METHODS, scale_of
from .tables import MEASURES, PAIRED, differences, markdown, methods_of, summary

_GAP = 6
_HEAD = 18
STYLE = """
body{font:14px/1.45 sans-serif;margin:2em;color:#222}
p,ul{max-width:60em}
table{border-collapse:collapse;margin:.5em 0 1.5em;font-variant-numeric:tabular-nums}
th,td{padding:3px 10px;text-align:left;white-space:nowrap}
thead th{position:sticky;top:0;background:#fff;box-shadow:0 1px #999}
tbody.figures tr:nth-child(even){background:#f4f4f4}
.pictures td{padding:2px 4px;vertical-align:top;font-size:11px}
.pictures td[colspan]{padding-top:12px;font-size:13px;font-weight:bold}
.none{color:#888;text-align:center}
img{display:block}
svg{max-width:100%;height:auto;margin:0 2em 1em 0;vertical-align:top}
summary{cursor:pointer;font-weight:bold}
"""
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
    return _grid([case for found in shown.values() for case in found[:2]], out)


def _grid(cases: Sequence[Case], out: Path) -> Image.Image:
    """One picture with a row for each case and a title over each column."""
    columns = ["source", "mask", *OVERVIEW, "truth"]
    cell = SIZE + _GAP
    sheet = Image.new("RGB", (len(columns) * cell + _GAP, len(cases) * (cell + _HEAD) + _HEAD), "white")
    draw = ImageDraw.Draw(sheet)
    for number, title in enumerate(columns):
        draw.text((_GAP + number * cell, 3), title, fill="black")
    for line, case in enumerate(cases):
        top = _HEAD + line * (cell + _HEAD)
        draw.text((_GAP, top + 1), title_of(case, out), fill="black")
        pictures = [
            case.image,
            mask_of(case, out),
            *(_saved(out / name / f"{case.id}.png") for name in OVERVIEW),
            case.truth,
        ]
        for number, picture in enumerate(pictures):
            sheet.paste(Image.fromarray(picture), (_GAP + number * cell, top + _HEAD - 2))
    return sheet


def _saved(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    with Image.open(path) as opened:
        return np.asarray(opened.convert("RGB"), dtype=np.uint8)


def write(scores: Sequence[Score], cases: Sequence[Case], out: Path, *, scale: float | None = None) -> Path:
    """Write `report.md`, `summary.json`, `index.html` and the cases' pictures below `out`; returns the page's path.

    Args:
        cases: the scores'. scale: w of the methods that have none in their name.
    """
    methods = [name for name in methods_of(scores) if scale_of(name)[1] is None]
    tables = markdown(scores)
    (out / "report.md").write_text(tables, "utf-8")
    (out / "summary.json").write_text(json.dumps(summary(scores), indent=1), "utf-8")
    titles = [
        f"<li><b>{html.escape(name)}</b>: {html.escape(METHODS[name].title)}" for name in methods if name in METHODS
    ]
    page = out / "index.html"
    page.write_text(
        f"<!doctype html><html lang=en><meta charset=utf-8><title>S²Edit benchmark</title><style>{STYLE}</style>"
        f"<h1>S²Edit benchmark</h1><p>Rendered pictures with one or two things changed: the right answer to every edit "
        f"is known, and scores are against it.<ul>{''.join(titles)}</ul>"
        f"{_differences(scores)}{_trade_off(curves.points(scores, scale))}<h2>Tables</h2>{as_html(tables)}"
        f"<h2>Pictures</h2><p>Under each answer: PSNR inside and outside the change, and the share of the target that "
        f"is reached. A mask is painted, or the one that S²Edit found.</p>"
        f"{gallery(cases, methods, scores, out)}",
        "utf-8",
    )
    return page


def _differences(scores: Sequence[Score]) -> str:
    """The full method against each other one, measure by measure."""
    plain = [score for score in scores if scale_of(score.method)[1] is None]
    drawn = [forest(differences(plain, measure), MEASURES[measure]) for measure in PAIRED]
    if not any(drawn):
        return ""
    return (
        "<h2>S²Edit minus each other method</h2><p>Paired over the same cases; lines are 95 % bootstrap intervals "
        f"by portrait. To the right of zero S²Edit is better; a filled dot is clear of zero.</p>{''.join(drawn)}"
    )


def _trade_off(found: Sequence[curves.Point]) -> str:
    drawn = [
        curves.trade_off(found),
        *(curves.over_scale(found, y) for y in ("reached", "psnr_inside", "psnr_outside")),
    ]
    if not any(drawn):
        return ""
    return (
        f"<h2>Trade-off</h2><p>Means over the {found[0].cases} cases that every method drawn has at every guidance "
        f"scale w; bars are 95 % bootstrap intervals.</p>{''.join(drawn)}"
    )


def as_html(tables: str) -> str:
    """Our own Markdown (paragraphs, tables, bold cells, lists without nesting) as HTML."""
    blocks = []
    for block in tables.strip().split("\n\n"):
        lines = [re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", line) for line in html.escape(block).splitlines()]
        if lines[0].startswith("|"):
            head, *rows = [
                [cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("|-")
            ]
            titles = "".join(f"<th>{cell}" for cell in head)
            body = "".join("<tr>" + "".join(f"<td>{cell}" for cell in row) for row in rows)
            blocks.append(f"<table><thead><tr>{titles}</thead><tbody class=figures>{body}</tbody></table>")
        elif len(lines) == 1 and lines[0].endswith(":"):
            blocks.append(f"<h3>{lines[0][:-1]}</h3>")
        else:
            blocks.append("<p>" + "<br>".join(re.sub(r"^- ", "• ", line) for line in lines))
    return "\n".join(blocks)
