"""Long work in an editor's own thread: a little at a time, so that nobody is kept from painting.

Such work is a generator that yields wherever it can wait. An editor whose plug-ins run in its own process (Krita) goes
on with it at each turn of its event loop; another one does it at once.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator
from functools import wraps
from typing import ParamSpec, TypeAlias, TypeVar

from s2edit_wire.errors import WireError
from s2edit_wire.loop import LoopAdapter

from .text import _

T = TypeVar("T")
P = ParamSpec("P")
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


def quick(act: Callable[P, T]) -> Callable[P, Work[T]]:
    """What never waits, where work is wanted."""

    @wraps(act)
    def work(*args: P.args, **kwargs: P.kwargs) -> Work[T]:
        yield from ()
        return act(*args, **kwargs)

    return work


def in_turns(
    loop: LoopAdapter,
    work: Work[T],
    done: Callable[[T], None],
    failed: Callable[[WireError], None],
    alive: Callable[[], bool],
) -> None:
    """Begin with `work` now, and go on at each turn of the loop; what never waits is done at once.

    Args:
        done: told what it returned in the end. failed: told its WireError, or one for what nobody foresaw: whoever
            waits for the end must not wait for ever.
        alive: whether what it works on is still there; else it is given up, and nobody told.
    """

    def turn() -> None:
        if not alive():
            work.close()
            return
        try:
            next(work)
        except StopIteration as end:
            done(end.value)
        except WireError as error:
            failed(error)
        except Exception:  # noqa: BLE001 - whoever waits has to hear of it, whatever it was
            traceback.print_exc()
            failed(WireError("internal", _("Something went wrong inside S²Edit."), _("Try again")))
        else:
            loop.call_later(0.0, turn)

    turn()
