"""The tray's windows as a new user finds them: a small screen, no launcher file, a daemon that is gone."""

from __future__ import annotations

import re
import subprocess

import pytest
from PySide6.QtWidgets import QApplication, QDoubleSpinBox
from s2edit_tray.connection import Daemon
from s2edit_tray.imports import ImportsFile
from s2edit_tray.model_card import ModelCard
from s2edit_tray.settings_view import SettingsView
from s2edit_tray.weights_view import WeightsView
from s2edit_wire import programs
from s2edit_wire.client import Client
from s2edit_wire.errors import Unreachable

from .conftest import Desktop, wait_for

MODEL = {
    "id": "a",
    "title": "A model",
    "purpose": "",
    "licence": "MIT",
    "licence_accepted": True,
    "memory": 8_000_000_000,
    "size": 1_000,
    "present": 300,
    "state": "downloading",
    "rate": 7.3e6,
    "embedded": False,
    "gated": False,
    "role": "editor",
}


@pytest.fixture(scope="module")
def app() -> QApplication:
    running = QApplication.instance()
    return running if isinstance(running, QApplication) else QApplication(["tests", "-platform", "offscreen"])


@pytest.mark.parametrize("scale", ["1", "2"])
def test_the_window_fits_the_screen_and_finds_a_daemon_without_a_launcher_file(desk: Desktop, scale: str) -> None:
    environment = {**desk.environment, "QT_SCALE_FACTOR": scale}
    tray = subprocess.Popen(programs.command("tray"), env=environment)
    try:
        wait_for(lambda: desk.windows() or tray.poll() is not None, "a window")
        assert tray.poll() is None
        search = ["search", "--onlyvisible", "--name", "S²Edit$", "getwindowgeometry"]
        place = desk.run("xdotool", *search).stdout
        sides = re.search(r"Geometry: (\d+)x(\d+)", place)
        assert sides is not None
        frame = 20 * int(scale)  # a title bar, which a window manager adds
        assert int(sides[1]) <= 1024 and int(sides[2]) <= 768 - frame, place
        wait_for(lambda: runs(desk), "a daemon, started by the tray")
        assert not (desk.state / "launcher.json").exists()
    finally:
        tray.terminate()
        tray.wait(30)


def runs(desk: Desktop) -> bool:
    try:
        with Client("other", "test", state_folder=desk.state) as client:
            client.connect(timeout=60)
            return True
    except Unreachable:
        return False


def test_settings_that_nobody_told_are_no_zeros(app: QApplication) -> None:
    daemon = Daemon()
    view = SettingsView(daemon)
    spins = view.findChildren(QDoubleSpinBox)
    assert spins and all(spin.cleanText() == "" and not spin.isEnabled() for spin in spins)
    told = {"idle_unload_s": 600, "result_quota": 5_000_000_000, "result_days": 7, "cache_quota": 0}
    daemon.settings_changed.emit(told)
    assert all(spin.isEnabled() and spin.cleanText() for spin in spins)


@pytest.fixture
def card(app: QApplication, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> tuple[Daemon, ModelCard, WeightsView]:
    monkeypatch.setenv("S2EDIT_HOME", str(tmp_path))
    daemon = Daemon()
    view = WeightsView(daemon, ImportsFile())
    daemon.model_changed.emit(MODEL)
    return daemon, view._cards["a"], view


def test_a_dead_daemon_s_download_has_no_speed(card: tuple[Daemon, ModelCard, WeightsView]) -> None:
    daemon, shown, _view = card
    assert "7.3 MB/s" in shown._state.text() and "left" in shown._state.text()
    daemon.line_changed.emit("lost", "The connection broke.")
    assert "/s" not in shown._state.text() and "left" not in shown._state.text()


def test_what_was_refused_is_not_said_of_the_next_attempt(card: tuple[Daemon, ModelCard, WeightsView]) -> None:
    _daemon, shown, view = card
    shown.show_error("Not downloaded: the licence was not accepted.")
    assert not shown._error.isHidden()
    view._act("a", "download")
    assert shown._error.isHidden()


def test_memory_that_is_not_free_is_not_said_to_be_missing(card: tuple[Daemon, ModelCard, WeightsView]) -> None:
    """12 of 24 GB free: the computer has 24."""
    _daemon, shown, _view = card
    shown.set_available(12_000_000_000)
    assert "12.0 GB are free for it now" in shown._needs.text()
    shown.set_available(4_000_000_000)
    assert "only 4.0 GB are free for it now" in shown._needs.text() and "this computer has" not in shown._needs.text()
