"""Means with bootstrap intervals, and paired differences to the full method over the same cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bench import Score
from .methods import FULL, METHODS, scale_of

MEASURES: dict[str, str] = {
    "psnr_inside": "PSNR inside (dB)",
    "psnr_outside": "PSNR outside (dB)",
    "ssim_inside": "SSIM inside",
    "ssim_outside": "SSIM outside",
    "reached": "target reached",
    "kept": "others kept",
}
COSTS: dict[str, str] = {
    "first_seconds": "first edit (s)",
    "seconds": "next edit (s)",
    "first_forwards": "first edit (U-Net forwards)",
    "forwards": "next edit (U-Net forwards)",
}
PAIRED = ("psnr_inside", "psnr_outside", "reached", "kept")
_DRAWS = 2_000


ENOUGH = 8
"""Portraits from which on an interval is believed: a bootstrap of fewer is too narrow, and one of one has no width."""


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 percent bootstrap interval, drawn by `groups` groups."""

    mean: float
    low: float
    high: float
    groups: int = 0

    @property
    def clear(self) -> bool:
        """Whether a difference is clear of zero, and drawn by enough groups to say so."""
        return self.groups >= ENOUGH and (self.low > 0 or self.high < 0)

    def __str__(self) -> str:
        """Such as `21.3 [20.1, 22.4]`: three digits, and no fewer than stand before the point."""
        mean, low, high = (f"{x:.0f}" if abs(x) >= 100 else f"{x:.3g}" for x in (self.mean, self.low, self.high))
        return f"{mean} [{low}, {high}]"


def interval(values: Sequence[float], groups: Sequence[object] | None = None, seed: int = 0) -> Interval:
    """Percentile bootstrap of the mean; ValueError for no values.

    Args:
        groups: of each value, when values of one group hang together: whole groups are drawn then (here a portrait's
            edits, which share its fine-tuning), so that the interval is not too narrow.
    """
    sample: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    if not sample.size:
        raise ValueError("There are no values.")
    names = list(range(sample.size)) if groups is None else list(groups)
    index = {name: place for place, name in enumerate(dict.fromkeys(names))}
    places = np.array([index[name] for name in names])
    sums, counts = np.bincount(places, sample), np.bincount(places)
    drawn = np.random.default_rng(seed).integers(0, len(index), (_DRAWS, len(index)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(sample.mean()), float(low), float(high), len(index))


def portrait(score: Score) -> str:
    """Of a score's case: what its bootstrap group is."""
    return score.case.split("_")[-2]


def by_method(scores: Sequence[Score], measure: str) -> dict[str, Interval]:
    """The measure of each method over all its cases, in order of first appearance; unknown costs are left out."""
    values: dict[str, tuple[list[float], list[str]]] = {}
    for score in scores:
        value = float(getattr(score, measure))
        if value or measure not in COSTS:
            found, groups = values.setdefault(score.method, ([], []))
            found.append(value)
            groups.append(portrait(score))
    return {method: interval(found, groups) for method, (found, groups) in values.items()}


def differences(scores: Sequence[Score], measure: str, full: str = FULL) -> dict[str, Interval]:
    """Full method minus each other one, paired over the cases that both have."""
    values = {(score.method, score.case): score for score in scores}
    cases = [case for method, case in values if method == full]
    found: dict[str, Interval] = {}
    for method in methods_of(scores):
        paired = [(values[full, case], values[method, case]) for case in cases if (method, case) in values]
        if method != full and paired:
            gaps = [getattr(ours, measure) - getattr(theirs, measure) for ours, theirs in paired]
            found[method] = interval(gaps, [portrait(ours) for ours, _ in paired])
    return found


def methods_of(scores: Iterable[Score]) -> list[str]:
    """The methods in the tables' order: that of `METHODS`, then others as they come."""
    order = list(METHODS)
    names = list(dict.fromkeys(score.method for score in scores))
    known = {name: order.index(scale_of(name)[0]) for name in names if scale_of(name)[0] in order}
    return sorted(names, key=lambda name: (known.get(name, len(order)), scale_of(name)[1] or 0.0))


def summary(scores: Sequence[Score]) -> dict[str, Any]:
    """The tables' figures, JSON-able: intervals of each measure by method, and the paired differences."""
    found: dict[str, Any] = {
        "cases": len({score.case for score in scores}),
        "portraits": len({portrait(score) for score in scores}),
        "methods": {name: {"cases": sum(score.method == name for score in scores)} for name in methods_of(scores)},
        "differences": {measure: _plain(differences(scores, measure)) for measure in PAIRED},
    }
    for measure in (*MEASURES, *COSTS):
        for name, figures in _plain(by_method(scores, measure)).items():
            found["methods"][name][measure] = figures
    return found


def _plain(intervals: dict[str, Interval]) -> dict[str, Any]:
    return {name: asdict(found) for name, found in intervals.items()}


def markdown(scores: Sequence[Score]) -> str:
    """All tables as Markdown: measures, paired differences, masks and kinds of edit apart, costs, what failed."""
    cases, portraits = {score.case for score in scores}, {portrait(score) for score in scores}
    lines = [
        f"{len(cases)} cases on {len(portraits)} portraits; mean [95 % bootstrap interval, by portrait]. "
        "Methods that ran on fewer cases are to be compared by the paired differences.",
        "",
    ]
    lines += _measured(scores, MEASURES)
    paired = {measure: differences(scores, measure) for measure in PAIRED}
    if paired["reached"]:
        lines += [
            "",
            f"Full method minus the other one, paired over the same cases (bold: clear of zero, on {ENOUGH} portraits "
            "or more):",
            "",
        ]
        marked = {
            MEASURES[measure]: {name: _marked(gap) for name, gap in gaps.items()} for measure, gaps in paired.items()
        }
        lines += _rows(marked, list(paired["reached"]))
    for title, part in _parts(scores).items():
        lines += ["", f"{title}:", "", *_measured(part, {name: MEASURES[name] for name in PAIRED})]
    if any(score.seconds for score in scores):
        lines += [
            "",
            "Costs (a backward pass counts as two forward passes; the first edit includes what later ones reuse):",
        ]
        lines += ["", *_measured(scores, COSTS)]
    failed = [score for score in scores if score.error]
    if failed:
        reasons = dict.fromkeys(f"{score.method}: {score.error}" for score in failed)
        lines += ["", f"{len(failed)} answers failed and count as no edit:", "", *(f"- {reason}" for reason in reasons)]
    return "\n".join(lines) + "\n"


def _parts(scores: Sequence[Score]) -> dict[str, list[Score]]:
    """By mask, then by kind of edit; those of one part only are left out."""
    plain = [score for score in scores if scale_of(score.method)[1] is None]
    found = {
        "With a painted mask": [score for score in plain if score.painted],
        "With the automatic mask": [score for score in plain if not score.painted],
    }
    for kind in dict.fromkeys(score.kind for score in plain):
        found[f"Edits of the kind “{kind}”"] = [score for score in plain if score.kind == kind]
    return {title: part for title, part in found.items() if 0 < len(part) < len(plain)}


def _measured(scores: Sequence[Score], measures: dict[str, str]) -> list[str]:
    return _rows({title: by_method(scores, measure) for measure, title in measures.items()}, methods_of(scores), scores)


def _marked(gap: Interval) -> str:
    return f"**{gap}**" if gap.clear else str(gap)


def _rows(
    columns: Mapping[str, Mapping[str, object]], methods: Sequence[str], scores: Sequence[Score] = ()
) -> list[str]:
    counted = {method: sum(score.method == method for score in scores) for method in methods}
    titles = [*(["cases"] if scores else []), *columns]
    lines = ["| method | " + " | ".join(titles) + " |", "|---" * (len(titles) + 1) + "|"]
    for method in methods:
        cells = [str(found.get(method, "")) for found in columns.values()]
        lines.append(f"| {method} | " + " | ".join([*([str(counted[method])] if scores else []), *cells]) + " |")
    return lines
