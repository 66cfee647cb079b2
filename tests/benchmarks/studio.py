"""What a job costs beside its own work: on this computer, and by way of Ray; and what two workers gain.

    python -m tests.benchmarks.studio [--jobs N] [--edits N]

An empty job (a worker without a model, one step of no time, a picture of 64 pixels) is submitted and its end waited
for, on a daemon of its own and on a studio of two computers on this machine (`tests.cluster.studio`), in turn, so that
what else the machine does meets both alike; the difference is the median of those of neighbours. `--edits` also makes
real ones with the embedded model, one thread each: by the engine alone and through the daemon, in turn, and, several
waiting at once, with one worker and with two. What two processes gain that only count says what there was to be had.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from s2edit_server.worker.__main__ import NICENESS
from s2edit_wire.client import Client
from s2edit_wire.records import ENDED

from tests.cluster.studio import AT_HEAD, AT_OTHER, Studio, places, until
from tests.fakes.daemon import EDIT, ROOT, RunningDaemon, fake, picture, submit, wait_until

SIDE = 64
EMPTY = fake(steps=1, step_ms=0)
WARM_UP = 2
_listening: set[Client] = set()
COUNTED = 1_000_000
"""Rounds of a piece of work that only counts: about half a second."""
AT_ONCE = 4
"""Real edits that wait at once, for one worker and for two."""
ALONE = {"threads": 1}
"""A worker's threads wherever workers are compared: two of them then take what this machine has, and one half of it."""


def made(client: Client, edit: dict[str, Any], *seeds: int) -> float:
    """Seconds from the submission of jobs, one of each picture, to their end, of which an event tells as in editors."""
    client.pump()
    if client not in _listening:
        client.request("subscribe", {"after": 0})
        _listening.add(client)
    images = [picture(SIDE, seed) for seed in seeds]
    begun = time.perf_counter()
    waiting = {submit(client, image, edit) for image in images}
    while waiting:
        for incoming in client.pump():
            job = incoming.header.get("job", {})
            if job.get("job") in waiting and job["state"] in ENDED:
                assert job["state"] == "done"
                waiting.discard(job["job"])
        if waiting:
            client.wait(1.0)
    return time.perf_counter() - begun


def in_turn(ways: list[Callable[[int], float]], rounds: int, first: int = 0) -> list[list[float]]:
    """Seconds of each way in each round, from seed `first` on; who begins changes, and the first rounds don't count."""
    taken: list[list[float]] = [[] for _ in ways]
    for number in range(rounds + WARM_UP):
        for way in (range(len(ways)), reversed(range(len(ways))))[number % 2]:
            seconds = ways[way](first + number)
            if number >= WARM_UP:
                taken[way].append(seconds)
    return taken


def told(name: str, seconds: list[float]) -> None:
    """Print a line of the table."""
    ordered = sorted(seconds)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    load = os.getloadavg()[0]
    print(f"{name:34} {1_000 * statistics.median(ordered):8.1f} {1_000 * p95:8.1f} {load:6.1f}", flush=True)


def more(here: list[float], there: list[float]) -> tuple[float, float]:
    """Milliseconds that the second way takes more: the median over rounds, and between each way's best tenth.

    The second is what is left where others, who make both wait, happen to be elsewhere.
    """
    median = statistics.median(b - a for a, b in zip(here, there, strict=True))
    best = [sorted(seconds)[len(seconds) // 10] for seconds in (here, there)]
    return 1_000 * median, 1_000 * (best[1] - best[0])


def by_ray(jobs: int) -> None:
    """Print what an empty job takes here and there."""
    print(f"{'an empty job, ms':34} {'p50':>8} {'p95':>8} {'load':>6}", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="s2b") as name,
        RunningDaemon(Path(name) / "d") as daemon,
        Studio(Path(name)) as studio,
        daemon.client() as own,
        studio.daemon.client() as client,
    ):
        until(lambda: set(places(client)) == {AT_HEAD, AT_OTHER})
        ways = [lambda seed: made(own, EMPTY, seed), lambda seed: made(client, EMPTY, seed)]
        # They go to the first free place, the head's; with that busy, to the other's.
        here, near = in_turn(ways, jobs)
        told("this computer", here)
        told("by Ray, the head", near)
        block = submit(client, picture(SIDE, 99_999), fake(held=True))
        assert wait_until(client, block, "running")["place"] == AT_HEAD
        here, far = in_turn(ways, jobs, 10_000)
        client.request("cancel", {"job": block})
        told("this computer", here)
        told("by Ray, another", far)
        median, best = more(here, far)
        print(f"Ray adds {median:.1f} ms, {best:.1f} between the best tenths; 15 are allowed")


@contextmanager
def engine(folder: Path) -> Iterator[Callable[[int], float]]:
    """The engine in a process like a worker's: asked with a seed, it tells the seconds of that edit."""
    command = [sys.executable, "-m", "tests.benchmarks.studio", "--engine", str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    ) as process:

        def edit(seed: int) -> float:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{seed}\n")
            process.stdin.flush()
            return float(process.stdout.readline())

        yield edit


def serve_engine(folder: Path) -> None:
    """The other side of `engine`: the same request as the worker makes of the job, and the same kind of process."""
    from s2edit_server.worker.processors import sleep_while_waiting

    os.nice(NICENESS)
    sleep_while_waiting()
    from s2edit_server.worker.requests import Inputs, edit_request
    from s2edit_server.worker_link import Model, Run

    from s2edit.engine import Engine
    from s2edit.research.starter import weights_folder

    made = Engine(weights_folder(), device="cpu", threads=1, cache_dir=folder)
    run = Run("", 1, EDIT, Model(EDIT["model"], str(weights_folder())), [], "")
    for line in sys.stdin:
        begun = time.perf_counter()
        made.edit(edit_request(run, Inputs(picture(SIDE, int(line)), None, None, None, {}, {})))
        print(time.perf_counter() - begun, flush=True)


def several(client: Client, seed: int) -> float:
    """Seconds of several real edits that wait at once."""
    return made(client, EDIT, *range(AT_ONCE * seed, AT_ONCE * (seed + 1)))


def _count(rounds: int) -> None:
    hashlib.pbkdf2_hmac("sha256", b"", b"", rounds)


def counted(processes: int) -> float:
    """Seconds that so many processes, which wait for nothing and share nothing, take for as many pieces of work."""
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), os.nice, (NICENESS,)) as pool:
        list(pool.map(_count, [1] * processes))
        begun = time.perf_counter()
        list(pool.map(_count, [COUNTED] * AT_ONCE))
        return time.perf_counter() - begun


def by_daemon(edits: int) -> None:
    """Print what a real edit takes by itself and through the daemon, and several with one worker and with two."""
    print(f"\n{'real edits, ms':34} {'p50':>8} {'p95':>8} {'load':>6}", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="s2b") as name,
        RunningDaemon(Path(name) / "one", {"workers": 1, **ALONE}, worker=None) as one,
        one.client() as client,
    ):
        with engine(Path(name) / "cache") as by_itself:
            alone, through = in_turn([by_itself, lambda seed: made(client, EDIT, seed)], edits)
        told("one, the engine by itself", alone)
        told("one, through the daemon", through)
        median, best = more(alone, through)
        share = best / 10 / sorted(alone)[len(alone) // 10]
        print(f"the daemon adds {median:.0f} ms, {best:.0f} between the best tenths: {share:.1f} % of that edit")
        with (
            RunningDaemon(Path(name) / "two", {"workers": 2, **ALONE}, worker=None) as two,
            two.client() as other,
        ):
            ways = [lambda seed: several(client, 100 + seed), lambda seed: several(other, 100 + seed)]
            ways += [lambda _: counted(1), lambda _: counted(2)]
            single, double, counted_by_one, counted_by_two = in_turn(ways, max(3, edits // AT_ONCE))
        told(f"{AT_ONCE} at once, one worker", single)
        told(f"{AT_ONCE} at once, two workers", double)
        gain, most = (
            statistics.median(a / b for a, b in zip(*pair, strict=True))
            for pair in ((single, double), (counted_by_one, counted_by_two))
        )
        print(f"two workers are {gain:.2f} times as fast, two that only count {most:.2f}; 1.5 are wanted on two cores")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="What a job costs beside its own work.")
    parser.add_argument("--jobs", type=int, default=60, help="empty ones")
    parser.add_argument("--edits", type=int, default=0, help="real ones")
    parser.add_argument("--engine", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.engine is not None:
        serve_engine(options.engine)
        return
    if options.jobs:
        by_ray(options.jobs)
    if options.edits:
        by_daemon(options.edits)


if __name__ == "__main__":
    main()
