"""What `s2edit bench` can be told: its commands and their options, checked as they are read."""

from __future__ import annotations

import argparse
from pathlib import Path

from .helping import BoxedParser
from .keepers.arguments import add_keepers
from .methods import METHODS
from .reading import count, part, scale, scales


def parser(program: str) -> argparse.ArgumentParser:
    """The command line: `run`, `score`, `export` and `report`, each with its options."""
    whole = BoxedParser(
        prog=program,
        description="Edits of rendered portraits, scored against the same portraits rendered with the change.",
    )
    kinds = whole.add_subparsers(dest="what", required=True)
    run = kinds.add_parser(
        "run",
        help="make and score edits; goes on where an earlier run into the same folder was stopped",
        epilog="Methods:\n" + "\n".join(f"  {method.name:18}{method.title}" for method in METHODS.values()),
    )
    _add_run(run)
    score = kinds.add_parser(
        "score", help="score pictures that any other system made; into a run's folder, beside this project's methods"
    )
    score.add_argument(
        "--results", type=Path, required=True, metavar="DIR", help="one CASE-ID.png per case; DIR is the system's name"
    )
    export = kinds.add_parser("export", help="write the cases' sources, masks and prompts for another system")
    report = kinds.add_parser("report", help="write the page anew from what a run has scored so far")
    report.add_argument("--overview", type=Path, metavar="FILE.png", help="also two cases of each kind as one picture")
    for kind in (run, score, export):
        kind.add_argument("--portraits", type=count(1), metavar="N", help="how many portraits")
        kind.add_argument("--edits", type=count(1), metavar="M", help="edits of each portrait")
        kind.add_argument("--domain", default="portraits", help="what is edited (default: portraits)")
        kind.add_argument("--tuning", action="store_true", help="portraits for choosing settings, not for scores")
        kind.add_argument("--subset", action="store_true", help="2 portraits, 2 edits, few steps: shows that all runs")
    for kind in (run, score, export, report):
        kind.add_argument("--out", type=Path, required=True, metavar="DIR", help="scores, pictures and page go here")
    keepers = kinds.add_parser("keepers", help="how many edits a painter would keep, at the pictures' own size")
    add_keepers(keepers)
    return whole


def _add_run(run: argparse.ArgumentParser) -> None:
    """The options of `run` alone."""
    run.add_argument("--methods", default="", help="comma-separated; all when left out (see the list below)")
    run.add_argument(
        "--profile", default="balanced", help="that methods without one of their own take their settings from"
    )
    run.add_argument("--guidance", type=scale, metavar="W", help="guidance scale instead of the profile's")
    run.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="another setting, such as identity.steps=100"
    )
    run.add_argument(
        "--sweep",
        type=scales,
        default=[],
        metavar="W,W,…",
        help="make the trade-off curve at these guidance scales too",
    )
    run.add_argument(
        "--others", type=count(0), metavar="N", help="on so many portraits also the methods off the paper's claim"
    )
    run.add_argument("--checkpoint", type=Path, help="folder of another checkpoint than the domain's own")
    run.add_argument("--instruct-pix2pix", type=Path, metavar="DIR", help="folder of InstructPix2Pix's weights")
    run.add_argument(
        "--part",
        type=part,
        default="1/1",
        metavar="K/N",
        help="every N-th portrait only; N such runs can share one folder",
    )
    run.add_argument("--device", default="auto", help="what computes: auto, cpu, cuda, … (default: auto)")
    run.add_argument("--threads", type=count(1), default=1, help="of the processor (default: 1)")
