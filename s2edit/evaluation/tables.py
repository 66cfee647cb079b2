"""Means with bootstrap intervals, and paired differences to the full method over the same cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .bench import Score

MEASURES: dict[str, str] = {
    "psnr_inside": "PSNR inside (dB)",
    "psnr_outside": "PSNR outside (dB)",
    "ssim_inside": "SSIM inside",
    "ssim_outside": "SSIM outside",
    "reached": "target reached",
    "kept": "others kept",
    "seconds": "seconds",
    "forwards": "U-Net forwards",
}
_DRAWS = 2_000


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 percent bootstrap interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        """Such as `21.3 [20.1, 22.4]`."""
        return f"{self.mean:.3g} [{self.low:.3g}, {self.high:.3g}]"


def interval(values: Sequence[float], seed: int = 0) -> Interval:
    """Percentile bootstrap of the mean; ValueError for no values."""
    sample: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    if not sample.size:
        raise ValueError("There are no values.")
    rng = np.random.default_rng(seed)
    means = sample[rng.integers(0, sample.size, (_DRAWS, sample.size))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(sample.mean()), float(low), float(high))


def by_method(scores: Sequence[Score], measure: str) -> dict[str, Interval]:
    """The measure of each method over all its cases, in order of first appearance."""
    values: dict[str, list[float]] = {}
    for score in scores:
        values.setdefault(score.method, []).append(float(getattr(score, measure)))
    return {method: interval(found) for method, found in values.items()}


def differences(scores: Sequence[Score], measure: str, full: str = "s2edit") -> dict[str, Interval]:
    """Full method minus each other one, paired over the cases that both have."""
    values = {(score.method, score.case): float(getattr(score, measure)) for score in scores}
    cases = [case for method, case in values if method == full]
    found: dict[str, Interval] = {}
    for method in dict.fromkeys(score.method for score in scores):
        paired = [values[full, case] - values[method, case] for case in cases if (method, case) in values]
        if method != full and paired:
            found[method] = interval(paired)
    return found


def markdown(scores: Sequence[Score]) -> str:
    """All measures of all methods, then the paired differences, as Markdown tables."""
    methods = list(dict.fromkeys(score.method for score in scores))
    cases = len({score.case for score in scores})
    lines = [f"{cases} cases; mean [95 % bootstrap interval]", "", "| method | " + " | ".join(MEASURES.values()) + " |"]
    lines.append("|---" * (len(MEASURES) + 1) + "|")
    columns = {measure: by_method(scores, measure) for measure in MEASURES}
    lines += [f"| {m} | " + " | ".join(str(columns[measure][m]) for measure in MEASURES) + " |" for m in methods]
    shown = ("psnr_inside", "psnr_outside", "reached", "kept")
    paired = {measure: differences(scores, measure) for measure in shown}
    if paired["reached"]:
        lines += ["", "Full method minus the other one, paired over the same cases:", ""]
        lines += ["| method | " + " | ".join(MEASURES[measure] for measure in shown) + " |", "|---" * 5 + "|"]
        lines += [
            f"| {method} | " + " | ".join(str(paired[measure][method]) for measure in shown) + " |"
            for method in paired["reached"]
        ]
    return "\n".join(lines) + "\n"
