"""What is thrown at the command, and what it says today: homes, faults that nobody foresaw, prompts."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from s2edit_cli import job_commands
from s2edit_cli.main import main
from s2edit_server.wording import wording_problems
from s2edit_wire.prompt_text import cleaned

from s2edit.research.starter import weights_folder
from tests.field.cli.test_last_resort import HOMES, UNFORESEEN
from tests.field.cli.test_prompts import SEEN_AS

DOUBTFUL = (
    "a man with a dragon",
    "a man with sunglases",
    "a man with a (hat:1.3)",
    "a man <lora:detail:0.7>",
    "ein Mann mit Brille",
    "a man with a beard",
)


def rows() -> Iterator[tuple[str, str, str]]:
    """Group, what was thrown, and what came of it."""
    for number, home in enumerate(HOMES):
        with tempfile.TemporaryDirectory() as name:
            settings = {"HOME": name, "S2EDIT_HOME": "", **home(Path(name))}
            shown = " ".join(f"{key}={value}" for key, value in settings.items() if value and value != name)
            with mock.patch.dict(os.environ, settings):
                yield "homes", f"{number}: {shown.replace(name, '…')[:40]}", _said().replace(name, "…")
    for error in UNFORESEEN:
        with tempfile.TemporaryDirectory() as name, mock.patch.dict(os.environ, {"S2EDIT_HOME": name}):
            with mock.patch.object(job_commands, "connect", side_effect=error):
                yield "faults that nobody foresaw", type(error).__name__, _said().replace(name, "…")
    for prompt in DOUBTFUL:
        told = [
            f"{doubt.message} {doubt.hint}" for doubt in wording_problems({"source": prompt}, "P", weights_folder())
        ]
        yield "prompts", prompt, " / ".join(told) or "nothing to say"
    for typed in SEEN_AS:
        yield "pasted", ascii(typed), f"sent as {cleaned(typed)!a}"


def _said() -> str:
    """Exit code and words of `s2edit jobs list`."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["jobs", "list"])
    return f"exit {code}: {' '.join((out.getvalue() + err.getvalue()).split())}"
