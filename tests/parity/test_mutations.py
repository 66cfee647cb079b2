"""The mutations' table can't rot: each still has its place in the method, and the test that should notice exists."""

from __future__ import annotations

import re

import pytest

from tests.parity.mutation import Mutation
from tests.parity.mutations import MUTATIONS, ROOT


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_mutation_still_applies(mutation: Mutation) -> None:
    assert (ROOT / "s2edit" / mutation.file).read_text(encoding="utf-8").count(mutation.old) == 1
    file, _, name = mutation.test.partition("::")
    tests = (ROOT / "tests" / "parity" / file).read_text(encoding="utf-8")
    assert f"def {name.partition('[')[0]}(" in tests if name else "def test_" in tests


def test_the_readme_names_all_of_them() -> None:
    readme = (ROOT / "s2edit" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+) \| `([a-z_0-9/]+\.py)` \| caught \|$", readme, re.MULTILINE)
    assert rows == [(mutation.name, mutation.file) for mutation in MUTATIONS]
