"""How many compute threads a worker takes, one per physical core that nobody else uses, and how they wait."""

from __future__ import annotations

import os
import time
from pathlib import Path

_TOPOLOGY = Path("/sys/devices/system/cpu")
_TIMES = Path("/proc/stat")
_LOOK = 0.2
"""Seconds for which others are watched before a job."""
_TAKEN = 0.75
"""Share of that for which a core has to be busy to count as taken: an editor that just sent a picture soon rests."""


def physical_cores() -> int:
    """Physical cores that this process may take, at least 1.

    OMP_NUM_THREADS, where set, is an upper bound: whoever set it shares the machine.
    """
    bound = os.environ.get("OMP_NUM_THREADS", "")
    cores = _all_cores()
    return min(cores, int(bound)) if bound.isdigit() and int(bound) > 0 else cores


def _all_cores() -> int:
    """Physical cores that this process may run on, at least 1.

    Two threads of one core share its vector units, so a thread for each makes matrix products slower, not faster.
    """
    if hasattr(os, "sched_getaffinity"):
        logical = os.sched_getaffinity(0)
        cores = len({_siblings(number) for number in logical})
    else:
        # Where the topology can't be asked for, two threads a core is the usual case.
        cores = (os.cpu_count() or 2) // 2
    return max(1, cores)


def free_cores() -> int:
    """Physical cores that may be taken and nobody else keeps busy now, at least 1.

    Watches for a moment, while the caller rests.

    A thread that shares its core with another program is late at every operation, and all others wait for it.
    """
    cores = physical_cores()
    if cores == 1 or (before := _busy_ticks()) is None:
        return cores
    begun = time.monotonic()
    time.sleep(_LOOK)
    ticks = (_busy_ticks() or before) - before
    busy = ticks / os.sysconf("SC_CLK_TCK") / (time.monotonic() - begun)
    # Of all cores, not of its share: what other workers keep busy lies on theirs.
    return max(1, min(cores, _all_cores() - int(busy + 1 - _TAKEN)))


def _busy_ticks() -> int | None:
    """Clock ticks that the processors we may run on have been busy since the start; None where Linux doesn't tell."""
    try:
        lines = _TIMES.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    ours = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    ticks = 0
    for name, *fields in (line.split() for line in lines):
        if name in ours:
            user, nice, system, _idle, _waiting, *interrupts = map(int, fields[:8])
            ticks += user + nice + system + sum(interrupts)
    return ticks


def sleep_while_waiting() -> None:
    """Have threads that wait for the others sleep, not look again and again; to be called before torch is loaded.

    OpenMP's threads meet after every operation. Where another program takes one core, the thread on it is late each
    time, and one that waits awake keeps it from moving over (`python -m tests.benchmarks.method_threads`). Whoever set
    OMP_WAIT_POLICY knows better.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _siblings(number: int) -> str:
    try:
        return (_TOPOLOGY / f"cpu{number}" / "topology" / "thread_siblings_list").read_text().strip()
    except OSError:
        return str(number)
