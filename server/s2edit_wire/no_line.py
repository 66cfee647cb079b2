"""Why there is no line to the computer where edits are computed: `run/line.json`, by whoever looks after the line."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from .errors import Unreachable, WireError
from .kinds import Field, Integer, Record, Text
from .limits import MAX_CONNECTION_FILE
from .paths import run_folder
from .private_files import read_private_json, write_private_json

_FILE = Record(
    "line file",
    (
        Field("message", Text(2_000, 1), "Why there is no line to the other computer."),
        Field("hint", Text(2_000), "What to do."),
        Field("pid", Integer(1), "The process that looks after the line."),
    ),
)


class NoLine(Unreachable):
    """There is no line to the other computer; the reason is `line`.

    Args:
        message, hint: as of any Unreachable.
        lasting: whether trying again is of no use until somebody has done something.
        stopped: whether the other computer answered, and no daemon runs there.
        pid: the process that looks after the line.
    """

    def __init__(
        self, message: str, hint: str = "", *, lasting: bool = False, stopped: bool = False, pid: int = 0
    ) -> None:
        super().__init__(message, hint, "line")
        self.lasting, self.stopped, self.pid = lasting, stopped, pid


def note(state: Path, error: Unreachable) -> None:
    """Write down why there is no line; for the process that looks after it."""
    value: dict[str, object] = {"message": error.message[:2_000], "hint": error.hint[:2_000], "pid": os.getpid()}
    write_private_json(_path(state), value)


def forget(state: Path) -> None:
    """There is a line again, or nobody looks after one any more."""
    with suppress(OSError):
        _path(state).unlink(missing_ok=True)


def noted(state: Path) -> NoLine | None:
    """What was written down, if anything was that can be trusted."""
    try:
        value = read_private_json(_path(state), MAX_CONNECTION_FILE, secret=True)
        _FILE.check(value, "")
    except (OSError, Unreachable, WireError):
        return None
    return NoLine(value["message"], value["hint"], pid=value["pid"])


def _path(state: Path) -> Path:
    return run_folder(state) / "line.json"
