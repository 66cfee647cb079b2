"""Prints the daemon's promises with what was measured: `python -m tests.crash.promises [--long] [NUMBER …]`.

`--long` takes hours. With `--journal FILE` it goes part by part, notes each finished part there, and goes on where it
was when it is started again; without `--long`, the journal's table is printed and nothing is run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.crash import cancels, crowd, daemon_kills, disk_full, offline, owners, worker_kills
from tests.crash.figures import Figures
from tests.crash.journal import Journal, Part
from tests.fuzz import flood, garbage, loris, messages


@dataclass(frozen=True)
class Promise:
    """One promise: its number, its words, its check; the check's scale in CI and at full length, and in how many parts.

    A check takes its scale, an empty folder and a seed; it returns its figures, or raises when the promise is not kept.
    """

    number: int
    words: str
    check: Callable[[int, Path, int], Figures]
    short: int
    long: int
    parts: int = 1

    def __str__(self) -> str:
        return str(self.number)


PROMISES = (
    Promise(1, "kill -9 of the daemon loses no acknowledged job and doubles none", daemon_kills.check, 16, 1_000, 50),
    Promise(2, "kills, stops and segfaults of the worker end no daemon", worker_kills.check, 10, 300, 15),
    Promise(3, "spoiled headers and frames crash nothing and grow nothing", messages.check, 4_000, 1_000_000, 20),
    Promise(4, "garbage, HTTP and old ZMTP reach no handler", garbage.check, 400, 100_000, 10),
    Promise(5, "a peer without the key can't grow memory, one with it is held", flood.check, 5, 60),
    Promise(6, "silent and slow connections delay nobody", loris.check, 300, 1_000),
    Promise(7, "many clients get the right results, pings stay quick", crowd.check, 4, 64),
    Promise(8, "a full disk is told, loses nothing and heals", disk_full.check, 2, 12),
    Promise(9, "a cancel is quick, even of a hung step, and hits no other job", cancels.check, 10, 1_000, 50),
    Promise(10, "other users, second daemons and stale files", owners.check, 1, 20, 10),
    Promise(11, "out of memory: once lower, then in figures", worker_kills.memory, 1, 50, 10),
    Promise(12, "memory and descriptors stay flat", crowd.soak, 60, 10_000),
    Promise(13, "offline attempts no connection", offline.check, 1, 20),
)


def measure(promise: Promise, scale: int = 0, seed: int = 0) -> Figures:
    """The figures of one promise at this scale, CI's by default; AssertionError when it is not kept."""
    with tempfile.TemporaryDirectory(prefix="s2p-", ignore_cleanup_errors=True) as folder:
        return promise.check(scale or promise.short, Path(folder), seed)


def main() -> int:
    """Print the table; exit status 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true", help="full length (hours) instead of CI's")
    parser.add_argument("--journal", type=Path, metavar="FILE", help="where finished parts are noted, as JSON lines")
    parser.add_argument("numbers", nargs="*", type=int, help="only these promises, in this order")
    options = parser.parse_args()
    known = {promise.number: promise for promise in PROMISES}
    chosen = [known[number] for number in options.numbers or known]
    journal = Journal(options.journal)
    broken = 0
    if options.long:
        broken = sum(not _run_part(promise, part, journal) for promise in chosen for part in _missing(promise, journal))
    print("| # | promise | measured |\n|---|---|---|", flush=True)
    for promise in chosen:
        if options.long or options.journal:
            print(f"| {promise.number} | {promise.words} | {journal.told(promise.number, promise.parts)} |")
        else:
            figures, kept = _try(promise, promise.short, 0)
            broken += not kept
            print(f"| {promise.number} | {promise.words} | {figures} |", flush=True)
    return 1 if broken else 0


def _missing(promise: Promise, journal: Journal) -> Sequence[int]:
    done = journal.done(promise.number, promise.parts)
    return [part for part in range(promise.parts) if part not in done]


def _run_part(promise: Promise, part: int, journal: Journal) -> bool:
    begun = time.monotonic()
    figures, kept = _try(promise, promise.long // promise.parts, part)
    seconds = round(time.monotonic() - begun)
    print(f"promise {promise}, part {part + 1} of {promise.parts}, {seconds} s: {figures}", file=sys.stderr, flush=True)
    if isinstance(figures, Figures):
        journal.note(Part(promise.number, part, promise.parts, seconds, figures))
    return kept


def _try(promise: Promise, scale: int, seed: int) -> tuple[Figures | str, bool]:
    """(the figures or what went wrong, whether the promise is kept)."""
    try:
        return measure(promise, scale, seed), True
    except Exception as fault:  # noqa: BLE001 - told in the table; the other promises are measured all the same
        return f"**NOT KEPT**: {type(fault).__name__}: {fault}", False


if __name__ == "__main__":
    sys.exit(main())
