"""What the command says: progress and errors on stderr, results on stdout, with `--json` exactly one object."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.text import Text
from s2edit_wire.errors import Unreachable, WireError

from .exit_codes import Exit, exit_for

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)


class Ended(Exception):
    """The command ends here with something to say that is no error of the wire.

    Args:
        code: the exit code. message: one plain sentence. hint: what to do next.
        fields: more for `--json`.
    """

    def __init__(self, code: Exit, message: str, hint: str = "", **fields: object) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.fields = code, message, hint, fields


def say(text: str, style: str = "") -> None:
    """A line for people, on stdout."""
    OUT.print(Text(text, style))


def tell(text: str, style: str = "") -> None:
    """A line for people that is no result, on stderr."""
    ERR.print(Text(text, style))


def print_object(value: dict[str, Any]) -> None:
    """The one object of `--json`."""
    text = json.dumps(value, ensure_ascii=False)
    # A file's name may be no text; as escapes it is JSON all the same, and Python's reader finds the file again.
    sys.stdout.write((text if is_text(text) else json.dumps(value)) + "\n")


def is_text(text: str) -> bool:
    """Whether it holds nothing but characters: names that are no UTF-8 have lone surrogates in them (PEP 383)."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def fail(error: Exception, *, as_json: bool) -> Exit:
    """Report an error in one line (and a second that says what to do); returns the exit code."""
    fields: dict[str, Any] = {}
    if isinstance(error, WireError):
        code, name, message, hint = exit_for(error.code), error.code, error.message, error.hint
        if error.retry_after is not None:
            fields["retry_after"] = error.retry_after
    elif isinstance(error, Unreachable):
        code, name, message, hint = Exit.NO_DAEMON, "no_daemon", error.message, error.hint
    elif isinstance(error, Ended):
        code, name, message, hint = error.code, error.code.name.lower(), error.message, error.hint
        fields = error.fields
    else:
        raise TypeError("not an error of ours") from error
    if as_json:
        print_object({"exit_code": int(code), "error": {"code": name, "message": message, "hint": hint}, **fields})
    else:
        tell(f"{message}", "red" if code not in (Exit.RUNNING, Exit.CANCELLED) else "yellow")
        if hint:
            tell(hint)
    return code


def duration(seconds: float) -> str:
    """Seconds in words: `8 s`, `3 min 05 s`, `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3_600} h {whole % 3_600 // 60:02d} min"


def size(count: int) -> str:
    """Bytes in words, in powers of 1024: `3.2 MiB`."""
    value = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
