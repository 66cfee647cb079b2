"""`python -m s2edit.evaluation`: run the benchmark, or score another system's pictures."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import track

from .cases import TEST_FIRST, TUNING_FIRST, Case, cases
from .methods import METHODS


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m s2edit.evaluation", description=__doc__)
    kinds = parser.add_subparsers(dest="what", required=True)
    run = kinds.add_parser("run", help="make and score edits with the methods of this project")
    run.add_argument("--methods", default=",".join(METHODS), help="comma-separated: " + ", ".join(METHODS))
    run.add_argument("--checkpoint", type=Path, help="folder of another checkpoint than the embedded one")
    run.add_argument("--profile", default="balanced", help="the profile that the methods are derived from")
    run.add_argument("--guidance", type=float, help="guidance scale w instead of the profile's")
    run.add_argument("--threads", type=int, default=1)
    score = kinds.add_parser("score", help="score a folder of pictures, one CASE-ID.png each")
    score.add_argument("results", type=Path)
    export = kinds.add_parser("export", help="write the cases' sources, masks and prompts for another system")
    for kind in (run, score, export):
        kind.add_argument("--portraits", type=int, default=40)
        kind.add_argument("--per-edit", type=int, help="at most so many portraits for one edit")
        kind.add_argument("--tuning", action="store_true", help="portraits for choosing settings, not for scores")
        kind.add_argument("--out", type=Path, required=True)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say; 2 when they can't be met."""
    options = _arguments().parse_args(arguments)
    chosen = list(cases(options.portraits, options.per_edit, first=TUNING_FIRST if options.tuning else TEST_FIRST))
    console = Console()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.what == "export":
        return _export(chosen, options.out)
    from . import bench, page

    if options.what == "score":
        scores = list(bench.score_folder(options.results, chosen, options.results.name))
        (options.out / bench.SCORES).write_text("".join(json.dumps(asdict(s)) + "\n" for s in scores), "utf-8")
    else:
        unknown = [name for name in options.methods.split(",") if name not in METHODS]
        if unknown:
            console.print(f"There is no method “{unknown[0]}”; choose from {', '.join(METHODS)}.")
            return 2
        _run(options, chosen, console)
        scores = bench.load(options.out)
    written = page.write(scores, chosen[:40], options.out)
    console.print((options.out / "report.md").read_text("utf-8"), soft_wrap=True)
    console.print(f"{written}", soft_wrap=True)
    return 0


def _run(options: argparse.Namespace, chosen: list[Case], console: Console) -> None:
    from s2edit.engine import Engine
    from s2edit.settings import profile
    from s2edit.starter import recommended, weights_folder

    from . import bench

    methods = [METHODS[name] for name in options.methods.split(",")]
    engine = Engine(options.checkpoint or weights_folder(), threads=options.threads)
    full = profile(options.profile, recommended())
    if options.guidance is not None:
        full = full.replace_from({"edit.guidance": options.guidance})
    total = len(chosen) * len(methods) - len(bench.load(options.out))
    for _ in track(bench.run(engine, chosen, methods, full, options.out), "edits", total=total, console=console):
        pass


def _export(chosen: list[Case], out: Path) -> int:
    from PIL import Image

    listed = []
    for case in chosen:
        Image.fromarray(case.image).save(out / f"{case.id}.source.png")
        if case.mask is not None:
            Image.fromarray(case.mask).save(out / f"{case.id}.mask.png")
        listed.append({"id": case.id, "source": case.prompts[0], "target": case.prompts[1]})
    (out / "cases.json").write_text(json.dumps(listed, indent=1), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
