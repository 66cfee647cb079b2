"""Long work in an editor's own thread: a little at a time, so that nobody is kept from painting.

Such work is a generator that yields wherever it can wait. An editor whose plug-ins run in its own process (Krita) goes
on with it at each turn of its event loop; another one does it at once.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias, TypeVar

T = TypeVar("T")
Work: TypeAlias = Generator[None, None, T]
"""Work that yields wherever it can wait, and returns a T in the end."""

BAND = 2**18
"""Pixels that are copied at a time: some milliseconds' worth."""


def at_once(work: Work[T]) -> T:
    """All of it now; raises what it raises."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: T = end.value
            return found
