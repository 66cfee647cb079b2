"""How long jobs take on this machine: measured per phase, kept in the store, and turned into an expected time."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .store import writing

PHASES = ("loading", "identity", "inversion", "editing", "compositing")
REMEMBERED = 5
"""Jobs that an expectation is the mean of: few, since caches, drivers and settings change."""


@dataclass(frozen=True)
class Pace:
    """What a phase took: mean seconds of the last jobs, and seconds per step."""

    seconds: float
    per_step: float


def record(db: sqlite3.Connection, edit: dict[str, Any], device: str, phases: dict[str, tuple[int, float]]) -> None:
    """Remember what the phases of a finished job took: {phase: (steps, seconds)}."""
    with writing(db):
        db.executemany(
            "INSERT INTO timings (kind, model, profile, device, phase, steps, seconds, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (edit["kind"], edit["model"], edit["profile"], device, phase, steps, seconds, time.time())
                for phase, (steps, seconds) in phases.items()
            ],
        )
        db.execute("DELETE FROM timings WHERE rowid <= (SELECT max(rowid) FROM timings) - 2000")


def expected(db: sqlite3.Connection, kind: str, model: str, profile: str, device: str = "") -> dict[str, Pace]:
    """What each phase of such a job took lately when nothing was cached; absent if never measured.

    Args:
        device: counts first, as the worker names it; where nothing was measured on it, or for "", all devices do.
    """
    result = {}
    for phase in PHASES:
        found = "SELECT steps, seconds FROM timings WHERE kind = ? AND model = ? AND profile = ? AND phase = ?"
        latest = " ORDER BY rowid DESC LIMIT ?"  # not by `at`: a clock that was set back would hide the newest
        here = db.execute(f"{found} AND device = ?{latest}", (kind, model, profile, phase, device, REMEMBERED))
        rows = here.fetchall() or db.execute(found + latest, (kind, model, profile, phase, REMEMBERED)).fetchall()
        if rows:
            seconds = sum(row["seconds"] for row in rows)
            result[phase] = Pace(seconds / len(rows), seconds / max(1, sum(row["steps"] for row in rows)))
    return result


def without_loading(paces: dict[str, Pace]) -> dict[str, Pace]:
    """What is to be expected when the worker holds the model already."""
    return {phase: pace for phase, pace in paces.items() if phase != "loading"}


@dataclass
class Stopwatch:
    """Times one attempt, phase by phase, as its progress comes in.

    Args:
        pace: what such jobs took before (`expected`).
        loaded: whether the worker holds the model already.
        place: where it runs.
    """

    pace: dict[str, Pace]
    loaded: bool = False
    place: str = ""
    phase: str = "waiting"
    step: int = 0
    total: int = 0
    measured: dict[str, tuple[int, float]] = field(default_factory=dict)
    _since: float = field(default_factory=time.monotonic)
    _first: tuple[int, float] = (0, 0.0)
    _last: float = 0.0

    def __post_init__(self) -> None:
        if self.loaded:
            self.pace = without_loading(self.pace)

    def progress(self, phase: str, step: int, total: int) -> bool:
        """Take a report; True when a new phase began."""
        now = time.monotonic()
        new = phase != self.phase
        if new:
            self.close()
            self.phase, self._since, self._first = phase, now, (step, now)
        if new or step != self.step:
            self._last = now
        self.step, self.total = step, total
        return new

    def close(self) -> None:
        """Note what the phase so far took."""
        if self.phase != "waiting":
            self.measured[self.phase] = (self.step, time.monotonic() - self._since)

    def worked(self, cached: Mapping[str, object]) -> dict[str, tuple[int, float]]:
        """The measured phases that did their work: finding a thing in a cache says nothing about making it.

        Args:
            cached: the result record's entry `cached`: {phase: whether its outcome was found}.
        """
        idle = {phase for phase, found in cached.items() if found} | ({"loading"} if self.loaded else set())
        return {phase: took for phase, took in self.measured.items() if phase not in idle}

    def eta(self) -> float | None:
        """Seconds until the end, or None while too little is known."""
        if self.phase == "waiting" and not self.pace:
            return None
        rest = 0.0
        here = PHASES.index(self.phase) if self.phase in PHASES else -1
        if here >= 0:
            remaining = self._rest_of_phase()
            if remaining is None:
                return None
            rest = remaining
        later = [phase for phase in PHASES[here + 1 :] if phase in self.pace]
        if not later and here < PHASES.index("editing"):
            return None
        return rest + sum(self.pace[phase].seconds for phase in later)

    def _rest_of_phase(self) -> float | None:
        """Seconds until the phase's end. Once it is late, as much again is expected: nothing better is known then.

        A phase of one step, such as fitting a large picture together, tells nothing until it is over.
        """
        now, steps = time.monotonic(), self.step - self._first[0]
        known = self.pace.get(self.phase)
        if self.total and steps > 0:
            rest = (self.total - self.step) * (self._last - self._first[1]) / steps
        elif known is None:
            # Of a kind that was measured, a phase that was not took next to nothing, such as loading what is loaded.
            rest = 0.0
            if "editing" not in self.pace:
                return None
        else:
            rest = (self.total - self.step) * known.per_step if self.total else known.seconds
        return abs(rest - (now - self._last))
