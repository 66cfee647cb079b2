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
    ("mypy --strict", [str(BIN / "mypy"), "s2edit", "server", "installer", "gimp_plugin", "krita_plugin"]),
    ("import-linter", [str(BIN / "lint-imports")]),
)


def main(arguments: list[str]) -> int:
    """Run every check even when one fails; the exit status counts the failed ones (0: all passed)."""
    pytest = [sys.executable, "-m", "pytest"]
    if "--quick" in arguments:
        pytest += ["-m", "not slow and not hosts"]
    extra = [argument for argument in arguments if argument != "--quick"]
    failed = []
    for name, command in (*STATIC, ("pytest", pytest + extra)):
        print(f"== {name}", flush=True)
        start = time.monotonic()
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            failed.append(name)
        print(f"   {time.monotonic() - start:.1f} s", flush=True)
    print("all checks passed" if not failed else "failed: " + ", ".join(failed), flush=True)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
