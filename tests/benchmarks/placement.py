"""A studio at work, simulated with the daemon's own placement: who waits how long, on 4, 8 and 50 GPUs.

    python -m tests.benchmarks.placement [--hours H] [--seeds N] [--ideas]

Twenty painters, each GPU a host of its own that keeps ten identities (the worst case: nothing is shared). A painter
opens a picture, asks for a first edit (35 s), then for 3 to 10 next ones (6 s where the identity lies) one or two
at a time, looks at the results, and goes on to the next picture; every fourth painter uses another model, and to
load one takes 8 s. "Today's order" is the queue's order on the first free runner; "fair + affine" is
`s2edit_server.placement.choose`. `--ideas` adds what could be better still.

The thresholds are those of the design's study. Its bursts and pauses are not on record; those here (`THINK`, `BURST`)
are chosen so that today's order comes out about as there.
"""

from __future__ import annotations

import argparse
import heapq
import random
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count

from s2edit_server.placement import Place, QueuedJob, begun, choose, forecast, wake

PAINTERS = 20
FIRST, NEXT, LOAD = 35.0, 6.0, 8.0
"""Seconds of an edit that learns its identity, of one that finds it, and of loading a model."""
THINK = 50.0
"""Mean seconds that a painter looks at results before asking again."""
BURST = (1, 1, 2)
"""How many next edits are asked for at once, each as likely."""
KEPT = 10
"""Identities that a place keeps; the one not used for longest goes."""
THRESHOLDS = {50: (8.0, 51.0), 8: (10.6, 46.0), 4: (27.0, 63.0)}
"""By number of GPUs: seconds of a next edit from asking to its end, median and 95th percentile, at most."""

Choice = tuple[QueuedJob, Place] | None
Order = Callable[[Sequence[QueuedJob], Sequence[Place], Iterable[QueuedJob], float], Choice]


def todays(waiting: Sequence[QueuedJob], places: Sequence[Place], _running: Iterable[QueuedJob], _now: float) -> Choice:
    """The first of the queue on the first free runner."""
    free = next((place for place in places if not place.job), None)
    return (waiting[0], free) if waiting and free else None


@dataclass
class Asked:
    """A job and what became of it, seconds since the simulation's start."""

    job: QueuedJob
    first: bool
    place: str = ""
    hit: bool = False
    done: float = 0.0
    foreseen: float | None = None

    @property
    def took(self) -> float:
        """Seconds from asking to the end."""
        return self.done - self.job.since


@dataclass
class Figures:
    """Of all runs: seconds of next and first edits by painter, how many found their identity, how many ended."""

    next_s: list[float] = field(default_factory=list)
    first_s: list[float] = field(default_factory=list)
    hits: list[bool] = field(default_factory=list)
    done: int = 0

    def take(self, asked: Iterable[Asked]) -> None:
        """Add what ended of these."""
        for one in asked:
            if one.done:
                (self.first_s if one.first else self.next_s).append(one.took)
                self.done += 1
                if not one.first:
                    self.hits.append(one.hit)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all are not over."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


class Studio:
    """One run.

    Args:
        gpus: how many places; hosts of one each, or of `cards`.
        order: which job goes where.
        seconds: length of the run.
        greedy: jobs that painter 0 queues every half hour, each of a new picture, instead of painting.
        spread: each job takes its time times a factor from 1 - spread to 1 + spread.
        foresee: whether the ends of what `queue` hands in are forecast.
        cards: of one host, which share what they have learned.
        guess: whether a picture's identity is learned when it is opened, before the first edit is asked for.
    """

    def __init__(
        self,
        gpus: int,
        order: Order,
        seconds: float,
        seed: int,
        *,
        cards: int = 1,
        greedy: int = 0,
        spread: float = 0.0,
        foresee: bool = False,
        guess: bool = False,
        painters: int = PAINTERS,
    ) -> None:
        self.places = [Place(f"gpu{number:02}", f"host{number // cards}") for number in range(gpus)]
        self.order, self.seconds = order, seconds
        self.dice = random.Random(seed)
        self.spread, self.foresee, self.guess, self.cards = spread, foresee, guess, cards
        self.clock = 0.0
        self.asked: dict[str, Asked] = {}
        self.waiting: list[QueuedJob] = []
        self.running: dict[str, tuple[QueuedJob, str, float]] = {}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = count()
        self._bursts: dict[str, tuple[set[str], Callable[[], None]]] = {}
        for painter in range(painters):
            if greedy and painter == 0:
                self._at(0.0, lambda: self._hoard(greedy))
            else:
                self._at(self.dice.uniform(0, 120), partial(self._open, painter))

    def run(self) -> list[Asked]:
        """Play it; returns all that was asked for."""
        while self._events and self._events[0][0] <= self.seconds:
            self.clock, _, what = heapq.heappop(self._events)
            what()
            self._place()
        return list(self.asked.values())

    def queue(self, pictures: Iterable[tuple[int, str]]) -> None:
        """Ask, at the start, for an edit of each of these: (painter, picture)."""
        for painter, picture in pictures:
            self._ask(painter, picture, 1, True, lambda: None)
        if self.foresee:
            for name, rest in forecast(self.waiting, self.places, (), 0.0, lambda *at: took(*at)[0]).items():
                self.asked[name].foreseen = rest
        self._at(0.0, lambda: None)

    def _at(self, when: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._number), what))

    def _think(self) -> float:
        return self.dice.expovariate(1 / THINK)

    def _open(self, painter: int) -> None:
        picture = f"picture {next(self._number)}"
        left = self.dice.randint(3, 10)

        def go_on(left: int = left) -> None:
            if not left:
                self._at(self.clock + self._think(), lambda: self._open(painter))
                return
            burst = min(left, self.dice.choice(BURST))
            self._at(
                self.clock + self._think(),
                lambda: self._ask(painter, picture, burst, False, lambda: go_on(left - burst)),
            )

        if self.guess:
            self._ask(painter, picture, 1, True, lambda: None, silent=True)
            self._at(self.clock + self._think(), lambda: self._ask(painter, picture, 1, True, go_on))
        else:
            self._ask(painter, picture, 1, True, go_on)

    def _hoard(self, jobs: int) -> None:
        for _ in range(jobs):
            self._ask(0, f"picture {next(self._number)}", 1, True, lambda: None)
        self._at(self.clock + 1_800, lambda: self._hoard(jobs))

    def _ask(
        self, painter: int, picture: str, jobs: int, first: bool, then: Callable[[], None], *, silent: bool = False
    ) -> None:
        ids = {f"{'guess' if silent else 'job'} {next(self._number):06}" for _ in range(jobs)}
        for name in sorted(ids):
            job = QueuedJob(name, f"painter {painter}", self.clock, "photo" if painter % 4 else "cartoon", picture)
            self.waiting.append(job)
            self.asked[name] = Asked(job, first)
            self._bursts[name] = ids, then

    def _place(self) -> None:
        while chosen := self.order(self.waiting, self.places, [job for job, *_ in self.running.values()], self.clock):
            job, place = chosen
            self.waiting.remove(job)
            took_s, hit = took(job, place)
            took_s *= self.dice.uniform(1 - self.spread, 1 + self.spread)
            self.asked[job.id].place, self.asked[job.id].hit = place.name, hit
            self.running[job.id] = job, place.name, self.clock + took_s
            self.places[self.places.index(place)] = forget(begun(place, job, self.clock))
            self._at(self.clock + took_s, partial(self._end, job, place.name))
        rest = wake(self.waiting, self.clock)
        if rest is not None and any(not place.job for place in self.places):
            self._at(self.clock + rest + 1e-6, lambda: None)

    def _end(self, job: QueuedJob, name: str) -> None:
        del self.running[job.id]
        host = next(place.host for place in self.places if place.name == name)
        for number, place in enumerate(self.places):
            if place.host == host:
                holds = {**place.holds, job.holds: self.clock}
                self.places[number] = forget(
                    replace(place, job="" if place.name == name else place.job, holds=holds), self.cards
                )
        self.asked[job.id].done = self.clock
        ids, then = self._bursts.pop(job.id)
        ids.discard(job.id)
        if not ids:
            then()


def took(job: QueuedJob, place: Place) -> tuple[float, bool]:
    """(seconds that the job takes there, whether its identity lies there)."""
    hit = job.holds in place.holds
    return (NEXT if hit else FIRST) + (0.0 if place.model == job.model else LOAD), hit


def forget(place: Place, cards: int = 1) -> Place:
    """The place with as many identities as it keeps."""
    newest = sorted(place.holds.items(), key=lambda item: item[1])[-KEPT * cards :]
    return replace(place, holds=dict(newest))


def measure(gpus: int, order: Order, hours: float, seeds: int, **how: object) -> Figures:
    """The figures of several runs; the greedy painter's own jobs and guesses do not count."""
    figures = Figures()
    for seed in range(seeds):
        asked = Studio(gpus, order, hours * 3_600, seed, **how).run()  # type: ignore[arg-type]
        greedy = "painter 0" if how.get("greedy") else ""
        figures.take(one for one in asked if one.job.painter != greedy and one.job.id.startswith("job"))
    return figures


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Who waits how long in a studio, simulated.")
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--ideas", action="store_true", help="also what could be better still")
    options = parser.parse_args()
    rows: list[tuple[str, Order, dict[str, object]]] = [
        ("today's order", todays, {}),
        ("fair + affine", choose, {}),
        ("… hosts of 4 cards", choose, {"cards": 4}),
        ("today's, one greedy", todays, {"greedy": 32}),
        ("fair, one greedy", choose, {"greedy": 32}),
    ]
    if options.ideas:
        rows.append(("… learned when opened", choose, {"guess": True}))
    print("GPUs  order                  next p50    p95  first p50    p95  hits  jobs a run")
    for gpus, (median, tail) in THRESHOLDS.items():
        for name, order, how in rows:
            found = measure(gpus, order, options.hours, options.seeds, **how)
            verdict = ""
            if name == "fair + affine":
                good = percentile(found.next_s, 0.5) <= median and percentile(found.next_s, 0.95) <= tail
                verdict = f"  at most {median:g} and {tail:g}: {'kept' if good else 'NOT KEPT'}"
            print(
                f"{gpus:4}  {name:22} {percentile(found.next_s, 0.5):8.1f} {percentile(found.next_s, 0.95):6.1f}"
                f" {percentile(found.first_s, 0.5):10.1f} {percentile(found.first_s, 0.95):6.1f}"
                f" {statistics.mean(found.hits):5.2f} {found.done / options.seeds:8.0f}{verdict}"
            )


if __name__ == "__main__":
    main()
