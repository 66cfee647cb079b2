"""How many compute threads a worker takes, one per physical core that it may use, and how they wait for each other."""

from __future__ import annotations

import os
from pathlib import Path

_TOPOLOGY = Path("/sys/devices/system/cpu")


def physical_cores() -> int:
    """Physical cores that this process may run on, at least 1.

    Two threads of one core share its vector units, so a thread for each makes matrix products slower, not faster.
    OMP_NUM_THREADS, where set, is an upper bound: whoever set it shares the machine.
    """
    if hasattr(os, "sched_getaffinity"):
        logical = os.sched_getaffinity(0)
        cores = len({_siblings(number) for number in logical})
    else:
        # Where the topology can't be asked for, two threads a core is the usual case.
        cores = (os.cpu_count() or 2) // 2
    bound = os.environ.get("OMP_NUM_THREADS", "")
    if bound.isdigit() and int(bound) > 0:
        cores = min(cores, int(bound))
    return max(1, cores)


def sleep_while_waiting() -> None:
    """Have threads that wait for the others sleep, not look again and again; to be called before torch is loaded.

    OpenMP's threads meet after every operation. Where another program takes one core, the thread on it is late each
    time, and one that waits awake keeps it from moving over: with one busy program on two cores an edit took ten times
    as long (`python -m tests.benchmarks.method_threads`). Whoever set OMP_WAIT_POLICY knows better.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _siblings(number: int) -> str:
    try:
        return (_TOPOLOGY / f"cpu{number}" / "topology" / "thread_siblings_list").read_text().strip()
    except OSError:
        return str(number)
