"""`s2edit bench`, `python -m s2edit.research.evaluation`: run the benchmark, or score another system's pictures."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
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
_DEFAULTS = {"portraits": (42, 2), "edits": (5, 2), "others": (12, 2)}
"""How much of everything, in a whole run and in `--subset`."""
WRONG_ARGUMENTS, LACKING, STOPPED = 2, 3, 130


def main(arguments: Sequence[str] | None = None, program: str = "s2edit bench") -> int:
    """Do what the arguments say; 2: they can't be met, 3: a package is missing, 130: stopped from the keyboard."""
    missing = [package for module, package in _EXTRAS.items() if find_spec(module) is None]
    if missing:
        _say(f"The benchmark needs {', '.join(missing)}: the extra “bench” of S²Edit.")
        return LACKING
    from s2edit.errors import S2EditError

    from .arguments import parser

    options = parser(program).parse_args(arguments)
    try:
        return _COMMANDS[options.what](options)
    except S2EditError as error:
        return _refuse(f"{error} {error.hint}".strip())
    except ValueError as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"“{error.filename}”: {error.strerror}." if error.filename and error.strerror else str(error))
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. The same command goes on from here.\n")
        return STOPPED


def _say(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")


def _refuse(sentence: str) -> int:
    _say(sentence)
    return WRONG_ARGUMENTS


def _chosen(options: argparse.Namespace) -> list[Case]:
    """The cases that the options ask for."""
    from s2edit.research.starter.domain import domain

    from .cases import TEST_FIRST, TUNING_FIRST, cases

    for name, (whole, small) in _DEFAULTS.items():
        if getattr(options, name, None) is None:
            setattr(options, name, small if options.subset else whole)
    first = TUNING_FIRST if options.tuning else TEST_FIRST
    return list(cases(options.portraits, options.edits, first=first, domain=domain(options.domain)))


def _run(options: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.progress import track

    from s2edit.model.checkpoints import model_hash
    from s2edit.profiles import recommended_by
    from s2edit.research.baselines import Workbench

    from . import bench, runner
    from .choices import checkpoint_of, overrides_of
    from .methods import FULL, METHODS
    from .methods import chosen as chosen_methods

    chosen = _chosen(options)
    methods = chosen_methods(options.methods, options.sweep, with_weights=options.instruct_pix2pix is not None)
    checkpoint = checkpoint_of(options.checkpoint, options.domain)
    recommended = recommended_by(checkpoint)
    overrides = overrides_of(options.set, options.guidance, subset=options.subset)

    def settings_of(method: Method) -> Settings:
        return method.settings(options.profile, recommended, overrides)

    for method in methods:
        settings_of(method)
    full = settings_of(METHODS[FULL])
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
    plan = runner.planned(chosen, methods, options.others, options.part)
    done = {(score.case, score.method) for score in bench.load(options.out)}
    left = sum((case.id, method.name) not in done for case, method in plan)
    console = Console(stderr=True)
    for _ in track(runner.run(workbench, plan, settings_of, options.out), "edits", total=left, console=console):
        pass
    return _write_page(options.out)


def _score(options: argparse.Namespace) -> int:
    from . import bench, runner
    from .methods import METHODS, scale_of

    results: Path = options.results.resolve()
    if not results.is_dir():
        raise ValueError(f"There is no folder “{options.results}”.")
    if runner.is_run(options.out) and scale_of(results.name)[0] in METHODS:
        raise ValueError(
            f"“{results.name}” is a method of the run in “{options.out}”, whose scores would be lost. "
            "Rename the folder of results, or choose another --out."
        )
    chosen = _cases_in(options.out) if options.portraits is options.edits is None else []
    chosen = chosen or _chosen(options)
    scores = list(bench.score_folder(results, chosen, results.name, options.out))
    if missing := sum(bool(score.error) for score in scores):
        _say(f"{missing} of {len(chosen)} cases have no picture and count as no edit.")
    if others := bench.strangers(results, chosen):
        _say(f"{len(others)} files are named after no case and don't count, such as {others[0]}.")
    bench.replace(options.out, results.name, scores)
    return _write_page(options.out)


def _cases_in(out: Path) -> list[Case]:
    """The cases that a folder has scores of, by portrait."""
    from . import bench
    from .cases import case_of

    found = [case_of(name) for name in dict.fromkeys(score.case for score in bench.load(out))]
    known = [case for case in found if case is not None]
    return sorted(known, key=lambda case: (case.seed, case.domain.edits.index(case.edit)))


def _report(options: argparse.Namespace) -> int:
    if options.overview is not None:
        from .page import overview

        overview(_cases_in(options.out), options.out).save(options.overview)
    return _write_page(options.out)


def _write_page(out: Path) -> int:
    from . import bench, page, runner

    scores = bench.load(out)
    if not scores:
        raise ValueError(f"There are no scores in “{out}” yet.")
    written = page.write(scores, _cases_in(out), out, scale=runner.scale(out))
    sys.stdout.write((out / "report.md").read_text("utf-8") + f"\n{written}\n")
    return 0


def _export(options: argparse.Namespace) -> int:
    from PIL import Image

    chosen, out = _chosen(options), options.out
    out.mkdir(parents=True, exist_ok=True)
    listed = []
    for case in chosen:
        Image.fromarray(case.image).save(out / f"{case.id}.source.png")
        if case.mask is not None:
            Image.fromarray(case.mask).save(out / f"{case.id}.mask.png")
        source, target = case.prompts
        prompts = {"source": source, "target": target, "instruction": case.instruction, "object": case.noun}
        listed.append({"id": case.id, "painted": case.painted, **prompts})
    (out / "cases.json").write_text(json.dumps(listed, indent=1, ensure_ascii=False), "utf-8")
    _say(
        f"{len(chosen)} cases. Write each answer as ID.png ({chosen[0].id}.png, …) into a folder named after your "
        "system, then: s2edit bench score --results FOLDER, with the same --portraits, --edits and --domain."
    )
    return 0


def _keepers(options: argparse.Namespace) -> int:
    from .keepers import commands

    return commands.main(options)


_COMMANDS = {"run": _run, "score": _score, "export": _export, "report": _report, "keepers": _keepers}

if __name__ == "__main__":
    sys.exit(main())
