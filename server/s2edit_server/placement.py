"""Which waiting job runs where: fair between painters, near what a place has learned; and when each will end.

All of it is pure: the scheduler, its forecasts and the simulation (`python -m tests.benchmarks.placement`) run the
same lines. To learn an identity costs a first edit about six times what the next one costs, so that a job that goes
where its identity lies saves more than a faster card would.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

PATIENCE = 60.0
"""Seconds that a job waits for the busy place where its identity lies, and that such a place's being free is worth."""
LOADED = 20.0
"""Seconds that a free place's having the job's model in memory is worth: where cards are few, to change it for every
other painter costs them all (four cards: 2 s of 27 at the median, `python -m tests.benchmarks.placement`)."""
RECENT = 600.0
"""Seconds after which an identity is not expected to be asked for soon."""


@dataclass(frozen=True)
class QueuedJob:
    """A job, as far as its place depends on it.

    Args:
        painter: whose it is; "" for the one user of this computer.
        since: when it was queued, in seconds of the clock that `now` is of.
        model: the model's id.
        holds: digest of all that its identity depends on (`identities.digest`), "" when it needs none.
    """

    id: str
    painter: str = ""
    since: float = 0.0
    model: str = ""
    holds: str = ""


@dataclass(frozen=True)
class Place:
    """Where one job at a time can run.

    Args:
        name: `cuda:0`, `cpu`, `atelier/cuda:1` …; host: places of one host share their caches.
        job: what runs there, "" when it is free.
        model: what is in memory, "" for none.
        holds: identities that lie there or are being learned there, each with the time of its last use.
        lacks: models whose weights are not there.
    """

    name: str
    host: str = ""
    job: str = ""
    model: str = ""
    holds: Mapping[str, float] = field(default_factory=dict)
    lacks: frozenset[str] = frozenset()


def worth_telling(places: Sequence[Place]) -> bool:
    """Whether people are told where jobs run: not where there is but this computer's one worker."""
    return len(places) > 1 or any(place.host for place in places)


def choose(
    waiting: Sequence[QueuedJob], places: Sequence[Place], running: Iterable[QueuedJob], now: float
) -> tuple[QueuedJob, Place] | None:
    """The job to start now, and where; None while nothing can be.

    The painter with the fewest running jobs comes first; among equals the longest wait, and a job whose identity lies
    on a free place counts as waiting `PATIENCE` longer, one whose model is loaded on one `LOADED`. A job whose identity
    lies on busy places only waits for one of them, up to `PATIENCE` since it was queued; none goes where its model is
    not. Nobody's own jobs overtake each other otherwise: people may have moved them.

    Args:
        waiting: in the queue's order.
    """
    free = [place for place in places if not place.job]
    if not free:
        return None
    serving = Counter(job.painter for job in running)
    best: tuple[tuple[int, float], QueuedJob, list[Place]] | None = None
    seen: set[str] = set()
    painters = {job.painter for job in waiting}
    for job in waiting:
        if job.painter in seen:
            continue
        able = [place for place in free if job.model not in place.lacks]
        near = [place for place in able if job.holds and job.holds in place.holds]
        if not able or (not near and _waits_for_a_place(job, places, now)):
            continue
        seen.add(job.painter)
        suitable = near or able
        loaded = any(place.model == job.model for place in suitable)
        worth = (PATIENCE if near else 0.0) + (LOADED if loaded else 0.0)
        rank = serving[job.painter], -(now - job.since + worth)
        if best is None or rank < best[0]:
            best = rank, job, suitable
        if len(seen) == len(painters):
            break
    if best is None:
        return None
    _, job, suitable = best
    return job, min(suitable, key=lambda place: _cost(job, place, now))


def _waits_for_a_place(job: QueuedJob, places: Sequence[Place], now: float) -> bool:
    """Whether a job with no free place that holds its identity rather waits for a busy one."""
    homes = [place for place in places if job.holds in place.holds and job.model not in place.lacks]
    return bool(job.holds and homes) and now - job.since < PATIENCE


def _cost(job: QueuedJob, place: Place, now: float) -> tuple[int, int, float]:
    """Best where the model is loaded, else where none is; then where the fewest identities may be wanted soon."""
    loaded = 0 if place.model == job.model else 1 if not place.model else 2
    recent = [used for used in place.holds.values() if now - used < RECENT]
    return loaded, len(recent), max(recent, default=0.0)


def wake(waiting: Iterable[QueuedJob], now: float) -> float | None:
    """Seconds until a job has waited long enough for its busy place; None when none will."""
    return min((rest for job in waiting if job.holds and (rest := job.since + PATIENCE - now) > 0), default=None)


def begun(place: Place, job: QueuedJob, now: float) -> Place:
    """The place once the job runs there: what it learns is worth waiting for already."""
    holds = {**place.holds, job.holds: now} if job.holds else place.holds
    return replace(place, job=job.id, model=job.model or place.model, holds=holds)


def ended(places: Sequence[Place], name: str, job: QueuedJob, now: float) -> list[Place]:
    """All places once the job that ran at `name` is done: what it learned now lies on all of that host."""
    host = next(place.host for place in places if place.name == name)
    learned = {job.holds: now} if job.holds else {}
    return [
        replace(place, job="" if place.name == name else place.job, holds={**place.holds, **learned})
        if place.host == host
        else place
        for place in places
    ]


@dataclass(frozen=True)
class Running:
    """A job that runs: where, and seconds until its end, None while too little is known."""

    job: QueuedJob
    place: str
    rest: float | None


def forecast(
    waiting: Sequence[QueuedJob],
    places: Sequence[Place],
    running: Sequence[Running],
    now: float,
    seconds: Callable[[QueuedJob, Place], float | None],
) -> dict[str, float | None]:
    """Seconds until each waiting job ends, played through with `choose`; None where too little is known.

    Args:
        seconds: what a job takes at a place as it is then, None if unknown: that place gets nothing more.
    """
    left, floor, clock = list(waiting), list(places), now
    under_way = {run.job.id: run.job for run in running}
    ends = [(now + run.rest, run.job.id, run.place) for run in running if run.rest is not None]
    heapq.heapify(ends)
    result: dict[str, float | None] = dict.fromkeys((job.id for job in waiting), None)
    while left:
        while (chosen := choose(left, floor, under_way.values(), clock)) is not None:
            job, place = chosen
            left.remove(job)
            under_way[job.id] = job
            took = seconds(job, place)
            floor[floor.index(place)] = begun(place, job, clock)
            if took is not None:
                result[job.id] = clock + took - now
                heapq.heappush(ends, (clock + took, job.id, place.name))
        rest = wake(left, clock) if any(not place.job for place in floor) else None
        if ends and (rest is None or ends[0][0] <= clock + rest):
            clock, done, name = heapq.heappop(ends)
            floor = ended(floor, name, under_way.pop(done), clock)
        elif rest is not None:
            clock += rest
        else:
            break
    return result
