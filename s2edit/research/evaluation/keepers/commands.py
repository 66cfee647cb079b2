"""`s2edit bench keepers`: its commands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from s2edit.research.evaluation.choices import checkpoint_of, overrides_of
from s2edit.research.evaluation.records import load

from .cases import NativeCase, Purpose, native_cases
from .scores import KeeperScore

if TYPE_CHECKING:
    from s2edit.research.evaluation.methods import Method
    from s2edit.settings import Settings

DOMAIN = "portraits"


def main(options: argparse.Namespace) -> int:
    """Do the task; raises ValueError and S2EditError for what can't be done, for the caller to tell."""
    return _TASKS[options.task](options)


def _run(options: argparse.Namespace) -> int:
    from s2edit.research.evaluation.methods import chosen

    from . import tuning

    methods = chosen(options.methods, (), with_weights=False)
    if options.best is not None:
        methods = tuning.settled(options.best, methods, _hash(options))
    _make(options, methods, options.portraits)
    return _report(options)


def _tune(options: argparse.Namespace) -> int:
    from . import page, tuning

    names = [name for name in options.methods.split(",") if name]
    methods = [method for name in names for method in tuning.candidates(name)]
    _make(options, methods, "tuning")
    scores = load(options.out, KeeperScore)
    best = {name: tuning.choose(scores, name) for name in names}
    tuning.write(options.best, best, _hash(options))
    written = page.write(scores, options.out, curves=tuning.curves(scores, best))
    sys.stdout.write((options.out / "report.md").read_text("utf-8") + f"\n{written}\n{options.best}\n")
    return 0


def _make(options: argparse.Namespace, methods: Sequence[Method], portraits: Purpose) -> None:
    """Make and score what is not there yet, telling of each edit as it comes."""
    from rich.console import Console
    from rich.progress import track

    from s2edit.profiles import recommended_by
    from s2edit.research.baselines import Workbench
    from s2edit.research.evaluation.runner import remember

    from . import pictures, runner

    checkpoint = checkpoint_of(options.checkpoint, DOMAIN)
    recommended, overrides = recommended_by(checkpoint), overrides_of(options.set)

    def settings_of(method: Method) -> Settings:
        return method.settings(options.profile, recommended, overrides)

    facts: dict[str, Any] = {"checkpoint": _hash(options), "portraits": portraits}
    for method in methods:
        # Each method's folder says what its pictures depend on, so that methods can be added to a run.
        folder = options.out / method.name
        folder.mkdir(parents=True, exist_ok=True)
        remember(folder, facts | {"settings": settings_of(method).as_dict()})
    workbench = Workbench(checkpoint, device=options.device, threads=options.threads)

    def cases() -> Iterator[NativeCase]:
        """One after the other, so that no more than one case's pictures are kept in memory."""
        turn, turns = options.part
        return islice(native_cases(portraits, options.cases, options.first), turn - 1, None, turns)

    left = sum(len(runner.left(case, methods, options.out)) for case in cases())
    console = Console(stderr=True)
    making = runner.run(workbench, cases(), methods, settings_of, options.out)
    for score in track(making, "edits", total=left, console=console):
        console.print(f"{score.case} {score.edit}, {pictures.figures(score)}", soft_wrap=True, highlight=False)


def _hash(options: argparse.Namespace) -> str:
    from s2edit.model.checkpoints import model_hash

    return model_hash(checkpoint_of(options.checkpoint, DOMAIN))


def _report(options: argparse.Namespace) -> int:
    from . import page

    scores = load(options.out, KeeperScore)
    if not scores:
        raise ValueError(f"There are no scores in “{options.out}” yet.")
    written = page.write(scores, options.out)
    sys.stdout.write((options.out / "report.md").read_text("utf-8") + f"\n{written}\n")
    return 0


def _sheet(options: argparse.Namespace) -> int:
    from . import pictures

    names = [case.id for case in native_cases(options.portraits, options.cases, options.first)]
    methods = [name for name in options.methods.split(",") if name]
    for path in pictures.sheets(load(options.out, KeeperScore), names, methods, options.out, webp=options.webp):
        sys.stdout.write(f"{path}\n")
    return 0


_TASKS = {"run": _run, "tune": _tune, "report": _report, "sheet": _sheet}
