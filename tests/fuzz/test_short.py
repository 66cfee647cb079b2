"""The short versions of promises 3 to 6; `python -m tests.fuzz` runs the long ones."""

from pathlib import Path

import pytest

from tests.fuzz import flood, garbage, loris, messages


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("f")


def test_spoiled_messages(folder: Path) -> None:
    assert "control jobs done" in messages.check(4_000, folder)


def test_garbage(folder: Path) -> None:
    assert "no message got through" in garbage.check(400, folder)


def test_flood(folder: Path) -> None:
    assert "cut off" in flood.check(5, folder)


def test_silent_and_slow_connections(folder: Path) -> None:
    assert "ping p99" in loris.check(300, folder)
