"""One QApplication without a screen, and the tray's window connected to a real daemon."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication
from s2edit_tray.connection import Daemon
from s2edit_tray.window import Window

from tests.fakes.daemon import RunningDaemon


@pytest.fixture(scope="session")
def app() -> QApplication:
    return QApplication.instance() or QApplication([])


@pytest.fixture
def daemon_process() -> Iterator[RunningDaemon]:
    # A short path: the socket's name has to fit into 107 bytes.
    with tempfile.TemporaryDirectory(prefix="s2t") as folder, RunningDaemon(Path(folder) / "s") as running:
        yield running


@pytest.fixture
def window(
    app: QApplication, daemon_process: RunningDaemon, monkeypatch: pytest.MonkeyPatch, until: Callable[..., None]
) -> Iterator[Window]:
    monkeypatch.setenv("S2EDIT_HOME", str(daemon_process.folder))
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
def until(app: QApplication) -> Callable[..., None]:
    """Run Qt's events until the condition holds."""

    def wait(condition: Callable[[], object], timeout: float = 20.0) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            app.processEvents()
            time.sleep(0.005)

    return wait
