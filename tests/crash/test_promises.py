"""Every promise of the daemon at CI's scale; the table with the full figures is `python -m tests.crash.promises --long`."""

import pytest

from tests.crash.promises import PROMISES, Promise, measure


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: f"{promise.number}")
def test_promise(promise: Promise) -> None:
    assert measure(promise, long=False)
