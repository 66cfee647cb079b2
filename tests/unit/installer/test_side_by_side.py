"""The two processes of a lane take whole files: the tests of one may share an editor and follow one another."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FILES = ("tests/unit/method/test_knobs.py", "tests/unit/editor/test_turns.py", "tests/unit/editor/test_form.py")
DONE = re.compile(r"^\[(gw\d)\].* (tests/\S+?\.py)::", re.MULTILINE)


@pytest.mark.slow
def test_all_tests_of_a_file_are_run_by_one_process() -> None:
    beside = runpy.run_path(str(ROOT / "installer" / "check.py"))["SIDE_BY_SIDE"]
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *beside, *FILES]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    ran = DONE.findall(told)
    assert {file for _, file in ran} == set(FILES) and len(ran) > 20
    assert len(set(ran)) == len(FILES), "each file by one of the two"
    assert {process for process, _ in ran} == {"gw0", "gw1"}
