"""The real daemon with one fault built in: it dies at a named point, or finds the disk full there.

S2EDIT_TEST_FAULT is `crash:POINT:N` (SIGKILL at the N-th time the point is reached) or `full:POINT:N:M` (no room on the
disk the N-th to M-th time). Production code has no such switches: the points are functions that are wrapped here.
"""

from __future__ import annotations

import errno
import functools
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from typing import Any

from s2edit_server import blobs, broker, scheduler, store
from s2edit_server.daemon import main

VARIABLE = "S2EDIT_TEST_FAULT"


def _sql_full() -> Exception:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorname = "SQLITE_FULL"
    return error


def _os_full() -> Exception:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


POINTS: dict[str, tuple[Any, str, bool, Callable[[], Exception]]] = {
    "before_blob_flush": (blobs, "flush_file", False, _os_full),
    "after_blob_flush": (blobs, "flush_file", True, _os_full),
    "before_blob_name": (blobs.Blobs, "_name", False, _os_full),
    "after_blob_name": (blobs.Blobs, "_name", True, _os_full),
    "before_commit": (store, "commit", False, _sql_full),
    "after_commit": (store, "commit", True, _sql_full),
    "before_answer": (broker.Broker, "_answer", False, _os_full),
    "before_result": (scheduler.Scheduler, "_keep", False, _os_full),
}
"""Point: where it is, the function's name, whether it comes after the function's work, how a full disk shows there."""
CRASH_POINTS = tuple(POINTS)
FULL_POINTS = ("before_blob_flush", "before_blob_name", "before_commit")


def install(fault: str) -> None:
    """Wrap the function that the fault is about."""
    kind, point, first, *last = fault.split(":")
    owner, name, after, full = POINTS[point]
    original = getattr(owner, name)
    lock, hits = threading.Lock(), 0

    def strike() -> None:
        nonlocal hits
        with lock:
            hits += 1
            now = hits
        if kind == "crash" and now == int(first):
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == "full" and int(first) <= now <= int(last[0]):
            raise full()

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if after:
            result = original(*args, **kwargs)
            strike()
            return result
        strike()
        return original(*args, **kwargs)

    setattr(owner, name, wrapped)


if __name__ == "__main__":
    if os.environ.get(VARIABLE):
        install(os.environ[VARIABLE])
    sys.exit(main())
