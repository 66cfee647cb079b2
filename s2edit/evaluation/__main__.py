"""`python -m s2edit.evaluation` (and `s2edit bench`): run the benchmark, or score another system's pictures."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s2edit.settings import Settings

    from .cases import Case
    from .methods import Method

_EXTRAS = {
    "scipy": "scipy",
    "torchmetrics": "torchmetrics",
    "python_avatars": "python-avatars",
    "resvg_py": "resvg-py",
}
_SUBSET = {"inversion.steps": 10, "inversion.inner_steps": 2, "identity.steps": 10}
"""Settings of `--subset`: it shows that everything runs, and nothing about quality."""
_DEFAULTS = {"portraits": (42, 2), "edits": (5, 2), "others": (12, 2)}
"""How much of everything, in a whole run and in `--subset`."""
WRONG_ARGUMENTS, STOPPED = 2, 130


def _arguments(program: str) -> argparse.ArgumentParser:
    from .methods import METHODS

    listed = "\n".join(f"  {method.name:18}{method.title}" for method in METHODS.values())
    parser = argparse.ArgumentParser(
        prog=program,
        description="Edits of rendered portraits, scored against the same portraits rendered with the change.",
    )
    kinds = parser.add_subparsers(dest="what", required=True)
    run = kinds.add_parser(
        "run",
        help="make and score edits; goes on where an earlier run into the same folder was stopped",
        epilog=f"Methods:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("--methods", default="", help="comma-separated; all when left out (see the list below)")
    run.add_argument(
        "--profile", default="balanced", help="that methods without one of their own take their settings from"
    )
    run.add_argument("--guidance", type=float, metavar="W", help="guidance scale instead of the profile's")
    run.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="another setting, such as identity.steps=100"
    )
    run.add_argument(
        "--sweep", default="", metavar="W,W,…", help="make the trade-off curve at these guidance scales too"
    )
    run.add_argument(
        "--others", type=int, metavar="N", help="on so many portraits also the methods off the paper's claim"
    )
    run.add_argument("--checkpoint", type=Path, help="folder of another checkpoint than the domain's own")
    run.add_argument("--instruct-pix2pix", type=Path, metavar="DIR", help="folder of InstructPix2Pix's weights")
    run.add_argument(
        "--part", default="1/1", metavar="K/N", help="every N-th portrait only; N such runs can share one folder"
    )
    run.add_argument("--device", default="auto")
    run.add_argument("--threads", type=int, default=1, help="of the processor (default: 1)")
    score = kinds.add_parser("score", help="score pictures that any other system made")
    score.add_argument("--results", type=Path, required=True, metavar="DIR", help="one CASE-ID.png per case")
    export = kinds.add_parser("export", help="write the cases' sources, masks and prompts for another system")
    report = kinds.add_parser("report", help="write the page anew from what a run has scored so far")
    report.add_argument("--overview", type=Path, metavar="FILE.png", help="also two cases of each kind as one picture")
    for kind in (run, score, export, report):
        kind.add_argument("--portraits", type=int, metavar="N")
        kind.add_argument("--edits", type=int, metavar="M", help="edits of each portrait")
        kind.add_argument("--domain", default="portraits", help="what is edited (default: portraits)")
        kind.add_argument("--tuning", action="store_true", help="portraits for choosing settings, not for scores")
        kind.add_argument("--subset", action="store_true", help="2 portraits, 2 edits, few steps: shows that all runs")
        kind.add_argument("--out", type=Path, required=True, metavar="DIR", help="scores, pictures and page go here")
    return parser


def main(arguments: Sequence[str] | None = None, program: str = "s2edit bench") -> int:
    """Do what the arguments say; 2 when they can't be met, 130 when it was stopped from the keyboard."""
    missing = [package for module, package in _EXTRAS.items() if find_spec(module) is None]
    if missing:
        return _refuse(f"The benchmark needs {', '.join(missing)}. Run: pip install 's2edit[bench]'")
    from s2edit.errors import S2EditError

    options = _arguments(program).parse_args(arguments)
    for name, (whole, small) in _DEFAULTS.items():
        if getattr(options, name, None) is None:
            setattr(options, name, small if options.subset else whole)
    try:
        return _obey(options)
    except (S2EditError, ValueError, OSError) as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. The same command goes on from here.\n")
        return STOPPED


def _refuse(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return WRONG_ARGUMENTS


def _obey(options: argparse.Namespace) -> int:
    from s2edit.starter.domain import domain

    from .cases import TEST_FIRST, TUNING_FIRST, cases

    if options.what == "score" and not options.results.is_dir():
        raise ValueError(f"There is no folder “{options.results}”.")
    first = TUNING_FIRST if options.tuning else TEST_FIRST
    chosen = list(cases(options.portraits, options.edits, first=first, domain=domain(options.domain)))
    if options.what == "export":
        return _export(chosen, options.out)
    if options.what == "report":
        if options.overview is not None:
            from .page import overview

            overview(chosen, options.out).save(options.overview)
        return _report(options.out, chosen)
    return _score(options, chosen) if options.what == "score" else _run(options, chosen)


def _run(options: argparse.Namespace, chosen: list[Case]) -> int:
    from rich.console import Console
    from rich.progress import track

    from s2edit.baselines import Workbench
    from s2edit.checkpoints import model_hash
    from s2edit.starter import weights_folder

    from . import bench, runner
    from .methods import METHODS
    from .methods import chosen as chosen_methods

    scales = [float(scale) for scale in options.sweep.split(",") if scale]
    methods = chosen_methods(options.methods, scales, with_weights=options.instruct_pix2pix is not None)
    checkpoint = options.checkpoint or weights_folder(options.domain)
    if not checkpoint.exists():
        raise ValueError(f"There is no checkpoint in “{checkpoint}”. Name the folder of one with --checkpoint.")
    recommended = _recommended(checkpoint)
    overrides = _overrides(options)

    def settings_of(method: Method) -> Settings:
        return method.settings(options.profile, recommended, overrides)

    for method in methods:
        settings_of(method)
    full = settings_of(METHODS["s2edit"])
    # What the scores depend on: a folder with others is not gone on with.
    facts: dict[str, Any] = {
        "checkpoint": model_hash(checkpoint),
        "settings": full.as_dict(),
        "domain": options.domain,
        "choice of portraits": [options.tuning, options.edits],
    }
    workbench = Workbench(checkpoint, instruct=options.instruct_pix2pix, device=options.device, threads=options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    runner.remember(options.out, facts)
    plan = runner.planned(chosen, methods, options.others, _part(options.part))
    done = {(score.case, score.method) for score in bench.load(options.out)}
    left = sum((case.id, method.name) not in done for case, method in plan)
    console = Console(stderr=True)
    for _ in track(runner.run(workbench, plan, settings_of, options.out), "edits", total=left, console=console):
        pass
    return _report(options.out, chosen)


def _part(text: str) -> tuple[int, int]:
    """K and N of "K/N"."""
    number, _, parts = text.partition("/")
    if not (number.isdigit() and parts.isdigit() and 1 <= int(number) <= int(parts)):
        raise ValueError(f"“{text}” is no part; write K/N, such as 1/2 and 2/2.")
    return int(number), int(parts)


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = dict(_SUBSET) if options.subset else {}
    for text in options.set:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"“{text}” is no setting; write NAME=VALUE.")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    if options.guidance is not None:
        found["edit.guidance"] = options.guidance
    return found


def _recommended(checkpoint: Path) -> dict[str, Any]:
    """The settings that lie beside a checkpoint's weights, or none."""
    path = checkpoint / "recommended.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return found


def _score(options: argparse.Namespace, chosen: list[Case]) -> int:
    from . import bench

    results: Path = options.results.resolve()
    scores = list(bench.score_folder(results, chosen, results.name))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / bench.SCORES).write_text("".join(json.dumps(asdict(score)) + "\n" for score in scores), "utf-8")
    return _report(options.out, chosen, results.parent)


def _report(out: Path, chosen: list[Case], pictures: Path | None = None) -> int:
    from . import bench, page, runner

    scores = bench.load(out)
    if not scores:
        raise ValueError(f"There are no scores in “{out}” yet.")
    written = page.write(scores, chosen, out, pictures=pictures, scale=runner.scale(out))
    sys.stdout.write((out / "report.md").read_text("utf-8") + f"\n{written}\n")
    return 0


def _export(chosen: list[Case], out: Path) -> int:
    from PIL import Image

    out.mkdir(parents=True, exist_ok=True)
    listed = []
    for case in chosen:
        Image.fromarray(case.image).save(out / f"{case.id}.source.png")
        if case.mask is not None:
            Image.fromarray(case.mask).save(out / f"{case.id}.mask.png")
        source, target = case.prompts
        listed.append({"id": case.id, "source": source, "target": target, "instruction": case.instruction})
    (out / "cases.json").write_text(json.dumps(listed, indent=1), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
