"""`s2edit bench`: the benchmark with ground truth, in a process of its own, since a client loads no torch."""

from __future__ import annotations

import importlib.util
import subprocess

import typer
from s2edit_wire.programs import command

from .exit_codes import Exit
from .report import Ended

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Of the command's context: the options, `--help` too, are the benchmark's own, written down there and nowhere else."""
_CODES = {0: Exit.DONE, 2: Exit.USAGE, 130: Exit.CANCELLED}
_LACKING = 3
"""The benchmark's status where a package of its extra is missing; it has said which."""


def bench(context: typer.Context) -> None:
    """Run the benchmark, or score another system's pictures: run, score, export (--help after each tells more)."""
    if importlib.util.find_spec("s2edit") is None:
        raise Ended(Exit.INPUT, "The benchmark is not installed here.", _remedy())
    arguments = context.args or ["--help"]
    # The interpreter's own path and our own arguments; no shell is involved.
    child = subprocess.Popen(command("bench", *arguments))  # noqa: S603
    while True:
        try:
            code = child.wait()
            break
        except KeyboardInterrupt:
            # The terminal has interrupted both of us: let the benchmark end by itself, what it has scored is kept.
            continue
    if code == _LACKING:
        raise Ended(Exit.INPUT, "The benchmark can't run here.", _remedy())
    if code:
        raise typer.Exit(int(_CODES.get(code, Exit.INTERNAL)))


def _remedy() -> str:
    from s2edit_installer.remedies import add_extra

    return f"Run: {add_extra('bench')}"
