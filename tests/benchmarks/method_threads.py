"""What a busy program on the same processor costs an edit, by how the worker's threads wait for each other.

    python -m tests.benchmarks.method_threads [--busy N]

A short edit of the embedded checkpoint in a process like the worker's, alone and beside N busy ones, with the threads
as torch has them wait (awake), asleep, and as the worker has it: asleep, and one for each core that is free when the
edit begins. Seconds are of the wall clock: the best of a few edits, or how long was waited in vain.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 60.0
"""Seconds for a process with its few edits."""
EDITS = 2
SHORT = {"identity.steps": 15, "inversion.steps": 6}
WAYS = {"one per core, awake": (False, False), "one per core, asleep": (False, True), "one per free core": (True, True)}
"""Whether busy cores are left alone, and whether threads that wait sleep. The last one is the worker's way."""


def edit_here(*, free: bool, asleep: bool) -> float:
    """Seconds of the quickest of some edits in this process, which becomes like a worker's first."""
    from s2edit_server.worker.__main__ import NICENESS
    from s2edit_server.worker.processors import free_cores, physical_cores, sleep_while_waiting

    os.nice(NICENESS)
    if asleep:
        sleep_while_waiting()
    from s2edit.engine import EditRequest, Engine, ObjectSpec
    from s2edit.research.starter import weights_folder

    from .method import picture, settings_of

    it = picture()
    settings = settings_of("balanced", quick=False).replace_from(SHORT)
    engine = Engine(weights_folder(), device="cpu", threads=free_cores() if free else physical_cores())
    seconds = []
    for seed in range(EDITS + 1):
        begun = time.perf_counter()
        engine.edit(
            EditRequest(it.pixels, it.source, it.targets[0], (ObjectSpec(it.word, it.mask),), None, settings, seed)
        )
        seconds.append(time.perf_counter() - begun)
    return min(seconds[1:])  # the first one loads


def edit_elsewhere(way: str) -> float:
    """The same in a process of its own; infinite when it takes longer than PATIENCE."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.method_threads", "--way", way],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=True,
        )
    except subprocess.TimeoutExpired:
        return float("inf")
    return float(ended.stdout)


@contextmanager
def beside(count: int) -> Iterator[None]:
    """With so many processes that do nothing but compute."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def _told(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds < PATIENCE else f"over {PATIENCE / (EDITS + 1):.0f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--busy", type=int, default=1, help="processes that compute beside the edit (default: 1)")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        free, asleep = WAYS[options.way]
        print(edit_here(free=free, asleep=asleep))
        return
    print(f"{len(os.sched_getaffinity(0))} processor(s), load {os.getloadavg()[0]:.1f} before")
    print(f"{'seconds of a short edit':24}{'alone':>12}{f'beside {options.busy} busy':>18}")
    for way in WAYS:
        alone = edit_elsewhere(way)
        with beside(options.busy):
            shared = edit_elsewhere(way)
        cells = [_told(seconds) for seconds in (alone, shared)]
        print(f"{way:24}{cells[0]:>12}{cells[1]:>18}", flush=True)


if __name__ == "__main__":
    main()
