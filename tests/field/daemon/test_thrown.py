"""Whatever is thrown at the daemon, it holds.

Thrown at commit 9d4bb98 (see `ground`), each kind from 10 to 18 broke that daemon. Of the single cases it withstood:
`daemon start` among planted modules, which it started in a folder of its own; peers that never read; endless pictures,
of which it kept little where they arrived slowly; clients beyond its descriptors, which gave up by themselves after
their five seconds; and names of folders in which desktops and systemd see nothing special. These stay as what must not
come back.
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
