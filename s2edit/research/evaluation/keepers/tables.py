"""Keepers in per cent, gains, dB and sharpness, in all and by kind, size, place and mask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from s2edit.research.evaluation.methods import FULL
from s2edit.research.evaluation.tables import ENOUGH, Interval, interval

from .cases import SIZES
from .edits import KINDS
from .measure import DAMAGE, GAIN, SHARP, UNTOUCHED
from .scores import KeeperScore

_PARTS: dict[str, tuple[Callable[[KeeperScore], object], Sequence[object]]] = {
    "kind": (lambda score: score.kind, KINDS),
    "size": (lambda score: score.size, SIZES),
    "place": (lambda score: score.placing, ("alone", "framed", "standing")),
    "mask": (lambda score: score.painted or "automatic", ("hull", "strokes", "box", "automatic")),
}


@dataclass(frozen=True)
class Row:
    """The figures of one method over some cases; costs are None where no case tells."""

    cases: int
    keepers: Interval
    gain: Interval
    damage: float
    sharp: float
    enough_gain: float
    enough_damage: float
    enough_sharp: float
    untouched: float | None
    first_seconds: float | None
    seconds: float | None

    def cells(self) -> list[str]:
        """As a table shows them, in the order of `TITLES`."""
        return [
            str(self.cases),
            f"**{told(self.keepers, '.0f')}**",
            told(self.gain, ".2f"),
            f"{self.damage:.1f}",
            f"{self.sharp:.2f}",
            f"{self.enough_gain:.0f} / {self.enough_damage:.0f} / {self.enough_sharp:.0f}",
            "" if self.untouched is None else f"{self.untouched:.0f}",
            *("" if cost is None else f"{cost:.1f}" for cost in (self.first_seconds, self.seconds)),
        ]


TITLES = (
    "cases",
    "keepers %",
    "gain, mean",
    "damage dB, median",
    "sharp, median",
    "gain / damage / sharp alone %",
    "beyond untouched %",
    "first edit s",
    "next edit s",
)


def row(scores: Sequence[KeeperScore]) -> Row:
    """The figures of some scores of one method; intervals are bootstrapped by portrait, of which a case has one."""
    kept = interval([100.0 * score.keeper for score in scores], [score.case for score in scores])
    beyond = [score.beyond >= UNTOUCHED for score in scores if score.placing != "alone"]
    first = [score.first_seconds for score in scores if score.first_seconds]
    following = [score.seconds for score in scores if score.seconds]
    return Row(
        cases=len(scores),
        keepers=kept,
        gain=interval([score.gain for score in scores], [score.case for score in scores]),
        damage=float(np.median([score.damage for score in scores])),
        sharp=float(np.median([score.sharp for score in scores])),
        enough_gain=100 * float(np.mean([score.gain >= GAIN for score in scores])),
        enough_damage=100 * float(np.mean([score.damage >= DAMAGE for score in scores])),
        enough_sharp=100 * float(np.mean([SHARP[0] <= score.sharp <= SHARP[1] for score in scores])),
        untouched=100 * float(np.mean(beyond)) if beyond else None,
        first_seconds=float(np.mean(first)) if first else None,
        seconds=float(np.mean(following)) if following else None,
    )


def methods_of(scores: Sequence[KeeperScore]) -> list[str]:
    """The methods, as they first appear."""
    return list(dict.fromkeys(score.method for score in scores))


def summary(scores: Sequence[KeeperScore]) -> dict[str, Any]:
    """Rows by method, JSON-able: in all, and by each of the parts."""
    found: dict[str, Any] = {}
    for method in methods_of(scores):
        own = [score for score in scores if score.method == method]
        found[method] = {"all": row(own)}
        for part, (key, values) in _PARTS.items():
            groups = {value: [score for score in own if key(score) == value] for value in values}
            found[method][part] = {value: row(group) for value, group in groups.items() if group}
    return found


def markdown(scores: Sequence[KeeperScore], *, parts: bool = True) -> str:
    """All tables as Markdown: the methods beside each other, then with `parts` each one's, then what failed."""
    cases = len({score.case for score in scores})
    lines = [
        f"{cases} cases; intervals are 95 % bootstraps by portrait, from {ENOUGH} on. A keeper has "
        f"gain >= {GAIN}, damage >= {DAMAGE:g} dB and {SHARP[0]} <= sharp <= {SHARP[1]}; “alone” is how "
        "many pass each condition by itself. “Beyond” is the "
        "larger picture around the portrait: how often not a bit of it changed.",
        "",
    ]
    found = summary(scores)
    lines += _table("method", {method: figures["all"] for method, figures in found.items()})
    lines += _paired(scores)
    if parts:
        for method, figures in found.items():
            for part in _PARTS:
                lines += ["", f"{method}, by {part}:", "", *_table(part, figures[part])]
    if failed := [score for score in scores if score.error]:
        reasons = [f"- {score.case} {score.method}: {score.error}" for score in failed]
        lines += ["", f"{len(failed)} edits failed and count as none:", "", *reasons]
    return "\n".join(lines) + "\n"


def _paired(scores: Sequence[KeeperScore]) -> list[str]:
    """The full method minus each other one, over the cases that both have; nothing where it stands alone."""
    own = {score.case: score for score in scores if score.method == FULL}
    lines = []
    for method in methods_of(scores):
        pairs = [(own[score.case], score) for score in scores if score.method == method and score.case in own]
        if method != FULL and pairs:
            names = [score.case for _, score in pairs]
            kept = interval([100.0 * (ours.keeper - theirs.keeper) for ours, theirs in pairs], names)
            gain = interval([ours.gain - theirs.gain for ours, theirs in pairs], names)
            lines.append(f"| {method} | {len(pairs)} | {told(kept, '.0f')} | {told(gain, '.2f')} |")
    if not lines:
        return []
    head = ["| minus | cases | keepers, points | gain |", "|---|---|---|---|"]
    return ["", f"{FULL} minus each other method, paired over the same cases:", "", *head, *lines]


def _table(first: str, rows: dict[Any, Row]) -> list[str]:
    lines = [f"| {' | '.join((first, *TITLES))} |", "|---" * (len(TITLES) + 1) + "|"]
    return [*lines, *(f"| {' | '.join((str(name), *found.cells()))} |" for name, found in rows.items())]


def told(found: Interval, form: str) -> str:
    """A mean with its interval, which is left out where too few cases drew it."""
    mean, low, high = (format(value, form) for value in (found.mean, found.low, found.high))
    return f"{mean} [{low}, {high}]" if found.groups >= ENOUGH else mean
