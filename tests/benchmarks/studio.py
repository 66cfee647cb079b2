"""What a job costs beside its own work: on this computer, and by way of Ray; and what two workers gain.

    python -m tests.benchmarks.studio [--jobs N] [--real]

An empty job (a worker without a model, one step of no time, a picture of 64 pixels) is submitted and its end waited
for, on a daemon of its own and on a studio of two computers on loopback (`tests.cluster.studio`). `--real` also edits
with the embedded model: six pictures with one worker, then with two.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from s2edit_wire.client import Client

from tests.cluster.studio import HEAD, OTHER, Studio
from tests.fakes.daemon import EDIT, RunningDaemon, fake, finished, picture, submit

SIDE = 64
EMPTY = fake(steps=1, step_ms=0)
REAL = {**EDIT, "settings": {"identity.steps": 8, "inversion.steps": 8}}
PICTURES = 6


def empty(client: Client, jobs: int, first: int = 0) -> list[float]:
    """Seconds of each empty job from its submission to its end; another picture each time, from seed `first` on."""
    seconds = []
    for seed in range(first, first + jobs + 3):
        image = picture(SIDE, seed)
        begun = time.perf_counter()
        finished(client, submit(client, image, EMPTY), every=0.001)
        seconds.append(time.perf_counter() - begun)
    return seconds[3:]  # the first ones start workers


def at_once(workers: int) -> float:
    """Seconds that all real edits take, submitted at once, once each worker has its model."""
    with tempfile.TemporaryDirectory(prefix="s2b") as name:
        daemon = RunningDaemon(Path(name) / "s", {"workers": workers}, worker=None)
        with daemon, daemon.client() as client:
            for job in [submit(client, picture(SIDE, 100 + number), REAL) for number in range(workers)]:
                finished(client, job, 300)
            begun = time.perf_counter()
            for job in [submit(client, picture(SIDE, number), REAL) for number in range(PICTURES)]:
                assert finished(client, job, 600)["state"] == "done"
            return time.perf_counter() - begun


def told(name: str, seconds: list[float]) -> str:
    """A line of the table."""
    ordered = sorted(seconds)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    return f"{name:28} {1_000 * statistics.median(ordered):8.1f} {1_000 * p95:8.1f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What a job costs beside its own work.")
    parser.add_argument("--jobs", type=int, default=60)
    parser.add_argument("--real", action="store_true", help="also what a second worker gains")
    options = parser.parse_args()
    print(f"{'an empty job, ms':28} {'p50':>8} {'p95':>8}", flush=True)
    with tempfile.TemporaryDirectory(prefix="s2b") as name:
        daemon = RunningDaemon(Path(name) / "s")
        with daemon, daemon.client() as client:
            here = empty(client, options.jobs)
    print(told("this computer", here), flush=True)
    with tempfile.TemporaryDirectory(prefix="s2b") as name, Studio(Path(name)) as studio:
        with studio.daemon.client() as client:
            # One after the other they go to the first free place: the head's; with that busy, to the other's.
            near = empty(client, options.jobs)
            block = submit(client, picture(SIDE, 99_999), fake(steps=100_000, step_ms=50))
            far = empty(client, options.jobs, 10_000)  # none that the head has learned: they would wait for it
            client.request("cancel", {"job": block})
    print(told(f"by Ray, the head {HEAD}", near))
    print(told(f"by Ray, another {OTHER}", far))
    print(f"Ray adds {1_000 * (statistics.median(far) - statistics.median(here)):.1f} ms; the design allows 15")
    if options.real:
        one, two = at_once(1), at_once(2)
        print(
            f"{PICTURES} real edits: {one:.1f} s with one worker, {two:.1f} s with two: {one / two:.2f} times as fast"
        )


if __name__ == "__main__":
    main()
