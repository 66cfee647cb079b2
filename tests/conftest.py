"""For all tests: what two processes (`-n 2`) begin with, and that Ctrl+C reaches what they start."""

from __future__ import annotations

import signal

import pytest

# A shell starts background jobs with SIGINT ignored, and what is ignored stays so in every program that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In the two processes of a lane: files with real editors first, then the slow ones.

    So nobody waits at the end for what takes longest; an editor waits more than it computes.
    """
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: (item.get_closest_marker("hosts") is None, item.get_closest_marker("slow") is None))
