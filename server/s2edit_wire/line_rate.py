"""How fast the line to another computer is: so slow that to compress what goes over it saves time, or not.

Measured is what arrives there, by its own clock: neither the way's length nor the start of a program counts. OpenSSH's
own compression (`Compression`, zlib, agreed on with the server) does the rest: it is lossless, and in no program's way.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

PROBE = 256 * 1024
"""Bytes that are sent for that, of no pattern, so that nothing can shorten them."""
WINDOW = 64 * 1024
"""Bytes that have to come in a row. TCP begins slowly; the fastest stretch is what the line can do."""
SLOW = 150e6 / 8
"""Bytes a second below which compressing pays: at 250 Mbit/s it no longer did (`python -m tests.benchmarks.line`)."""
PATIENCE = 5.0
"""Seconds for which nothing may come: by hand, nobody sends anything."""


def probe() -> bytes:
    """What is sent."""
    return os.urandom(PROBE)


def received(descriptor: int) -> float | None:
    """Read what is sent until its end; bytes a second, None when it was too little to say. Where select(2) takes it."""
    import select

    arrivals = [(time.perf_counter(), 0)]
    while select.select([descriptor], [], [], PATIENCE)[0] and (data := os.read(descriptor, 1 << 16)):
        arrivals.append((time.perf_counter(), arrivals[-1][1] + len(data)))
    return fastest(arrivals[1:])


def fastest(arrivals: Sequence[tuple[float, int]]) -> float | None:
    """The highest rate, bytes a second, over any `WINDOW`; None when nothing came that is so long.

    Args:
        arrivals: (seconds, bytes until then), in their order.
    """
    rates, begun = [], 0
    for when, so_far in arrivals:
        while so_far - arrivals[begun][1] >= WINDOW:
            since, before = arrivals[begun]
            rates.append((so_far - before) / max(when - since, 1e-6))
            begun += 1
    return max(rates, default=None)
