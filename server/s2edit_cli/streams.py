"""`-` for a picture that comes from stdin or goes to stdout, as in a pipeline between other programs."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from .editing import Task
from .exit_codes import Exit
from .report import Ended

STREAM = Path("-")
LONGEST = 4 * 1024**3
"""Bytes that are taken from stdin: more than any picture that is opened."""
_PIECE = 1 << 20


def check(task: Task, *, wait: bool, as_json: bool) -> None:
    """Raise Ended where a stream can't be what is asked for; nothing has been read then."""
    if STREAM in (task.image, task.output) and not wait:
        raise _wrong("A job that is left with the daemon needs files: later, “-” is no longer there.")
    if task.output == STREAM and as_json:
        raise _wrong("The picture and the object of --json can't both go to stdout.")
    if task.image == STREAM and _is_terminal(sys.stdin):
        raise _wrong("“-” reads the picture from stdin, and stdin is this terminal.", "Pipe a picture into it.")
    if task.output == STREAM and _is_terminal(sys.stdout):
        raise _wrong("“-” writes the picture to stdout, and stdout is this terminal.", "Add: > RESULT.png")


@contextmanager
def in_files(task: Task) -> Iterator[Task]:
    """The task with files in place of streams; at the end, the result goes to stdout, as a PNG.

    PNG because it keeps all that a picture may have: 16 bits, alpha, a profile.
    """
    if STREAM not in (task.image, task.output):
        yield task
        return
    with tempfile.TemporaryDirectory(prefix="s2edit-") as name:
        made = task
        if task.image == STREAM:
            made = replace(made, image=_from_stdin(Path(name) / "stdin"))
        if task.output == STREAM:
            made = replace(made, output=Path(name) / "stdout.png")
        yield made
        if task.output == STREAM:
            with made.output.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer, _PIECE)
            sys.stdout.buffer.flush()


def _from_stdin(path: Path) -> Path:
    left = LONGEST
    with path.open("wb") as file:
        while piece := sys.stdin.buffer.read(_PIECE):
            left -= len(piece)
            if left < 0:
                raise Ended(Exit.INPUT, f"More than {LONGEST >> 30} GiB came from stdin; that is no picture.")
            file.write(piece)
    return path


def _is_terminal(stream: object) -> bool:
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty())


def _wrong(words: str, hint: str = "See: s2edit edit --help") -> Ended:
    return Ended(Exit.USAGE, words, hint)
