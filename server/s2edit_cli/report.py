"""What the command says: progress and errors on stderr, results on stdout, with `--json` exactly one object."""

from __future__ import annotations

import json
import sys
import unicodedata
from typing import Any

from rich.console import Console
from rich.text import Text
from s2edit_installer.remedies import typed
from s2edit_wire.errors import Unreachable, WireError

from .exit_codes import Exit, exit_for
from .refusals import in_options

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What turns the direction of a line around (UAX #9), so that it shows another name than it holds."""


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
    OUT.print(plain(text, style))


def tell(text: str, style: str = "") -> None:
    """A line for people that is no result, on stderr."""
    ERR.print(plain(text, style))


def plain(text: str, style: str = "") -> Text:
    """Words as they are: nothing in them is markup, and nothing in them commands a terminal.

    Names and prompts come from people and from files: `[/red]` is no tag in them, an escape sequence no colour.
    """
    shown = "".join(
        character
        if character in "\n\t" or (unicodedata.category(character) != "Cc" and character not in _TURNS)
        else "\ufffd"
        for character in text
    )
    return Text(shown, style)


def print_row(*fields: str) -> None:
    """A line for other programs (grep, cut, awk): tabs between the fields, none and no line end inside of one."""
    sys.stdout.write("\t".join(" ".join(plain(field).plain.split()) for field in fields) + "\n")


def print_object(value: dict[str, Any]) -> None:
    """The one object of `--json`."""
    text = json.dumps(value, ensure_ascii=False)
    # A file's name may be no text, and stdout may lack a letter: as escapes it is JSON all the same.
    if not is_text(text) or not _fits(text, sys.stdout.encoding or "ascii"):
        text = json.dumps(value)
    sys.stdout.write(text + "\n")


def is_text(text: str) -> bool:
    """Whether it holds nothing but characters: names that are no UTF-8 have lone surrogates in them (PEP 383)."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def error_object(error: Exception) -> dict[str, Any]:
    """The object that `--json` prints for an error of ours: the exit code, code, message and hint, and what is more."""
    fields: dict[str, Any] = {}
    if isinstance(error, WireError):
        error = in_options(error)
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
    return {"exit_code": int(code), "error": {"code": name, "message": message, "hint": typed(hint)}, **fields}


def fail(error: Exception, *, as_json: bool) -> Exit:
    """Report an error in one line (and a second that says what to do); returns the exit code."""
    told = error_object(error)
    code = Exit(told["exit_code"])
    if as_json:
        print_object(told)
    else:
        tell(told["error"]["message"], "red" if code not in (Exit.RUNNING, Exit.CANCELLED) else "yellow")
        if told["error"]["hint"]:
            tell(told["error"]["hint"])
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
