"""What is written for desktops starts what it says: the file is read as the desktop reads it, run, and seen to answer.

The quickstart once said "The tray app is open" of a module that did nothing and ended with status 0.
"""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from s2edit_installer import first_run, launching, login
from s2edit_installer.surroundings import Surroundings
from s2edit_tray import autostart
from s2edit_wire import programs
from s2edit_wire.client import Client
from s2edit_wire.errors import Unreachable
from s2edit_wire.launcher import read_command

from .conftest import Desktop, wait_for


def in_desktop_file(path: Path) -> list[str]:
    """The command of a desktop entry, read by its specification: string escapes, then quotes, then field codes."""
    parsed = configparser.RawConfigParser()
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(path, encoding="utf-8")
    value = re.sub(
        r"\\(.)",
        lambda found: {"s": " ", "n": "\n", "t": "\t"}.get(found[1], found[1]),
        parsed["Desktop Entry"]["Exec"],
    )
    quoted = re.findall(r'"((?:\\.|[^"\\])*)"', value)
    return [re.sub(r"\\(.)", r"\1", argument).replace("%%", "%") for argument in quoted]


def in_unit(path: Path) -> list[str]:
    """The command of a systemd unit whose values have nothing in them that a shell reads otherwise."""
    parsed = configparser.RawConfigParser()
    parsed.read(path, encoding="utf-8")
    return [part.replace("%%", "%") for part in shlex.split(parsed["Service"]["ExecStart"].removeprefix(":"))]


def around(desk: Desktop) -> Surroundings:
    return Surroundings("linux", desk.home, {}, Path("/"), lambda _: None)


def menu_entry(desk: Desktop) -> list[str]:
    entry, _icon = launching.write_menu_entry(
        Surroundings("linux", desk.home, {}, Path("/"), lambda _: None), desk.state
    )
    return in_desktop_file(entry)


def tray_at_login(desk: Desktop) -> list[str]:
    autostart.enable(True)
    (entry,) = (desk.home / ".config" / "autostart").iterdir()
    return in_desktop_file(entry)


def daemon_at_login(desk: Desktop) -> list[str]:
    unit, _link = login.turn_on(around(desk), desk.state)
    return in_unit(unit)


def launcher_file(desk: Desktop) -> list[str]:
    launching.write_launcher(desk.state)
    return read_command(desk.state)


def seen(desk: Desktop) -> bool:
    """Whether a window of ours is on the screen, and the program says so, too."""
    return bool(desk.windows()) and desk.run(*programs.command("tray", "--is-shown")).returncode == 0


def answers(desk: Desktop) -> bool:
    """Whether a daemon answers in this home."""
    try:
        with Client("other", "test", state_folder=desk.state) as client:
            client.connect(timeout=60)
            return bool(client.request("status").header["status"]["pid"])
    except Unreachable:
        return False


@pytest.mark.parametrize(
    ("written", "happens"),
    [
        (menu_entry, seen),
        (tray_at_login, seen),
        (daemon_at_login, answers),
        (launcher_file, answers),
        (lambda _desk: programs.command("tray"), seen),
        (lambda _desk: [str(Path(sys.executable).with_name("s2edit-tray"))], seen),
        (lambda _desk: programs.command("daemon"), answers),
        (lambda _desk: programs.command("cli", "daemon", "run"), answers),
    ],
    ids=["menu entry", "tray at login", "unit", "launcher", "tray", "s2edit-tray", "daemon", "daemon run"],
)
def test_what_is_written_starts_what_it_says(
    desk: Desktop,
    written: Callable[[Desktop], list[str]],
    happens: Callable[[Desktop], bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(desk.home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    command = written(desk)
    assert "-P" in command or command == [str(Path(sys.executable).with_name("s2edit-tray"))]
    with (desk.home / "said").open("wb") as said:
        started = subprocess.Popen(command, env=desk.environment, cwd=desk.home, stdout=said, stderr=said)
        try:
            wait_for(lambda: happens(desk) or started.poll() is not None, " ".join(command))
            assert started.poll() is None, (desk.home / "said").read_text()
        finally:
            started.terminate()
            started.wait(30)


@pytest.fixture
def opened(desk: Desktop, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """What the quickstart has opened in that home, ended afterwards."""
    for name, value in desk.environment.items():
        monkeypatch.setenv(name, value)
    (desk.state / "logs").mkdir(parents=True)
    yield first_run._opened
    for process in first_run._opened:
        process.terminate()
        process.wait(30)
    first_run._opened.clear()


def test_the_quickstart_opens_the_tray_and_says_so_only_then(
    desk: Desktop, opened: list[subprocess.Popen[bytes]]
) -> None:
    assert first_run._open_tray() == ""
    assert desk.windows()
    assert first_run._open_tray() == "", "the one that runs answers"
    assert len(desk.windows()) == 1
    opened[1].wait(30)


@pytest.mark.parametrize("does", ["pass", "raise SystemExit(0)", "raise SystemExit(3)"])
def test_a_tray_that_does_nothing_is_not_said_to_be_open(
    does: str, opened: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever its status: it does not answer."""
    broken = tmp_path / "tray.py"
    asks = "import sys, time\nif '--is-shown' in sys.argv:\n    raise SystemExit(1)\n"
    broken.write_text(f"{asks}{does}\n", encoding="utf-8")
    monkeypatch.setattr(programs, "command", lambda _program, *more: [sys.executable, str(broken), *more])
    said = first_run._open_tray()
    assert "did not open" in said and str(broken) in said
