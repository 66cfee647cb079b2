"""Promises 3 to 6 at CI's scale; `python -m tests.crash.promises --long 3 4 5 6` measures at the full one."""

import pytest

from tests.crash.promises import PROMISES, Promise, measure


@pytest.mark.parametrize("promise", [entry for entry in PROMISES if "fuzz" in entry.check.__module__], ids=str)
def test_promise(promise: Promise) -> None:
    assert measure(promise)
