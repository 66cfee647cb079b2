"""The daemon at login: files that the three systems understand, and that go again."""

from __future__ import annotations

import configparser
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from s2edit_installer import launching, login, plugins
from s2edit_installer.surroundings import Surroundings


def around(system: str, folder: Path) -> Surroundings:
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return Surroundings(system, home, {}, folder / "root", lambda _: None)


@pytest.mark.parametrize("system", ["linux", "macos", "windows"])
def test_on_and_off_leave_nothing(system: str, tmp_path: Path) -> None:
    machine, state = around(system, tmp_path), tmp_path / "state"
    for _ in range(2):
        files = login.turn_on(machine, state)
    assert all(path.exists() for path in files)
    text = files[0].read_text(encoding="utf-8")
    assert sys.executable in text and str(state) in text
    outcome = login.turn_off(state)
    assert outcome is not None and outcome.state == "removed"
    assert not list(machine.home.iterdir())
    assert login.turn_off(state) is None


def test_the_systemd_unit(tmp_path: Path) -> None:
    unit, link = login.turn_on(around("linux", tmp_path), tmp_path / "state with space 100%")
    assert link.is_symlink() and link.resolve() == unit.resolve()
    parsed = configparser.RawConfigParser()
    parsed.read(unit, encoding="utf-8")
    assert parsed["Service"]["umask"] == "0077"
    assert parsed["Service"]["environment"].endswith('state with space 100%%"')
    analyze = shutil.which("systemd-analyze")
    if analyze:
        checked = subprocess.run([analyze, "--user", "verify", str(unit)], capture_output=True, text=True, check=False)
        assert "s2edit.service" not in checked.stderr


def test_the_launchd_agent(tmp_path: Path) -> None:
    (agent,) = login.turn_on(around("macos", tmp_path), tmp_path / "a & b")
    parsed = plistlib.loads(agent.read_bytes())
    assert parsed["ProgramArguments"] == [sys.executable, "-m", "s2edit_server"]
    assert parsed["EnvironmentVariables"]["S2EDIT_HOME"] == str(tmp_path / "a & b")
    assert parsed["Umask"] == 0o077


def test_menu_entry_comes_and_goes(tmp_path: Path) -> None:
    machine, state = around("linux", tmp_path), tmp_path / "state"
    for _ in range(2):
        entry, icon = launching.write_menu_entry(machine, state)
    assert f'Exec="{sys.executable}"' in entry.read_text(encoding="utf-8")
    assert icon.read_text(encoding="utf-8").startswith("<svg")
    assert [outcome.state for outcome in plugins.uninstall(state)] == ["removed"]
    assert not list(machine.home.iterdir())
    assert launching.write_menu_entry(around("windows", tmp_path), state) == []
