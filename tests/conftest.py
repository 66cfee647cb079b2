"""For all tests: who runs beside whom in two processes (`-n 2`), and that Ctrl+C reaches what they start."""

from __future__ import annotations

import signal

import pytest

# A shell starts background jobs with SIGINT ignored, and what is ignored stays so in every program that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have one process run all tests with real editors and the other the rest, a file at a time.

    An editor waits more than it computes, so that a core is left for the other process; two editors at once would make
    each other slow. What takes longest comes first, so that nobody waits for it alone at the end.
    """
    if config.getoption("dist", "no") != "loadgroup":
        return
    items.sort(key=lambda item: (item.get_closest_marker("hosts") is None, item.get_closest_marker("slow") is None))
    for item in items:
        editors = item.get_closest_marker("hosts") is not None
        item.add_marker(pytest.mark.xdist_group("hosts" if editors else item.nodeid.split("::")[0]))
