"""The command that starts each of S²Edit's programs, and how each desktop wants a command written down.

Every command has `-P`: without it, `python -m` looks for modules first in the folder that somebody happens to be in,
and a `queue.py` among downloads would be run (docs.python.org/3/using/cmdline.html#cmdoption-P).
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

Program = Literal["daemon", "worker", "tray", "cli", "bench"]
MODULES: dict[Program, str] = {
    "daemon": "s2edit_server",
    "worker": "s2edit_server.worker",
    "tray": "s2edit_tray",
    "cli": "s2edit_cli",
    "bench": "s2edit.research.evaluation",
}
"""Packages with a `__main__`: what `python -m` is given."""


_PLAIN = re.compile(r"[\w./+,:@ -]+")
_BY_SHELL = ("/bin/sh", "-c", 'exec "$0" "$@"')


def command(program: Program, *arguments: str, python: str | None = None, windowless: bool = False) -> list[str]:
    """The arguments, the Python first, that start one of S²Edit's programs; nothing in them needs a shell.

    Args:
        arguments: the program's own.
        python: whose Python; this process's when None.
        windowless: on Windows, start it without a console, where the Python that can do so lies beside.
    """
    return [*run_python(python, windowless=windowless), "-m", MODULES[program], *arguments]


def run_python(python: str | None = None, *, windowless: bool = False) -> list[str]:
    """The arguments before `-m MODULE` or `-c CODE`, as in `command`."""
    python = python or sys.executable
    if windowless and (quiet := Path(python).with_name("pythonw.exe")).is_file():
        python = str(quiet)
    return [python, "-P"]


def in_shell(arguments: Sequence[str]) -> str:
    """The command as a person pastes it into a terminal: POSIX quoting, or on Windows CommandLineToArgvW's."""
    return subprocess.list2cmdline(arguments) if sys.platform == "win32" else shlex.join(arguments)


def in_desktop_entry(arguments: Sequence[str]) -> str:
    """The value of `Exec` in a desktop entry (Desktop Entry Specification, "The Exec key"): quoted, then escaped again.

    The second escaping is that of all values of type string; percent signs would begin a field code.
    """

    def quoted(argument: str) -> str:
        inside = re.sub(r'(["`$\\])', r"\\\1", argument).replace("%", "%%")
        return '"' + inside.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t") + '"'

    return " ".join(map(quoted, _with_a_plain_name(arguments)))


def in_systemd_unit(arguments: Sequence[str]) -> str:
    """The value of `ExecStart` (systemd.service, "Command lines").

    The colon keeps `$` from being read as a variable; doubling it would not do in the program's own path.
    """
    return ":" + " ".join(map(systemd_quoted, _with_a_plain_name(arguments)))


def _with_a_plain_name(arguments: Sequence[str]) -> Sequence[str]:
    """The command by way of a shell where its program's own name has quotes, backslashes or percent signs in it.

    However they are escaped, systemd refuses a unit with such a name (`path_is_safe` in its load-fragment.c), and GLib
    an entry with a percent sign in it; as arguments, both take them.
    """
    return arguments if _PLAIN.fullmatch(arguments[0]) else [*_BY_SHELL, *arguments]


def systemd_quoted(text: str) -> str:
    """A text in double quotes, with C's escapes and without specifiers (systemd.syntax "Quoting", systemd.unit)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return '"' + escaped.replace("\n", "\\n").replace("\t", "\\t") + '"'


def in_command_script(arguments: Sequence[str]) -> str:
    """The command in a Windows `.cmd` file: quoted, with percent signs that are not variables."""
    return " ".join(f'"{argument}"' for argument in arguments).replace("%", "%%")


def in_registry(arguments: Sequence[str]) -> str:
    """The command as Windows' own programs split it again (CommandLineToArgvW)."""
    return subprocess.list2cmdline(arguments)
