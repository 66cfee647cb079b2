"""Every promise of the daemon at CI's scale; `python -m tests.crash.promises --long` measures at the full one."""

import pytest

from tests.crash.promises import PROMISES, Promise, measure


# Those that `tests.fuzz` keeps are tested there.
@pytest.mark.parametrize("promise", [entry for entry in PROMISES if "crash" in entry.check.__module__], ids=str)
def test_promise(promise: Promise) -> None:
    assert measure(promise)
