"""Whether a daemon lives, told by the lock that it holds as long as it does, and how to end one that doesn't answer.

A connection file outlives a killed daemon, its port may be another program's by now, and its process's number too. The
lock (`run/daemon.lock`) is the system's: it is free as soon as the process is gone, however it went.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from .connection import read_connection_file
from .errors import Unreachable
from .limits import MAX_CONNECTION_FILE
from .paths import run_folder
from .private_files import read_private_json, write_private_json

LOCK = "daemon.lock"
PATIENCE = 5.0
"""Seconds for which a daemon is asked to end before it is ended."""


def lock_path(state: Path) -> Path:
    """The file that a living daemon has locked."""
    return run_folder(state) / LOCK


def note_holder(state: Path) -> None:
    """Write down this process's number beside the lock; for the daemon, once it holds it."""
    write_private_json(_pid_path(state), {"pid": os.getpid()})


def forget_holder(state: Path) -> None:
    """Take that away; for the daemon, right before it gives the lock back."""
    with suppress(OSError):
        if holder(state) == os.getpid():
            _pid_path(state).unlink(missing_ok=True)


def runs(state: Path) -> bool:
    """Whether a daemon lives; True also when that can't be told, since another must not be started then."""
    try:
        descriptor = os.open(lock_path(state), os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        _try(descriptor)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _try(descriptor: int) -> None:
    """Lock the file for a moment; raises OSError when somebody has. Daemons that start just then try again."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)


def holder(state: Path) -> int:
    """The process that holds the lock, 0 when nobody wrote it down; only to be believed while `runs`."""
    with suppress(OSError, Unreachable):
        pid = read_private_json(_pid_path(state), MAX_CONNECTION_FILE, secret=True).get("pid")
        if isinstance(pid, int) and pid > 0:
            return pid
    with suppress(Unreachable):
        return read_connection_file(state).pid
    return 0


def end(state: Path, patience: float = PATIENCE) -> bool:
    """End the daemon that holds the lock, gently and then not; whether it is gone. Its jobs go on at the next start."""
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        pid = holder(state)
        if not runs(state):
            return True
        if not pid:
            return False
        with suppress(OSError):
            os.kill(pid, number)
        if wait_for_end(state, patience):
            return True
    return False


def wait_for_end(state: Path, patience: float) -> bool:
    """Wait until no daemon lives, at most so many seconds; whether that is so."""
    until = time.monotonic() + patience
    while runs(state):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def judged(error: Unreachable, state: Path) -> Unreachable:
    """Why there is no connection, corrected: whatever a dead daemon left behind, a new one can be started."""
    if error.reason in {"not_running", "stale", "not_installed"} or runs(state):
        return error
    return Unreachable(error.message, error.hint, "stale")


def _pid_path(state: Path) -> Path:
    return run_folder(state) / "daemon.pid"
