"""Charts as SVG text, which a page carries in itself: lines with error bars, and intervals of differences."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .methods import METHODS
from .tables import Interval

_WIDTH, _HEIGHT, _EDGE = 460, 340, 52
_LEGEND = 140
"""Room for the methods' names beside a chart, px."""
_ROW, _NAMES = 20, 110
# Okabe and Ito 2008: told apart with any colour vision. Methods past the eighth get the same colours and squares.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#b8860b", "#444444", "#8b5cf6")
_FAINT = "#ddd"


@dataclass(frozen=True)
class Dot:
    """A method's place on a chart, with the intervals in which its means lie, and a word beside it."""

    x: Interval
    y: Interval
    word: str = ""


@dataclass(frozen=True)
class _Axis:
    """A range of values laid over a range of pixels."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values inside the range, three to eight of them."""
        rough = (self.high - self.low) / 4
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= 0.8 * rough)
        first = math.ceil(self.low / step)
        return [number * step for number in range(first, math.floor(self.high / step) + 1)]


def plot(lines: Mapping[str, Sequence[Dot]], x: str, y: str) -> str:
    """Dots with error bars, those of one method joined; "" when there is nothing to draw.

    Args:
        lines: dots by method, in the order in which they are joined. x, y: titles of the axes.
    """
    dots = [dot for line in lines.values() for dot in line]
    if not dots:
        return ""
    across = _Axis(*_range([dot.x for dot in dots]), _EDGE, _WIDTH - 12)
    up = _Axis(*_range([dot.y for dot in dots]), _HEIGHT - _EDGE, 12)
    parts = [_open(_WIDTH + _LEGEND, _HEIGHT)]
    for tick in across.ticks():
        place = across.at(tick)
        parts += [_line(place, up.start, place, up.end, _FAINT), _text(place, up.start + 16, f"{tick:.6g}", "middle")]
    for tick in up.ticks():
        place = up.at(tick)
        parts += [
            _line(across.start, place, across.end, place, _FAINT),
            _text(across.start - 6, place + 4, f"{tick:.6g}", "end"),
        ]
    parts.append(_text((across.start + across.end) / 2, _HEIGHT - 12, x, "middle"))
    middle = (up.start + up.end) / 2
    parts.append(f'<g transform="rotate(-90 14 {middle})">{_text(14, middle, y, "middle")}</g>')
    for number, (name, line) in enumerate(lines.items()):
        parts += _drawn(name, line, across, up)
        # Beside the chart, because the dots of several methods may lie on each other.
        level = 20 + 17 * number
        parts += [_marker(name, _WIDTH + 20, level), _text(_WIDTH + 28, level + 4, name)]
    return "\n".join([*parts, "</svg>"])


def _drawn(name: str, line: Sequence[Dot], across: _Axis, up: _Axis) -> list[str]:
    """A method's error bars, the line through its dots, the dots and their words."""
    colour, parts = _colour(name), []
    for dot in line:
        x, y = across.at(dot.x.mean), up.at(dot.y.mean)
        parts.append(_line(across.at(dot.x.low), y, across.at(dot.x.high), y, colour, "0.35"))
        parts.append(_line(x, up.at(dot.y.low), x, up.at(dot.y.high), colour, "0.35"))
    if len(line) > 1:
        joined = " ".join(f"{across.at(dot.x.mean):.1f},{up.at(dot.y.mean):.1f}" for dot in line)
        parts.append(f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
    for dot in line:
        x, y = across.at(dot.x.mean), up.at(dot.y.mean)
        parts.append(_marker(name, x, y))
        if dot.word:
            parts.append(_text(x + 6, y + 13, dot.word, colour=colour))
    return parts


def forest(rows: Mapping[str, Interval], title: str) -> str:
    """Intervals one above the other with a line at zero; those clear of it are filled. "" when there are none."""
    if not rows:
        return ""
    zero = Interval(0, 0, 0)
    axis = _Axis(*_range([*rows.values(), zero]), _NAMES, _WIDTH - 12)
    bottom = 28 + _ROW * len(rows)
    parts = [_open(_WIDTH, bottom + 24), _text(_NAMES, 14, title)]
    for tick in axis.ticks():
        place = axis.at(tick)
        parts += [_line(place, 24, place, bottom, _FAINT), _text(place, bottom + 16, f"{tick:.6g}", "middle")]
    parts.append(_line(axis.at(0), 24, axis.at(0), bottom, "#000"))
    for number, (name, found) in enumerate(rows.items()):
        level, colour = 34 + _ROW * number, _colour(name)
        parts += [
            _text(_NAMES - 8, level + 4, name, "end"),
            _line(axis.at(found.low), level, axis.at(found.high), level, colour),
            f'<circle cx="{axis.at(found.mean):.1f}" cy="{level}" r="4" stroke="{colour}" stroke-width="1.5" '
            f'fill="{colour if found.clear else "#fff"}"/>',
        ]
    return "\n".join([*parts, "</svg>"])


def _open(width: float, height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img" '
        'font-family="sans-serif" font-size="11">'
    )


def _text(x: float, y: float, words: str, anchor: str = "start", colour: str = "#222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{html.escape(words)}</text>'


def _line(x: float, y: float, to_x: float, to_y: float, colour: str, opacity: str = "1") -> str:
    return (
        f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}" stroke-width="1.3" '
        f'opacity="{opacity}"/>'
    )


def _place(method: str) -> int:
    """Of a method among all, the same in every chart; other systems come after them."""
    return list(METHODS).index(method) if method in METHODS else len(METHODS)


def _colour(method: str) -> str:
    return _COLOURS[_place(method) % len(_COLOURS)]


def _marker(method: str, x: float, y: float) -> str:
    colour = _colour(method)
    if _place(method) < len(_COLOURS):
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
    return f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7" fill="{colour}"/>'


def _range(values: Sequence[Interval]) -> tuple[float, float]:
    """Least and most of the intervals, with a margin on both sides."""
    least, most = min(found.low for found in values), max(found.high for found in values)
    margin = (most - least) * 0.06 or abs(most) * 0.1 or 1.0
    return least - margin, most + margin
