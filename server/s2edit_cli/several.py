"""Many pictures at once: one edit on each, an identity each, one progress; one that fails does not stop the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from s2edit_wire.errors import Unreachable, WireError

from . import options, targets
from .connecting import connect
from .editing import Task, open_inputs, run
from .exit_codes import Exit
from .report import ERR, Ended, error_object, plain, print_object, say, tell
from .streams import STREAM


def tasks_for(task: Task, images: Sequence[Path], folder: Path) -> list[Task]:
    """A task for each picture, with a file of the same name in `folder` to write; the folder is made.

    Raises:
        Ended: two pictures would write the same file, or one is no file.
        WireError: bad_image: something can't be written there.
    """
    names = [_name(image) for image in images]
    for name, count in Counter(names).items():
        if count > 1:
            raise Ended(Exit.INPUT, f"{count} of the pictures would be written as “{name}”.", "Edit them apart.")
    if STREAM in images:
        raise Ended(Exit.USAGE, "“-” is one picture, and --out-dir is for files.", "Give the result's name with -o.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        words = f"The folder “{folder}” can't be made ({error.strerror})."
        raise Ended(Exit.INPUT, words, "Choose another folder.") from error
    made = [replace(task, image=image, output=folder / name) for image, name in zip(images, names, strict=True)]
    for one in made:
        targets.check_output(one.output, [*one.inputs(), *images], tuple(targets.KINDS))
    return made


def run_all(tasks: Sequence[Task], *, wait: bool, as_json: bool) -> None:
    """Edit them one after the other, and report; exits with the first failure's code.

    Raises:
        Unreachable: the daemon is gone. Ended: it was stopped from the keyboard; what is done stays.
    """
    outcomes: list[dict[str, Any]] = []
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=ERR, transient=True, disable=as_json or not ERR.is_terminal) as progress:
        bar = progress.add_task("", total=len(tasks))
        for number, task in enumerate(tasks, 1):
            progress.update(bar, description=plain(task.image.name).plain)
            outcome = _one(task, wait=wait)
            outcomes.append(outcome)
            progress.advance(bar)
            if not as_json:
                _tell(f"{number} of {len(tasks)}  {task.image}", outcome)
            if outcome["exit_code"] == Exit.CANCELLED:
                break
    failed = [outcome for outcome in outcomes if outcome["exit_code"]]
    code = failed[0]["exit_code"] if failed else 0
    if as_json:
        print_object({"exit_code": code, "results": outcomes})
    elif wait:
        say(f"Edited {len(outcomes) - len(failed)} of {len(tasks)} pictures, in “{tasks[0].output.parent}”.")
    if code:
        raise typer.Exit(code)


def run_one(task: Task, *, wait: bool, watch: Callable[[dict[str, Any]], None] | None = None) -> dict[str, Any]:
    """One task from files to files, without a word; see `editing.run`."""
    inputs = open_inputs(task)
    with connect() as client:
        chosen = replace(task, model=options.chosen_model(client, task.model))
        return run(chosen, inputs, client, quiet=True, wait=wait, watch=watch)


def _one(task: Task, *, wait: bool) -> dict[str, Any]:
    try:
        outcome = run_one(task, wait=wait)
    except Unreachable:
        raise
    except (WireError, Ended) as error:
        return {"image": str(task.image), **error_object(error)}
    except KeyboardInterrupt:
        stopped = Ended(Exit.CANCELLED, "Stopped; pictures that are done stay as they are.")
        return {"image": str(task.image), **error_object(stopped)}
    return {"image": str(task.image), **outcome}


def _tell(what: str, outcome: dict[str, Any]) -> None:
    if outcome["exit_code"]:
        tell(f"{what}: {outcome['error']['message']} {outcome['error']['hint']}".strip(), "red")
        return
    nothing = outcome.get("changed_box", True) is None
    tell(f"{what}: {'nothing changed' if nothing else outcome.get('output') or 'job ' + outcome['job']}")
    for sentence in outcome["warnings"]:
        tell(f"    {sentence}", "yellow")


def _name(image: Path) -> str:
    """The picture's own name, as a PNG where its ending is of no format that is written."""
    return image.name if image.suffix.lower() in targets.KINDS else f"{image.stem}.png"
