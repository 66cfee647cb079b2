"""One awkward thing that is thrown at the product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """One thing that is thrown.

    Args:
        group: what kind of awkwardness. name: which one.
        throw: given an empty folder, throws it and says in one sentence what came of it.
        expected: a pattern for that sentence.
    """

    group: str
    name: str
    throw: Callable[[Path], str]
    expected: str
