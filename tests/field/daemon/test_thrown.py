"""Whatever is thrown at the daemon, it holds.

AT_9D4BB98.md is what came of it at commit 9d4bb98: each kind from 10 to 18 broke that daemon. The single cases that it
withstood, some only as long as the machine was not busy, stay as what must not come back.
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


def test_each_kind_broke_the_daemon_of_9d4bb98() -> None:
    """As printed by `python -m tests.field.daemon 9d4bb98`; a case that is new here has to be thrown there, too."""
    printed = (Path(__file__).parent / "AT_9D4BB98.md").read_text("utf-8")
    came: dict[str, str] = {}
    group = ""
    for line in printed.splitlines():
        if re.match(r"1\d \w", line):
            group = line
        elif group and (found := re.match(r"  (.+?) +(held|broken): ", line)):
            came[f"{group}: {found[1]}"] = found[2]
    # Some are thrown only where a program that reads them is there.
    assert {f"{case.group}: {case.name}" for case in CASES} <= set(came)
    broken = {int(name[:2]) for name, how in came.items() if how == "broken"}
    assert broken == {10, 11, 12, 13, 14, 15, 16, 17, 18}
