"""What nobody foresaw: one sentence and a log file in place of a traceback; and output that no terminal can refuse."""

from __future__ import annotations

import codecs
import errno
import os
import platform
import sys
import tempfile
import time
import traceback
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path

from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.paths import home_folder, logs_folder, state_folder, unusable

from .exit_codes import Exit
from .report import Ended

LOG_NAME = "command.log"
LONGEST_LOG = 1 << 20
"""Bytes; a log that has grown beyond is begun anew."""
_PLAINER = {
    **dict.fromkeys("“”„«»", '"'),
    **dict.fromkeys("‘’‚", "'"),
    **dict.fromkeys("–—", "-"),
    "…": "...",
    "→": "->",
    "×": "x",
    "²": "2",
    "·": "*",
    "\u00a0": " ",
}
_ERRORS = "s2edit-plainer"


def foreseen(error: Exception) -> Exception:
    """What to report (`report.fail`) of any exception at all: nothing of Python's own reaches the user."""
    if isinstance(error, (WireError, Unreachable, Ended)):
        return error
    if isinstance(error, OSError):
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return WireError("disk_full", "There is no room left on the disk.", "Free some space, then try again.")
        if (told := _of_state_folder(error)) is not None:
            return told
    log = _write_log(error)
    words = f"This is a fault in S²Edit itself ({type(error).__name__}); it could not go on."
    return Ended(Exit.INTERNAL, words, f"Please report it, with {log}." if log else "No log could be written.", log=log)


def _of_state_folder(error: OSError) -> Unreachable | None:
    """The error as one of the state folder or of the user's home; None when it is about another file."""
    try:
        state, home = state_folder(), home_folder()
    except Unreachable as none:
        return none
    except RuntimeError:
        return None
    for name in (error.filename, error.filename2):
        path = Path(os.fsdecode(name)) if isinstance(name, (str, bytes, Path)) else None
        if path is not None and path.is_relative_to(state):
            return unusable(state, error)
        if path is not None and path.is_relative_to(home):
            words = f"“{path}” can't be used: {error.strerror or type(error).__name__}."
            return Unreachable(words, "See that your home folder can be written, then try again.", "not_usable")
    return None


def _write_log(error: Exception) -> str:
    """Where the traceback is now, "" when nothing can be written anywhere. It holds code, no words or pictures."""
    heading = f"{time.strftime('%Y-%m-%d %H:%M:%S')} S²Edit {version('s2edit')}, Python {platform.python_version()}"
    text = f"{heading}, {platform.platform()}\n{''.join(traceback.format_exception(error))}\n"
    try:
        path = logs_folder(state_folder()) / LOG_NAME
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        anew = not path.exists() or path.stat().st_size > LONGEST_LOG
        path.touch(mode=0o600)
        with path.open("wb" if anew else "ab") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    except (OSError, Unreachable):
        return _write_anywhere(text)
    return str(path)


def _write_anywhere(text: str) -> str:
    try:
        with tempfile.NamedTemporaryFile(prefix="s2edit-", suffix=".log", delete=False) as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    except OSError:
        return ""
    return file.name


def prepare_output() -> None:
    """Have stdout and stderr take every text, whatever their encoding: a name that is no text goes out as it came in.

    What an encoding lacks is written plainer, or as a question mark: nothing is lost but a sign.
    """
    codecs.register_error(_ERRORS, _plainer)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started us
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - as long as we live
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def _plainer(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    if "\udc80" <= character <= "\udcff":  # PEP 383: a byte of a file's name
        return bytes([ord(character) - 0xDC00]), error.start + 1
    return _PLAINER.get(character, "?"), error.start + 1


def flush_output() -> None:
    """Write what is held back; raises OSError when it can't be (a full disk), BrokenPipeError when nobody reads it."""
    sys.stdout.flush()


def drop_output() -> None:
    """Nobody reads stdout any more, or it is full: the interpreter must not complain about that when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
