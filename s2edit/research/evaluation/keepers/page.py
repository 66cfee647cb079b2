"""The run as a page that needs nothing but its folder: tables, then every case in pictures."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

from s2edit.research.evaluation.page import STYLE, as_html

from . import pictures, tables
from .scores import KeeperScore

_SHOWN = 240
"""Height of a picture on the page, px."""


def write(scores: Sequence[KeeperScore], out: Path, *, curves: str = "") -> Path:
    """Write `report.md`, `summary.json` and `index.html` below `out`; returns the page's path.

    Args:
        curves: of a search for settings, as SVG; its many methods have no tables by part.
    """
    told = tables.markdown(scores, parts=not curves)
    (out / "report.md").write_text(told, "utf-8")
    (out / "summary.json").write_text(json.dumps(_plain(tables.summary(scores)), indent=1), "utf-8")
    methods = tables.methods_of(scores)
    answers = {(score.case, score.method): score for score in scores}
    rows = [
        _row([answers[case, method] for method in methods if (case, method) in answers], out)
        for case in sorted({score.case for score in scores})
    ]
    page = out / "index.html"
    page.write_text(
        f"<!doctype html><html lang=en><meta charset=utf-8><title>S²Edit: keepers</title><style>{STYLE}</style>"
        f"<h1>S²Edit: how many edits would be kept</h1>{curves}{as_html(told)}<h2>Pictures</h2>"
        f"<p>A click on a picture opens it at its own size.<table class=pictures>{''.join(rows)}</table>",
        "utf-8",
    )
    return page


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    """Rows as dictionaries, at whatever depth."""
    return {str(name): _plain(value) if isinstance(value, dict) else asdict(value) for name, value in found.items()}


def _row(scores: Sequence[KeeperScore], out: Path) -> str:
    shown = pictures.columns(scores[0], [score.method for score in scores], out)
    told = {score.method: pictures.figures(score) for score in scores}
    cells = [
        f'<td><a href="{_link(path, out)}"><img src="{_link(path, out)}" height={_SHOWN} loading=lazy '
        f'alt="{html.escape(title, quote=True)}"></a>{html.escape(told.get(title, title))}'
        for title, path in shown.items()
    ]
    title = html.escape(pictures.title_of(scores[0]))
    return f"<tr><td colspan={len(cells)}>{title}<tr>{''.join(cells)}"


def _link(path: Path, out: Path) -> str:
    return quote(path.relative_to(out).as_posix())
