"""Waiting for what a test waits for, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
LONG = 120.0
"""Seconds; longer than anything takes that happens at all, on a machine with much else to do."""


def until(condition: Callable[[], T], what: str = "it", every: float = 0.01) -> T:
    """What the condition gives once that is true.

    Args:
        what: for the AssertionError when it never is. every: seconds between two looks.
    """
    end = time.monotonic() + LONG
    while not (found := condition()):
        assert time.monotonic() < end, f"{what} did not happen in {LONG:.0f} s"
        time.sleep(every)
    return found
