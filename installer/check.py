"""All checks in one command: ruff, mypy --strict, import-linter, pytest; CI and GitHub's workflow run the same.

.venv/bin/python installer/check.py            everything ("whole")
.venv/bin/python installer/check.py --quick    a few minutes: no real editor, no daemon under fire, no large model
.venv/bin/python installer/check.py hosts      the tests with the real editors alone

What follows the lane goes to pytest:  installer/check.py --quick -k recipe
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

STATIC = (
    ("ruff check", [str(BIN / "ruff"), "check", "."]),
    ("ruff format", [str(BIN / "ruff"), "format", "--check", "."]),
    ("mypy --strict", [str(BIN / "mypy"), "s2edit", "server", "installer", "gimp_plugin", "krita_plugin", "tests"]),
    ("import-linter", [str(BIN / "lint-imports")]),
)
TESTS = {
    "quick": ("tests/unit", "tests/protocol", "-m", "not slow and not hosts"),
    "hosts": ("-m", "hosts"),
    "whole": (),
}
"""What pytest is told for each lane."""
# Two processes whatever the machine has, a file at a time, since the tests of a file may share an editor and follow one
# another. Not by xdist's groups: they rename tests in a way that pytest 9.2 no longer sees, and then all are split.
SIDE_BY_SIDE = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
SLOWEST = ("--durations=12", "--durations-min=15")  # what to quicken first


def main(arguments: list[str]) -> int:
    """Run every check of a lane even when one fails; the exit status counts the failed ones (0: all passed).

    pytest comes last, so that its closing line ends the output.
    """
    lane = arguments[0].removeprefix("--") if arguments else ""
    lane, extra = (lane, arguments[1:]) if lane in TESTS else ("whole", arguments)
    failed = [name for name, command in STATIC if lane != "hosts" and not _passes(name, command)]
    print("the checks so far passed" if not failed else "failed: " + ", ".join(failed), flush=True)
    print(f"== pytest, lane {lane}", flush=True)
    command = [sys.executable, "-m", "pytest", *SIDE_BY_SIDE, *SLOWEST, *TESTS[lane], *extra]
    return len(failed) + bool(subprocess.run(command, cwd=ROOT, check=False).returncode)


def _passes(name: str, command: list[str]) -> bool:
    print(f"== {name}", flush=True)
    start = time.monotonic()
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    print(f"   {time.monotonic() - start:.1f} s", flush=True)
    return code == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
