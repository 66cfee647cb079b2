"""A state folder with a short path (a Unix socket has room for about 100 bytes of it), and an editor at a daemon."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.daemon import RunningDaemon
from tests.protocol.program import Editor


@pytest.fixture
def state() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="s2w") as name:
        yield Path(name)


@pytest.fixture(scope="module", name="daemon")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    with RunningDaemon(tmp_path_factory.mktemp("desk") / "s") as daemon:
        yield daemon


@pytest.fixture(name="editor")
def open_editor(daemon: RunningDaemon, monkeypatch: pytest.MonkeyPatch) -> Iterator[Editor]:
    monkeypatch.setenv("S2EDIT_HOME", str(daemon.folder))
    made = Editor()
    made.wait(lambda: made.desk.link == "ready" and made.desk.models)
    yield made
    made.desk.close()
    assert made.loop.idle
