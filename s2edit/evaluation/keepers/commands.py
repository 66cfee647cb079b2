"""`s2edit bench keepers`: its commands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from s2edit.evaluation.choices import checkpoint_of, overrides_of
from s2edit.evaluation.records import load

from .cases import NativeCase, native_cases

if TYPE_CHECKING:
    from s2edit.evaluation.methods import Method
    from s2edit.settings import Settings

DOMAIN = "portraits"


def main(options: argparse.Namespace) -> int:
    """Do the task; raises ValueError and S2EditError for what can't be done, for the caller to tell."""
    return _TASKS[options.task](options)


def _run(options: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.progress import track

    from s2edit.baselines import Workbench
    from s2edit.checkpoints import model_hash
    from s2edit.evaluation.methods import chosen
    from s2edit.evaluation.runner import remember
    from s2edit.profiles import recommended_by

    from . import runner

    methods = chosen(options.methods, (), with_weights=False)
    checkpoint = checkpoint_of(options.checkpoint, DOMAIN)
    recommended, overrides = recommended_by(checkpoint), overrides_of(options.set)

    def settings_of(method: Method) -> Settings:
        return method.settings(options.profile, recommended, overrides)

    facts: dict[str, Any] = {
        "checkpoint": model_hash(checkpoint),
        "settings": {method.name: settings_of(method).as_dict() for method in methods},
        "cases": options.portraits,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    remember(options.out, facts)
    workbench = Workbench(checkpoint, device=options.device, threads=options.threads)
    turn, turns = options.part
    cases = islice(_cases(options), turn - 1, None, turns)
    making = runner.run(workbench, cases, methods, settings_of, options.out)
    console = Console(stderr=True)
    total = len(range(turn - 1, options.cases, turns)) * len(methods)
    for score in track(making, "edits", total=total, console=console):
        kept = "kept" if score.keeper else score.error or "not kept"
        console.print(
            f"{score.case} {score.method}: {score.edit}, gain {score.gain:.2f}, damage {score.damage:.1f} dB, "
            f"sharp {score.sharp:.2f}: {kept}"
        )
    return _report(options)


def _cases(options: argparse.Namespace) -> Iterator[NativeCase]:
    """One after the other, so that no more than one case's pictures are kept in memory."""
    return native_cases(options.portraits, options.cases, options.first)


def _report(options: argparse.Namespace) -> int:
    from . import tables
    from .runner import KeeperScore

    scores = load(options.out, KeeperScore)
    if not scores:
        raise ValueError(f"There are no scores in “{options.out}” yet.")
    told = tables.markdown(scores)
    (options.out / "report.md").write_text(told, "utf-8")
    sys.stdout.write(told)
    return 0


def _sheet(options: argparse.Namespace) -> int:
    from . import sheet

    for path in sheet.write(_cases(options), options.method, options.out):
        sys.stdout.write(f"{path}\n")
    return 0


_TASKS = {"run": _run, "report": _report, "sheet": _sheet}
