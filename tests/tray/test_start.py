"""Starting: once per user, as two real processes; at login, when asked for, on Linux, macOS and Windows."""

from __future__ import annotations

import os
import plistlib
import re
import runpy
import shlex
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox
from s2edit_tray import autostart, tray_host
from s2edit_tray.instance import SingleInstance, address
from s2edit_tray.window import Window
from s2edit_wire import programs

from tests.fakes.daemon import RunningDaemon

Until = Callable[..., None]


def test_a_second_tray_brings_the_first_to_the_front(window: Window, until: Until) -> None:
    # `window` has S2EDIT_HOME point to a folder of the test's own.
    first = SingleInstance()
    assert not first.call()
    assert first.listen()
    first.called.connect(window.raise_up)
    first.called.connect(first.answer)
    window.hide()
    calls = "import sys; from s2edit_tray.instance import SingleInstance; sys.exit(not SingleInstance().call())"
    second = subprocess.Popen([sys.executable, "-P", "-c", calls])
    until(lambda: second.poll() is not None)
    assert second.returncode == 0
    assert window.isVisible()


@pytest.mark.parametrize("length", [10, 60, 90, 150])
def test_its_socket_is_where_only_this_user_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    """However long the folder's name is: a socket's has to fit into 103 bytes."""
    runtime = tmp_path / "r"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    with tempfile.TemporaryDirectory(prefix="s2t") as name:
        state = Path(name) / ("x" * length)
        one, other = SingleInstance(state), SingleInstance(state)
        assert one.listen()
        place = Path(address(state))
        assert place.is_socket()
        assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
        assert not other.call(), "connected, but nobody answers: that is no tray app that works"


def test_where_nothing_can_be_written_it_starts_all_the_same() -> None:
    assert not SingleInstance(Path("/dev/null/s2edit")).listen()


class Called(QObject):
    now = Signal()


@pytest.mark.parametrize(
    ("panel", "called", "may_hide"), [(True, False, True), (False, False, True), (False, True, False)]
)
def test_at_login_it_waits_for_the_panel_unless_it_is_called(
    app: QApplication, monkeypatch: pytest.MonkeyPatch, panel: bool, called: bool, may_hide: bool
) -> None:
    """A panel that comes up later, one that never does, and a second start meanwhile."""
    monkeypatch.setattr(sys, "platform", "linux")
    asked: list[None] = []

    def announced() -> bool:
        asked.append(None)
        return panel and len(asked) > 2

    monkeypatch.setattr(tray_host, "announced", announced)
    somebody = Called()
    if called:
        QTimer.singleShot(0, somebody.now.emit)
    assert tray_host.wait_for_tray(somebody.now, patience_ms=600_000 if panel or called else 50) == may_hide
    assert len(asked) == 3 or not panel


@pytest.fixture
def first(daemon_process: RunningDaemon) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """A tray process, ready, and the environment that it runs in."""
    environment = {
        **os.environ,
        "S2EDIT_HOME": str(daemon_process.folder),
        "QT_QPA_PLATFORM": "offscreen",
    }
    tray = subprocess.Popen([sys.executable, "-m", "s2edit_tray"], env=environment, text=True)
    deadline = time.monotonic() + 60
    while not Path(address(daemon_process.folder)).exists():
        assert tray.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield tray, environment
    tray.terminate()
    tray.wait(20)


def test_two_processes_are_one_tray(first: tuple[subprocess.Popen[str], dict[str, str]]) -> None:
    tray, environment = first
    second = subprocess.run(
        [sys.executable, "-m", "s2edit_tray"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode == 0
    assert "running already" in second.stdout
    assert tray.poll() is None


def test_a_killed_tray_does_not_keep_the_next_from_starting(
    first: tuple[subprocess.Popen[str], dict[str, str]], daemon_process: RunningDaemon
) -> None:
    tray, environment = first
    tray.kill()
    tray.wait(20)
    stale = Path(address(daemon_process.folder))
    # The new socket may get the old one's inode, but not its time of birth.
    before = stale.stat().st_ctime_ns
    following = subprocess.Popen([sys.executable, "-m", "s2edit_tray"], env=environment, text=True)
    try:
        deadline = time.monotonic() + 60
        while not stale.exists() or stale.stat().st_ctime_ns == before:
            assert following.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        following.terminate()
        following.wait(20)


def test_start_at_login_is_a_file_on_linux(
    window: Window, daemon_process: RunningDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    entry = daemon_process.folder / "config" / "autostart" / "s2edit-tray.desktop"
    box = next(
        one for one in window.settings_view.findChildren(QCheckBox) if one.accessibleName() == "Start the tray at login"
    )
    assert not box.isChecked()
    QTest.keyClick(box, Qt.Key.Key_Space)
    lines = dict(line.split("=", 1) for line in entry.read_text("utf-8").splitlines() if "=" in line)
    assert shlex.split(lines["Exec"]) == programs.command("tray", "--hidden")
    assert autostart.enabled()
    QTest.keyClick(box, Qt.Key.Key_Space)
    assert not entry.exists()


def test_a_python_in_a_folder_with_an_odd_name_starts_at_login_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = '/opt/my "own" 100% $HOME/python'
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys, "executable", odd)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    autostart.enable(True)
    text = (tmp_path / "autostart" / "s2edit-tray.desktop").read_text("utf-8")
    value = next(line.removeprefix("Exec=") for line in text.splitlines() if line.startswith("Exec="))
    # What a desktop does: undo the file's escapes, then the quoting, then the field codes.
    quoted = re.findall(r'"((?:\\.|[^"\\])*)"|(\S+)', value.replace("\\\\", "\\"))
    words = [re.sub(r"\\(.)", r"\1", one).replace("%%", "%") or other for one, other in quoted]
    # GLib takes no program whose name has a per cent sign; a shell hands on to it.
    assert words[:4] == ["/bin/sh", "-c", 'exec "$0" "$@"', odd]


def test_start_at_login_is_a_launch_agent_on_macos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert not autostart.enabled()
    autostart.enable(True)
    agent = plistlib.loads((tmp_path / "Library" / "LaunchAgents" / "org.s2edit.tray.plist").read_bytes())
    assert agent == {"Label": "org.s2edit.tray", "ProgramArguments": autostart.command(), "RunAtLoad": True}
    assert autostart.enabled()
    autostart.enable(False)
    assert not autostart.enabled()


class FakeRegistry:
    """As much of `winreg` as is used: one key of the user's own, made with Windows."""

    HKEY_CURRENT_USER, KEY_SET_VALUE, REG_SZ = 1, 2, 3

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    @contextmanager
    def OpenKey(self, root: int, path: str, _reserved: int = 0, access: int = 0) -> Iterator[int]:
        assert (root, path) == (self.HKEY_CURRENT_USER, r"Software\Microsoft\Windows\CurrentVersion\Run")
        yield access

    def QueryValueEx(self, _key: int, name: str) -> tuple[str, int]:
        if name not in self.values:
            raise FileNotFoundError(name)
        return self.values[name], self.REG_SZ

    def SetValueEx(self, key: int, name: str, _reserved: int, kind: int, value: str) -> None:
        assert (key, kind) == (self.KEY_SET_VALUE, self.REG_SZ)
        self.values[name] = value

    def DeleteValue(self, key: int, name: str) -> None:
        assert key == self.KEY_SET_VALUE
        del self.values[name]


def test_start_at_login_is_a_registry_value_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "Program Files"
    folder.mkdir()
    quiet = folder / "pythonw.exe"
    quiet.touch()
    registry = FakeRegistry()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "executable", str(folder / "python.exe"))
    monkeypatch.setitem(sys.modules, "winreg", registry)
    # Once more from its file, as Windows would run it: what is only for Windows is left out elsewhere.
    windows = runpy.run_path(autostart.__file__)
    assert not windows["enabled"]()
    windows["enable"](False)
    windows["enable"](True)
    assert windows["enabled"]()
    assert registry.values == {"s2edit-tray": f'"{quiet}" -P -m s2edit_tray --hidden'}
    windows["enable"](False)
    assert registry.values == {}
