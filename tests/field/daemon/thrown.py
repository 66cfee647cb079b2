"""All that is thrown at the daemon: its clients, files and neighbours (the issue's kinds 10 to 18)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.field.case import Case
from tests.field.daemon import crowds, foreign, states, written

CASES: list[Case] = [*foreign.cases(), *crowds.cases(), *states.cases(), *written.cases()]


def rows() -> Iterator[tuple[str, str, str]]:
    """Group, what was thrown, and what came of it."""
    for case in CASES:
        with tempfile.TemporaryDirectory(prefix="s2-") as folder:  # short: a socket's path has 100 bytes
            yield case.group, case.name, case.throw(Path(folder))
