"""One QApplication without a screen, and the tray's window connected to a real daemon."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QMessageBox
from s2edit_tray.connection import Daemon
from s2edit_tray.model_card import ModelCard
from s2edit_tray.window import Window

from tests.fakes.daemon import RunningDaemon
from tests.fakes.hub import FakeHub
from tests.fakes.hub_model import daemon_with, hub, small_model

from .cards import Answers

Until = Callable[..., None]

__all__ = ["hub"]  # a fixture, brought in


@pytest.fixture(scope="session")
def app() -> QApplication:
    running = QApplication.instance()
    # Said to Qt alone: in the environment it would reach every program that other tests start.
    return running if isinstance(running, QApplication) else QApplication(["tests", "-platform", "offscreen"])


@pytest.fixture
def daemon_module() -> str:
    """What `python -m` runs as the daemon."""
    return "s2edit_server"


@pytest.fixture
def daemon_process(request: pytest.FixtureRequest, daemon_module: str) -> Iterator[RunningDaemon]:
    """The daemon; with a model of the local hub in its catalogue when the test wants the hub."""
    hub: FakeHub | None = request.getfixturevalue("hub") if "hub" in request.fixturenames else None
    # A short path: the socket's name has to fit into 107 bytes.
    with (
        tempfile.TemporaryDirectory(prefix="s2t") as name,
        daemon_with(Path(name) / "s", hub, small_model(gated=True), daemon_module) as running,
    ):
        yield running


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

    def wait(condition: Callable[[], object], timeout: float = 120.0) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            app.processEvents()
            time.sleep(0.005)

    return wait


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    made = Answers()

    def answer(box: QMessageBox) -> QMessageBox.StandardButton:
        return made(box)

    # A plain function, since only that gets the box as its first argument.
    monkeypatch.setattr(QMessageBox, "exec", answer)
    return made


@pytest.fixture
def page(window: Window, until: Until) -> Window:
    window.tabs.setCurrentWidget(window.weights_view)
    until(lambda: "A model" in [card.accessibleName() for card in window.weights_view.findChildren(ModelCard)])
    return window
