"""What the marks add to an edit by the command line, in seconds and bytes, against their limits: a table of Markdown.

    python -m tests.benchmarks.marking_cost [--sides 512 1600] [--profile fast]

For each side, a drawn portrait is edited by the embedded model in processes of their own: without any mark, then with
all of them and a credential that is made on the way ("cold"), then with that credential ("warm"). Seconds are those
that the marks' own functions take in the command's process, and `watermark.embed` on as large a patch, against the
whole time of the edit without marks: two whole edits differ by more than the marks take. Bytes are those of the file.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from s2edit_cli import writing
from s2edit_cli.main import main as s2edit
from s2edit_marks import credential, watermark
from s2edit_marks.marking import MARKS

from s2edit.research.starter.renderer import sample_portrait

MOST_SECONDS, MOST_BYTES = 0.02, 30_000
"""Share of the edit's time, and bytes of the file, that the marks may add."""
SEED = 40_000_123
WORDS = {"source": "a portrait", "target": "a portrait with a black hat", "object": "portrait"}


def edit(source: Path, out: Path, profile: str, without: tuple[str, ...]) -> dict[str, float]:
    """In a process of its own: one edit; prints the seconds that it took, and the marks' functions in it."""
    spent: dict[str, float] = {}

    def timed(owner: Any, name: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        def run(*given: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return real(*given, **named)
            finally:
                spent[name] = spent.get(name, 0) + time.perf_counter() - began

        setattr(owner, name, run)

    for owner, name in ((credential, "identity"), (writing, "mark_metadata"), (writing, "mark_file")):
        timed(owner, name)
    words = [part for name, text in WORDS.items() for part in (f"--{name}", text)]
    left_out = [part for name in without for part in ("--without", name)]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = s2edit(["edit", str(source), "-o", str(out), *words, "--profile", profile, *left_out, "--json"])
    told = json.loads(said.getvalue())
    assert code == 0, told
    return {**spent, "whole": told["seconds"], "box": told["changed_box"], "marks": told["marks"]}


def run(*given: str) -> dict[str, Any]:
    """That, from here."""
    command = [sys.executable, "-m", "tests.benchmarks.marking_cost", "--child", *given]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def embedding(out: Path, box: list[int]) -> float:
    """Seconds that marking a patch as large as the edit's takes."""
    x, y, width, height = box
    patch = np.asarray(Image.open(out).convert("RGB"))[y : y + height, x : x + width]
    began = time.perf_counter()
    watermark.embed(patch, np.full(patch.shape[:2], 255, np.uint8))
    return time.perf_counter() - began


def rows(folder: Path, sides: list[int], profile: str) -> Iterator[str]:
    """A line of the table for each edit with marks."""
    for side in sides:
        source = folder / f"portrait{side}.png"
        Image.fromarray(sample_portrait(SEED, side)[0]).save(source)
        bare = run(str(source), str(folder / "bare.png"), profile, *MARKS)
        shutil.rmtree(credential.signing_folder(), ignore_errors=True)
        for warmth in ("cold", "warm"):
            out = folder / f"{warmth}.png"
            marked = run(str(source), str(out), profile)
            parts = [marked["identity"], marked["mark_metadata"], marked["mark_file"], embedding(out, marked["box"])]
            share = sum(parts) / bare["whole"]
            added = out.stat().st_size - (folder / "bare.png").stat().st_size
            held = "yes" if share < MOST_SECONDS and added < MOST_BYTES else "no"
            cells = [
                f"{bare['whole']:.1f}",
                *(f"{seconds:.3f}" for seconds in parts),
                f"{share:.1%}",
                f"{added:,}",
                held,
            ]
            yield f"| {side}, {warmth} | " + " | ".join(cells) + " |"


def main() -> None:
    """Edit, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", nargs="+", type=int, default=[512, 1600], metavar="PX")
    parser.add_argument("--profile", default="fast")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        source, out, profile, *without = given.child
        print(json.dumps(edit(Path(source), Path(out), profile, tuple(without))))
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["S2EDIT_HOME"] = f"{folder}/state"
        heads = (
            "edit, px | without marks, s | credential, s | XMP, s | C2PA, s | watermark, s | added | bytes added | held"
        )
        print(
            f"Limits: {MOST_SECONDS:.0%} of the time, {MOST_BYTES:,} bytes.\n\n| {heads} |\n|{'---|' * 9}", flush=True
        )
        try:
            for row in rows(Path(folder), given.sides, given.profile):
                print(row, flush=True)
        finally:
            with contextlib.redirect_stdout(sys.stderr):
                s2edit(["daemon", "stop"])


if __name__ == "__main__":
    main()
