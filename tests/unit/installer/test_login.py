"""The daemon at login: files that the three systems understand, and that go again."""

from __future__ import annotations

import codecs
import configparser
import plistlib
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from s2edit_installer import first_run, launching, login, plugins, remedies, windows_task
from s2edit_installer.surroundings import Surroundings
from s2edit_wire import programs


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
    assert parsed["ProgramArguments"] == programs.command("daemon")
    assert parsed["EnvironmentVariables"]["S2EDIT_HOME"] == str(tmp_path / "a & b")
    assert parsed["Umask"] == 0o077


SCHTASKS = """#!{python} -IS
import pathlib, re, sys
store, words = pathlib.Path({store!r}), sys.argv[1:]
if (store / "locked").exists():
    sys.exit("ERROR: Access is denied.")
task = store / re.sub(r"[^ A-Za-z0-9]", "", words[words.index("/TN") + 1])
if words[0] == "/Create":
    task.write_bytes(pathlib.Path(words[words.index("/XML") + 1]).read_bytes())
    sys.exit(0 if words[-1] == "/F" else 1)
if not task.exists():
    sys.exit("ERROR: The system cannot find the file specified.")
if words[0] == "/Delete":
    task.unlink()
"""
"""What is known of Windows' own: one list of tasks for all, an exit status, and machines that let nobody in."""
NAMES = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The scheduled tasks of a machine that has the program for them."""
    store, program = tmp_path / "tasks", tmp_path / "bin" / "schtasks"
    store.mkdir()
    program.parent.mkdir()
    program.write_text(SCHTASKS.format(python=sys.executable, store=str(store)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return store


def windows(folder: Path) -> Surroundings:
    return replace(around("windows", folder), variables={"USERNAME": "Anna", "USERDOMAIN": "DESK"})


def test_the_scheduled_task_comes_and_goes(tasks: Path, tmp_path: Path) -> None:
    machine, state = windows(tmp_path), tmp_path / "state"
    for _ in range(2):
        (file,) = login.turn_on(machine, state)
    (made,) = tasks.iterdir()
    assert made.name == "S2Edit daemon of Anna"
    assert made.read_bytes() == file.read_bytes()
    assert not list(machine.home.iterdir())
    assert [outcome.state for outcome in plugins.uninstall(state)] == ["removed"]
    assert not list(tasks.iterdir()) and not list(state.iterdir())


def test_the_scheduled_task_says_what_windows_wants(tmp_path: Path) -> None:
    state = tmp_path / "it's & <here>"
    xml = windows_task.document(state, {"USERNAME": "Anna", "USERDOMAIN": "DESK"})
    assert xml.startswith(codecs.BOM_UTF16)
    task = ElementTree.fromstring(xml.decode("utf-16").split("?>", 1)[1])
    wanted = {
        "t:Triggers/t:LogonTrigger/t:UserId": "DESK\\Anna",
        "t:Principals/t:Principal/t:LogonType": "InteractiveToken",
        "t:Principals/t:Principal/t:RunLevel": "LeastPrivilege",
        "t:Settings/t:ExecutionTimeLimit": "PT0S",
        "t:Settings/t:DisallowStartIfOnBatteries": "false",
        "t:Actions/t:Exec/t:Command": sys.executable,
    }
    assert {path: task.findtext(path, namespaces=NAMES) for path in wanted} == wanted


def test_the_scheduled_task_starts_the_daemon_in_its_folder(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="s2 t'") as folder:
        state = Path(folder) / "s"
        xml = windows_task.document(state, {})
        task = ElementTree.fromstring(xml.decode("utf-16").split("?>", 1)[1])
        # Windows' rules and a shell's agree where no backslash stands before a quotation mark.
        arguments = shlex.split(task.findtext("t:Actions/t:Exec/t:Arguments", "", NAMES))
        started = [sys.executable, *arguments, "--offline", "--idle-exit", "0.2"]
        subprocess.run(started, check=True, timeout=120)
        assert (state / "logs" / "daemon.log").exists()


def test_a_machine_that_forbids_tasks_gets_a_script(tasks: Path, tmp_path: Path) -> None:
    (tasks / "locked").touch()
    machine, state = windows(tmp_path), tmp_path / "state"
    (script,) = login.turn_on(machine, state)
    assert script.parent.name == "Startup" and f'set "S2EDIT_HOME={state}"' in script.read_text(encoding="utf-8")
    assert [path.name for path in state.iterdir()] == ["installed.json"]
    outcome = login.turn_off(state)
    assert outcome is not None and outcome.state == "removed"
    assert not list(machine.home.iterdir())


def test_a_task_that_cannot_be_deleted_is_told_and_remembered(tasks: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    login.turn_on(windows(tmp_path), state)
    program = tmp_path / "bin" / "schtasks"
    program.write_text('#!/bin/sh\n[ "$1" = /Query ]\n')
    outcome = login.turn_off(state)
    assert outcome is not None and outcome.state == "failed" and "scheduled task" in outcome.message
    program.write_text("#!/bin/sh\nexit 1\n")
    outcome = login.turn_off(state)
    assert outcome is not None and outcome.state == "removed", "somebody else has deleted it"


def test_menu_entry_comes_and_goes(tmp_path: Path) -> None:
    machine, state = around("linux", tmp_path), tmp_path / "state"
    for _ in range(2):
        entry, icon = launching.write_menu_entry(machine, state)
    assert f'Exec="{sys.executable}"' in entry.read_text(encoding="utf-8")
    assert icon.read_text(encoding="utf-8").startswith("<svg")
    assert [outcome.state for outcome in plugins.uninstall(state)] == ["removed"]
    assert not list(machine.home.iterdir())
    assert launching.write_menu_entry(around("windows", tmp_path), state) == []


def test_the_quickstart_s_second_half_tells_what_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    (home / ".config/GIMP/3.0").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("S2EDIT_HOME", str(tmp_path / "state"))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "GIMP3_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    pictures = {"both": tmp_path / "both.png", "layers": tmp_path / "layers.ora"}
    monkeypatch.setattr(first_run, "_edit_sample", lambda _: pictures)
    monkeypatch.setattr(sys, "argv", ["first_run", "--out", str(tmp_path), "--at-login"])
    assert first_run.main() == 0
    said = capsys.readouterr().out
    assert "plug-in installed" in said and "right-click a layer" in said and str(pictures["both"]) in said
    assert f"{remedies.own_command()} doctor" in said, "commands as they can be typed"
    unit = home / ".config/systemd/user/s2edit.service"
    assert f"started at every login: {unit}" in said and unit.exists()
