"""The trade-off over the guidance scale w (the paper's Figures 7 and 9), with ground truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .bench import Score
from .charts import Dot, plot
from .methods import METHODS, scale_of
from .tables import MEASURES, Interval, interval, methods_of, portrait


@dataclass(frozen=True)
class Point:
    """A method's means at one w over `cases` cases; `scale` is None for one that was run at the profile's w alone."""

    method: str
    scale: float | None
    values: Mapping[str, Interval]
    cases: int


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
            groups = [portrait(score) for score in mine]
            means = {each: interval([getattr(score, each) for score in mine], groups) for each in MEASURES}
            at = profile_scale if scale is None and plain in swept else scale
            found.append(Point(plain, at, means, len(common)))
    return sorted(found, key=lambda point: point.scale or 0.0)


def trade_off(found: Sequence[Point], x: str = "psnr_outside", y: str = "reached") -> str:
    """What is kept against what is reached (Figure 7, with ground truth in the place of LPIPS and the CLIP score).

    Means alone, so that it can be read; w stands at the ends of each line.
    """
    lines = {}
    for name, group in _grouped(found).items():
        ends = {group[0].scale, group[-1].scale} - {None}
        lines[name] = [
            Dot(_exactly(p.values[x].mean), _exactly(p.values[y].mean), f"w {p.scale:g}" if p.scale in ends else "")
            for p in group
        ]
    return plot(lines, MEASURES[x], MEASURES[y])


def over_scale(found: Sequence[Point], y: str) -> str:
    """One measure over w (Figure 9); methods with one w are left out."""
    lines = {
        name: [Dot(_exactly(p.scale), p.values[y]) for p in group if p.scale is not None]
        for name, group in _grouped(found).items()
    }
    return plot({name: line for name, line in lines.items() if len(line) > 1}, "guidance scale w", MEASURES[y])


def _exactly(value: float) -> Interval:
    return Interval(value, value, value)


def _grouped(found: Sequence[Point]) -> dict[str, list[Point]]:
    """By method, in the tables' order."""
    groups: dict[str, list[Point]] = {}
    for point in found:
        groups.setdefault(point.method, []).append(point)
    order = [*METHODS, *groups]
    return dict(sorted(groups.items(), key=lambda group: order.index(group[0])))
