"""One QApplication without a screen, and the tray's window connected to a real daemon."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication
from s2edit_server.weights.catalogue import Entry, File
from s2edit_tray.connection import Daemon
from s2edit_tray.window import Window

from tests.fakes.daemon import RunningDaemon
from tests.unit.weights.conftest import FILES, REVISION
from tests.unit.weights.fake_hub import FakeHub

Until = Callable[..., None]


@pytest.fixture(scope="session")
def app() -> QApplication:
    running = QApplication.instance()
    return running if isinstance(running, QApplication) else QApplication([])


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub("someone/model", REVISION, FILES) as server:
        yield server


@pytest.fixture
def daemon_process(request: pytest.FixtureRequest) -> Iterator[RunningDaemon]:
    """The daemon; with a model of the local hub in its catalogue when the test wants the hub."""
    # A short path: the socket's name has to fit into 107 bytes.
    with tempfile.TemporaryDirectory(prefix="s2t") as name:
        folder = Path(name) / "s"
        settings: dict[str, object] = {}
        if "hub" in request.fixturenames:
            hub: FakeHub = request.getfixturevalue("hub")
            settings["mirror"] = hub.base
            (folder / "weights").mkdir(mode=0o700, parents=True)
            folder.chmod(0o700)
            own = {"models": [msgspec.to_builtins(gated_model())]}
            (folder / "weights" / "catalogue.json").write_text(json.dumps(own))
        # No token and no cache of whoever runs the tests.
        nowhere = {"HF_HUB_CACHE": str(folder / "hub"), "HF_HOME": str(folder / "hf"), "HF_TOKEN": ""}
        with RunningDaemon(folder, settings=settings, environment=nowhere) as running:
            yield running


def gated_model() -> Entry:
    return Entry(
        id="model",
        title="A model",
        purpose="For tests.",
        role="editor",
        domain="photo",
        native=64,
        memory=1_000,
        licence="Some licence",
        licence_url="https://example.org/licence",
        ask_licence=True,
        gated=True,
        repo="someone/model",
        revision=REVISION,
        files=tuple(File(name, about=len(content)) for name, content in FILES.items()),
    )


@pytest.fixture
def window(
    app: QApplication, daemon_process: RunningDaemon, monkeypatch: pytest.MonkeyPatch, until: Until
) -> Iterator[Window]:
    monkeypatch.setenv("S2EDIT_HOME", str(daemon_process.folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(daemon_process.folder / "config"))
    daemon = Daemon()
    made = Window(daemon, stays=False)
    made.show()
    daemon.start()
    until(lambda: daemon.ready)
    yield made
    daemon.stop()
    made.close()
    app.processEvents()


@pytest.fixture
def until(app: QApplication) -> Until:
    """Run Qt's events until the condition holds."""

    def wait(condition: Callable[[], object], timeout: float = 30.0) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            app.processEvents()
            time.sleep(0.005)

    return wait
