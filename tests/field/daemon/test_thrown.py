"""Whatever is thrown at the daemon, it holds; each of these broke an earlier version."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest

from tests.field.case import Case
from tests.field.daemon.thrown import CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.group}: {case.name}")
def test_what_comes_of_it(case: Case) -> None:
    with tempfile.TemporaryDirectory(prefix="s2-") as folder:
        came = case.throw(Path(folder))
    assert re.search(case.expected, came), came
