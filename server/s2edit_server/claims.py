"""Takes jobs from the queue as placement says, and tells from the same lines when those that wait will end."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import jobs, timings
from .identities import Register
from .placement import Place, QueuedJob, Running, choose, forecast, wake

PLAYED = 100
"""Jobs at the queue's front that are played through; those behind end as the mean work of a place lets expect."""


@dataclass(frozen=True)
class Floor:
    """All places at one moment, what runs there, and by place what it computes on, "" until that is known."""

    places: Sequence[Place]
    running: Sequence[Running]
    devices: Mapping[str, str]


@dataclass
class Claim:
    """A job taken from the queue and its place.

    Args:
        edit: the record `EDIT`; pace: what such jobs took lately on that device, by phase.
        done: whether the attempt came to a result.
    """

    row: jobs.Row
    job: QueuedJob
    place: str
    edit: dict[str, Any]
    pace: dict[str, timings.Pace]
    done: bool = False


def claim(db: sqlite3.Connection, register: Register, floor: Floor) -> Claim | float | None:
    """Start the next job in the store; else the seconds until one may start without a place getting free, or None."""
    waiting, now = register.waiting(db), time.time()
    chosen = choose(waiting, floor.places, [run.job for run in floor.running], now)
    if chosen is None:
        return wake(waiting, now) if any(not place.job for place in floor.places) else None
    job, place = chosen
    row = jobs.start_next(db, job.id, job.holds)
    if row is None:
        return None
    try:
        edit = json.loads(row["edit"])
        pace = timings.expected(db, edit["kind"], edit["model"], edit["profile"], floor.devices[place.name])
    except (ValueError, KeyError, TypeError, sqlite3.DatabaseError):
        edit, pace = {}, {}  # the attempt fails on it, and is told of as any other
    return Claim(row, job, place.name, edit, pace)


def foresee(db: sqlite3.Connection, register: Register, floor: Floor) -> dict[str, tuple[int, float | None]]:
    """Per queued job: its place in the queue, from 1, and seconds until its end, None while too little is known."""
    queue = register.waiting(db)
    paces: dict[tuple[str, str, str, str], dict[str, timings.Pace]] = {}

    def seconds(name: str, place: Place) -> float | None:
        known = register.get(db, name)
        key = (known.kind, known.job.model, known.profile, floor.devices.get(place.name, ""))
        if key not in paces:
            paces[key] = timings.expected(db, *key)
        if "editing" not in paces[key]:
            return None
        found = known.job.holds in place.holds
        skipped = {"loading"} if place.model == known.job.model else set()
        skipped |= {"identity", "inversion"} if found else set()
        return sum(pace.seconds for phase, pace in paces[key].items() if phase not in skipped)

    front, back = queue[:PLAYED], queue[PLAYED:]
    ends = forecast(front, floor.places, floor.running, time.time(), lambda job, place: seconds(job.id, place))
    last = None if None in ends.values() else max((end for end in ends.values() if end is not None), default=0.0)
    model = front[-1].model if front else ""
    for job in back:
        own = seconds(job.id, Place("", model=model)) if last is not None and floor.places else None
        last = None if last is None or own is None else last + own / len(floor.places)
        model = job.model
        ends[job.id] = last
    return {job.id: (position, ends[job.id]) for position, job in enumerate(queue, 1)}
