"""`python -m tests.again [RUNS] [FILE …]`: run tests that wait for processes over and over, with a busy program beside.

Prints each failure, and at the end how many runs had one. Without files: those that start daemons, workers and clients.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
UNIT = ("bridge_pool", "daemon", "daemon_life", "front_door", "line", "owners", "pool", "retention", "scheduler")
WAITING = (
    *(f"tests/unit/server/test_{name}.py" for name in (*UNIT, "supervisor")),
    *(f"tests/protocol/test_{name}.py" for name in ("client", "launcher", "session", "conversation")),
)
BUSY = "while True: pass"


def main(runs: int = 100, *files: str) -> int:
    """The exit status: 1 where any run failed."""
    failed: Counter[str] = Counter()
    bad = 0
    with subprocess.Popen([sys.executable, "-c", BUSY]) as busy:
        try:
            for number in range(1, runs + 1):
                names = failures(files or WAITING)
                bad += bool(names)
                failed.update(names)
                print(f"run {number} of {runs}: {', '.join(names) or 'passed'}", flush=True)
        finally:
            busy.kill()
    print(f"{bad} of {runs} runs failed")
    for name, count in failed.most_common():
        print(f"  {count} times {name}")
    return 1 if bad else 0


def failures(files: tuple[str, ...]) -> list[str]:
    """One run in a process of its own: the tests that failed; the whole run where pytest itself broke."""
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    named = [line.split()[1] for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    if done.returncode and not named:
        print(done.stdout[-2000:], done.stderr[-2000:])
        return ["pytest"]
    return named


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(int(given[0]) if given else 100, *given[1:]))
