"""One way to break the method."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """`old` becomes `new` in a file of the method; `test` should then fail."""

    name: str
    file: str
    old: str
    new: str
    test: str
