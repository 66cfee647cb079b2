"""All checks in one command: ruff, mypy --strict, import-linter, pytest; CI runs the same.

.venv/bin/python installer/check.py            everything
.venv/bin/python installer/check.py --quick    without the tests that take minutes or need the real editors
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


def main(arguments: list[str]) -> int:
    """Run every check even when one fails; the exit status counts the failed ones (0: all passed).

    pytest comes last, so that its closing line ends the output.
    """
    failed = [name for name, command in STATIC if not _passes(name, command)]
    print("the checks so far passed" if not failed else "failed: " + ", ".join(failed), flush=True)
    pytest = [sys.executable, "-m", "pytest", "--durations=12", "--durations-min=15"]  # what to quicken first
    if "--quick" in arguments:
        pytest += ["-m", "not slow and not hosts"]
    extra = [argument for argument in arguments if argument != "--quick"]
    print("== pytest", flush=True)
    return len(failed) + bool(subprocess.run(pytest + extra, cwd=ROOT, check=False).returncode)


def _passes(name: str, command: list[str]) -> bool:
    print(f"== {name}", flush=True)
    start = time.monotonic()
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    print(f"   {time.monotonic() - start:.1f} s", flush=True)
    return code == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
