"""A state folder with a short path (a Unix socket has room for about 100 bytes of it), and an editor at a daemon."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.daemon import RunningDaemon
from tests.protocol.paper import OPEN
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


@pytest.fixture
def closed(editor: Editor) -> Iterator[None]:
    """No form of a test is left open."""
    yield
    while OPEN:
        OPEN.pop().close()
    assert editor.desk.link == "ready"


@pytest.fixture(params=[False, True], ids=["a document that is painted on", "one that keeps still"])
def still(request: pytest.FixtureRequest) -> bool:
    """Krita's and GIMP's way."""
    return bool(request.param)
