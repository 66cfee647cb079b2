"""`python -m tests.fuzz [--long]`: promises 3 to 6 with their figures."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from . import flood, garbage, loris, messages

PROMISES = (
    (3, messages, 20_000, 1_000_000),
    (4, garbage, 2_000, 100_000),
    (5, flood, 10, 60),
    (6, loris, 1_000, 1_000),
)


def main() -> None:
    """Run all and print one line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="the full numbers of the promises: hours")
    options = parser.parse_args()
    for number, module, short, long in PROMISES:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="s2f") as folder:
            figures = module.check(long if options.long else short, Path(folder))
        print(f"{number}. {figures} [{time.monotonic() - begun:.0f} s]", flush=True)


if __name__ == "__main__":
    main()
