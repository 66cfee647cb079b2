"""Whatever is thrown at the daemon, it holds.

Thrown at commit 9d4bb98 (see `ground`), all of it broke that daemon but: `daemon start` among planted modules, which it
started in a folder of its own; half-open connections beyond select(), the flood of pings, and peers that never read,
which it withstood in this form.
"""

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
