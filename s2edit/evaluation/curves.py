"""Trade-off over the guidance scale w (the paper's Figures 7 and 9), as SVG."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .bench import Score
from .methods import METHODS, scale_of
from .tables import MEASURES, methods_of

_WIDTH, _HEIGHT, _EDGE = 560, 380, 56
_LEGEND = 110
"""Room for the methods' names beside a chart, px."""


@dataclass(frozen=True)
class Point:
    """A method's means at one w; `scale` is None for a method that was run at the profile's w alone."""

    method: str
    scale: float | None
    values: Mapping[str, float]


def points(scores: Sequence[Score], profile_scale: float | None) -> list[Point]:
    """Means over the cases that every swept method has at every w; methods that lack one of these are left out.

    Args:
        profile_scale: w of the scores whose method has no w in its name, when it is known.
    """
    cases: dict[str, set[str]] = {}
    for score in scores:
        cases.setdefault(score.method, set()).add(score.case)
    swept = {plain for plain, scale in map(scale_of, cases) if scale is not None}
    needed = [found for name, found in cases.items() if scale_of(name)[0] in swept] or list(cases.values())[:1]
    common = set.intersection(*needed) if needed else set()
    found = []
    for name in methods_of(scores):
        plain, scale = scale_of(name)
        if common and common <= cases[name]:
            mine = [score for score in scores if score.method == name and score.case in common]
            means = {measure: float(np.mean([getattr(score, measure) for score in mine])) for measure in MEASURES}
            found.append(Point(plain, profile_scale if scale is None and plain in swept else scale, means))
    return sorted(found, key=lambda point: point.scale or 0.0)


def trade_off(found: Sequence[Point], x: str = "psnr_outside", y: str = "reached") -> str:
    """What is kept against what is reached (Figure 7, with ground truth in the place of LPIPS and the CLIP score)."""
    lines = {name: [(p.values[x], p.values[y], p.scale) for p in group] for name, group in _grouped(found).items()}
    return _chart(lines, MEASURES[x], MEASURES[y], labelled=True)


def over_scale(found: Sequence[Point], y: str) -> str:
    """One measure over w (Figure 9); methods with one w are left out."""
    lines = {
        name: [(p.scale, p.values[y], None) for p in group if p.scale is not None]
        for name, group in _grouped(found).items()
    }
    return _chart({name: line for name, line in lines.items() if len(line) > 1}, "guidance scale w", MEASURES[y])


def _grouped(found: Sequence[Point]) -> dict[str, list[Point]]:
    groups: dict[str, list[Point]] = {}
    for point in found:
        groups.setdefault(point.method, []).append(point)
    return groups


def _chart(
    lines: Mapping[str, Sequence[tuple[float, float, float | None]]], x: str, y: str, *, labelled: bool = False
) -> str:
    """An SVG of lines of (x, y, w); "" when there is nothing to draw."""
    dots = [dot for line in lines.values() for dot in line]
    if not dots:
        return ""
    left, right = _range([dot[0] for dot in dots])
    low, high = _range([dot[1] for dot in dots])

    def place(dot: tuple[float, float, float | None]) -> tuple[float, float]:
        across = _EDGE + (dot[0] - left) / (right - left) * (_WIDTH - 2 * _EDGE)
        return across, _HEIGHT - _EDGE - (dot[1] - low) / (high - low) * (_HEIGHT - 2 * _EDGE)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH + _LEGEND} {_HEIGHT}" '
        f'width="{_WIDTH + _LEGEND}" font-family="sans-serif" font-size="11" role="img">',
        f'<rect x="{_EDGE}" y="{_EDGE}" width="{_WIDTH - 2 * _EDGE}" height="{_HEIGHT - 2 * _EDGE}" fill="none" '
        'stroke="#999"/>',
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 14}" text-anchor="middle">{html.escape(x)}</text>',
        f'<text x="14" y="{_HEIGHT / 2}" transform="rotate(-90 14 {_HEIGHT / 2})" text-anchor="middle">'
        f"{html.escape(y)}</text>",
    ]
    for share in (0.0, 0.5, 1.0):
        across = _EDGE + share * (_WIDTH - 2 * _EDGE)
        up = _HEIGHT - _EDGE - share * (_HEIGHT - 2 * _EDGE)
        parts.append(
            f'<text x="{across}" y="{_HEIGHT - 36}" text-anchor="middle">{left + share * (right - left):.3g}</text>'
        )
        parts.append(f'<text x="{_EDGE - 6}" y="{up + 4}" text-anchor="end">{low + share * (high - low):.3g}</text>')
    for number, (name, line) in enumerate(lines.items()):
        colour = _colour(name)
        places = [place(dot) for dot in line]
        if len(places) > 1:
            joined = " ".join(f"{across:.1f},{up:.1f}" for across, up in places)
            parts.append(f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        for dot, (across, up) in zip(line, places, strict=True):
            parts.append(f'<circle cx="{across:.1f}" cy="{up:.1f}" r="3.5" fill="{colour}"/>')
            if labelled and dot[2] is not None:
                parts.append(f'<text x="{across + 5:.1f}" y="{up + 12:.1f}" fill="{colour}">w {dot[2]:g}</text>')
        # Beside the chart, because the dots of several methods may lie on each other.
        left_of, level = _WIDTH - _EDGE + 14, _EDGE + 8 + 16 * number
        parts.append(f'<circle cx="{left_of}" cy="{level}" r="3.5" fill="{colour}"/>')
        parts.append(f'<text x="{left_of + 8}" y="{level + 4}" fill="{colour}">{html.escape(name)}</text>')
    return "\n".join([*parts, "</svg>"])


def _colour(method: str) -> str:
    """The same in every chart."""
    order = list(METHODS)
    place = order.index(method) if method in order else len(order)
    return f"hsl({place * 360 // (len(order) + 1)}, 70%, 36%)"


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Least and most, with a margin on both sides."""
    least, most = min(values), max(values)
    margin = (most - least) * 0.12 or abs(most) * 0.1 or 1.0
    return least - margin, most + margin
