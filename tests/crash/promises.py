"""Prints the daemon's promises with what was measured: `python -m tests.crash.promises [--long] [NUMBER …]`.

`--long` takes hours; `--long --part 0.1` does a tenth of it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.crash import cancels, crowd, daemon_kills, disk_full, offline, owners, worker_kills
from tests.fuzz import flood, garbage, loris, messages


@dataclass(frozen=True)
class Promise:
    """One promise: its number, its words, its check, and the check's scale in CI and at full length."""

    number: int
    words: str
    check: Callable[[int, Path], str]
    short: int
    long: int

    def __str__(self) -> str:
        return str(self.number)


PROMISES = (
    Promise(1, "kill -9 of the daemon loses no acknowledged job and doubles none", daemon_kills.check, 16, 1_000),
    Promise(2, "kills, stops and segfaults of the worker end no daemon", worker_kills.check, 10, 300),
    Promise(3, "spoiled headers and frames crash nothing and grow nothing", messages.check, 4_000, 1_000_000),
    Promise(4, "garbage, HTTP and old ZMTP reach no handler", garbage.check, 400, 100_000),
    Promise(5, "a peer without the key can't grow memory, one with it is held", flood.check, 5, 60),
    Promise(6, "silent and slow connections delay nobody", loris.check, 300, 1_000),
    Promise(7, "many clients get the right results, pings stay quick", crowd.check, 4, 64),
    Promise(8, "a full disk is told, loses nothing and heals", disk_full.check, 2, 12),
    Promise(9, "a cancel is quick, even of a hung step, and hits no other job", cancels.check, 10, 1_000),
    Promise(10, "other users, second daemons and stale files", owners.check, 1, 20),
    Promise(11, "out of memory: once lower, then in figures", worker_kills.memory, 1, 50),
    Promise(12, "memory and descriptors stay flat", crowd.soak, 60, 10_000),
    Promise(13, "offline attempts no connection", offline.check, 1, 20),
)


def measure(promise: Promise, part: float = 0.0) -> str:
    """The figures of one promise at this part of its full length, CI's at least; AssertionError when it is not kept."""
    with tempfile.TemporaryDirectory(prefix="s2p-", ignore_cleanup_errors=True) as folder:
        return promise.check(max(promise.short, round(part * promise.long)), Path(folder))


def main() -> int:
    """Print the table; exit status 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="full length (hours) instead of CI's")
    parser.add_argument("--part", type=float, default=1.0, metavar="F", help="with --long: this part of the length")
    parser.add_argument("numbers", nargs="*", type=int, help="only these promises")
    options = parser.parse_args()
    broken = 0
    print("| # | promise | measured | seconds |\n|---|---|---|---|", flush=True)
    for promise in PROMISES:
        if options.numbers and promise.number not in options.numbers:
            continue
        start = time.monotonic()
        try:
            figures = measure(promise, options.part if options.long else 0.0)
        except Exception as fault:  # noqa: BLE001 - told in the table; the other promises are measured all the same
            figures, broken = f"**NOT KEPT**: {type(fault).__name__}: {fault}", broken + 1
        print(f"| {promise.number} | {promise.words} | {figures} | {time.monotonic() - start:.0f} |", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
