"""Which parts of the long runs are done and what they measured: JSON lines, so that a break costs one part."""

from __future__ import annotations

from functools import reduce
from operator import add
from pathlib import Path

import msgspec

from tests.crash.figures import Figures


class Part(msgspec.Struct, frozen=True):
    """One finished part: `part` (from 0) of the promise's `parts`, the seconds it took, and its figures."""

    promise: int
    part: int
    parts: int
    seconds: int
    figures: Figures


class Journal:
    """The finished parts of all promises.

    Args:
        path: the file, made when absent; None keeps them in memory only.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        lines = path.read_bytes().splitlines() if path is not None and path.exists() else []
        self._parts = [msgspec.json.decode(line, type=Part) for line in lines]

    def note(self, part: Part) -> None:
        """Add a finished part."""
        self._parts.append(part)
        if self._path is not None:
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(part) + b"\n")

    def done(self, promise: int, parts: int) -> dict[int, Part]:
        """The promise's finished parts by number; those of another division don't count."""
        return {entry.part: entry for entry in self._parts if (entry.promise, entry.parts) == (promise, parts)}

    def told(self, promise: int, parts: int) -> str:
        """What all finished parts measured together, and how many of them there are unless it is all."""
        done = self.done(promise, parts).values()
        if not done:
            return "not run"
        figures = reduce(add, (entry.figures for entry in done))
        share = "" if len(done) == parts else f" ({len(done)} of {parts} parts)"
        return f"{figures}; {sum(entry.seconds for entry in done):,} s{share}"
