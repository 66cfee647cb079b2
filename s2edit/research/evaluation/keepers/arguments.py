"""What `s2edit bench keepers` can be told."""

from __future__ import annotations

import argparse
from pathlib import Path

from s2edit.research.evaluation.reading import count, part

from .cases import PURPOSES
from .tuning import RULE

METHODS = "s2edit,direct+p2p,inpaint"


def add_keepers(keepers: argparse.ArgumentParser) -> None:
    """Add the commands `run`, `tune`, `report` and `sheet` with their options."""
    tasks = keepers.add_subparsers(dest="task", required=True)
    run = tasks.add_parser("run", help="make and score edits; goes on where an earlier run into the folder was stopped")
    tune = tasks.add_parser(
        "tune",
        help="find each method's own best settings on the tuning portraits, and write them for `run --best`",
        description=f"Tries as many settings for every method. The rule: {RULE}.",
    )
    report = tasks.add_parser("report", help="write tables and page anew from what a run has scored so far")
    sheet = tasks.add_parser("sheet", help="write source, mask, result and truth of cases at their own size")
    for task in (run, sheet):
        task.add_argument("--portraits", choices=PURPOSES, default="test", help="whose portraits (default: test)")
    for task in (run, tune, sheet):
        task.add_argument("--cases", type=count(1), default=60, metavar="N", help="so many, by number (default: 60)")
        task.add_argument("--first", type=count(0), default=0, metavar="K", help="number of the first (default: 0)")
    for task in (run, tune, report, sheet):
        task.add_argument("--out", type=Path, required=True, metavar="DIR", help="scores, pictures and page go here")
    for task in (run, tune):
        add_making(task)
        task.add_argument(
            "--part", type=part, default="1/1", metavar="K/N", help="every N-th case only, from the K-th on"
        )
    for task in (tune, sheet):
        task.add_argument("--methods", default=METHODS, help=f"comma-separated (default: {METHODS})")
    sheet.add_argument("--webp", type=Path, metavar="DIR", help="write them here instead, as small WebP for a README")
    run.add_argument("--methods", default="s2edit", help=f"comma-separated, such as {METHODS} (default: s2edit)")
    run.add_argument("--best", type=Path, metavar="FILE.json", help="each method's own settings, as `tune` chose them")
    tune.add_argument("--best", type=Path, required=True, metavar="FILE.json", help="the chosen settings go here")


def add_making(task: argparse.ArgumentParser) -> None:
    """Add what every command that makes edits can be told."""
    task.add_argument("--profile", default="balanced", help="where the settings come from (default: balanced)")
    task.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="such as identity.steps=16")
    task.add_argument("--checkpoint", type=Path, help="folder of another checkpoint of portraits")
    task.add_argument("--device", default="auto", help="what computes: auto, cpu, cuda, … (default: auto)")
    task.add_argument("--threads", type=count(1), default=1, help="of the processor (default: 1)")
