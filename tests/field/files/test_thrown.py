"""Each awkward file is taken, taken with a word, or refused with a word; never a traceback, never other pixels."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.field.case import Case
from tests.field.files.thrown import CASES, outcome


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.group}: {case.name}")
def test_what_comes_of_it(case: Case, tmp_path: Path) -> None:
    came = outcome(case, tmp_path)
    assert re.search(case.expected, came), came
    left = [path.name for path in tmp_path.rglob(".s2edit-*")]
    assert not left
