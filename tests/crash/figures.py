"""What a check measured, such that the parts of a long run add up to the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figures:
    """Figures of one run of a check, or of several.

    Args:
        counted: how often things were done or seen, by what they are; added up over parts.
        worst: the largest value of each measure, by its unit and what it is; the largest over all parts.
        told: what held in every part.
    """

    counted: Mapping[str, int]
    worst: Mapping[str, float] = field(default_factory=dict)
    told: str = ""

    def __add__(self, other: Figures) -> Figures:
        """Both together."""
        counted = {name: self.counted.get(name, 0) + other.counted.get(name, 0) for name in _names(self, other)}
        names = dict.fromkeys([*self.worst, *other.worst])
        worst = {name: max(part.worst[name] for part in (self, other) if name in part.worst) for name in names}
        return Figures(counted, worst, other.told)

    def __str__(self) -> str:
        """As the table shows them."""
        counted = ", ".join(f"{number:,} {name}" for name, number in self.counted.items())
        worst = ", ".join(f"{value:.3g} {name}" for name, value in self.worst.items())
        return "; ".join(text for text in (counted, worst, self.told) if text)


def _names(*parts: Figures) -> Iterable[str]:
    return dict.fromkeys(name for part in parts for name in part.counted)
