"""What lies in the folder that a program is started from is never run, however the program is started."""

import configparser
import os
import plistlib
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from xml.etree import ElementTree

import pytest
from s2edit_installer import launching, login, windows_task
from s2edit_installer.surroundings import Surroundings
from s2edit_tray import autostart
from s2edit_wire import launcher, programs

ROOT = Path(__file__).parents[3]
PLANT = "import os; open(os.environ['PLANTED'], 'a').write(__name__ + '\\n')\n"
NAMES = sorted({*sys.stdlib_module_names, *packages_distributions(), "tests", "sitecustomize", "usercustomize"})


@pytest.fixture(scope="module")
def planted() -> Iterator[Path]:
    """A folder of downloads with a module for every name that anything of ours, or under it, could import."""
    with tempfile.TemporaryDirectory(prefix="s2-") as name:
        folder = Path(name) / "Downloads"
        folder.mkdir()
        for module in NAMES:
            if module.isidentifier():
                (folder / f"{module}.py").write_text(PLANT)
        yield folder


def unquoted(value: str) -> list[str]:
    return shlex.split(value.removeprefix(":").replace("%%", "%"))


def system(name: str, folder: Path) -> Surroundings:
    return Surroundings(name, folder, {}, folder / "root", lambda _: None)


def launcher_file(folder: Path) -> list[str]:
    launching.write_launcher(folder)
    return launcher.read_command(folder)


def unit(folder: Path) -> list[str]:
    parsed = configparser.RawConfigParser()
    parsed.read(login.turn_on(system("linux", folder), folder / "s")[0], encoding="utf-8")
    return unquoted(parsed["Service"]["ExecStart"])


def agent(folder: Path) -> list[str]:
    arguments: list[str] = plistlib.loads(login.turn_on(system("macos", folder), folder / "s")[0].read_bytes())[
        "ProgramArguments"
    ]
    return arguments


def menu(folder: Path) -> list[str]:
    parsed = configparser.RawConfigParser(strict=False)
    parsed.read(launching.write_menu_entry(system("linux", folder), folder / "s")[0], encoding="utf-8")
    return unquoted(parsed["Desktop Entry"]["Exec"])


def task(folder: Path) -> list[str]:
    text = windows_task.document(folder / "s", {}).decode("utf-16").split("?>", 1)[1]
    names = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}
    found = ElementTree.fromstring(text)
    return [sys.executable, *shlex.split(found.findtext("t:Actions/t:Exec/t:Arguments", "", names))]


WAYS: dict[str, tuple[Callable[[Path], list[str]], list[str]]] = {
    "a terminal: daemon run": (
        lambda _: [sys.executable, "-P", "-m", "s2edit_cli.main", "daemon", "run"],
        ["--idle-exit", "0.1"],
    ),
    "the launcher file": (launcher_file, ["--idle-exit", "0.1"]),
    "the unit at login": (unit, ["--help"]),
    "the agent at login": (agent, ["--help"]),
    "the scheduled task": (task, ["--help"]),
    "the menu entry": (menu, ["--help"]),
    "the tray at login": (lambda _: autostart.command(), ["--help"]),
    "the command line": (lambda _: programs.command("cli"), ["--help"]),
    "the worker": (lambda _: programs.command("worker"), []),
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_of_the_current_folder_is_run(way: str, planted: Path) -> None:
    written, more = WAYS[way]
    with tempfile.TemporaryDirectory(prefix="s2-") as home:
        command = [*written(Path(home)), *more]
        seen = Path(home) / "planted"
        environment = {
            **{name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONSAFEPATH")},
            "S2EDIT_HOME": str(Path(home) / "state"),
            "PLANTED": str(seen),
            "QT_QPA_PLATFORM": "offscreen",
        }
        ran = subprocess.run(
            command, cwd=planted, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert not seen.exists(), seen.read_text()
        # The worker alone has nothing to talk to: that it says so shows that it ran.
        assert ran.returncode == (0 if more else 2), ran.stderr
        assert "Traceback" not in ran.stderr


def test_every_program_has_an_entry_point_that_runs() -> None:
    """A module without `__main__` exits with 0 and does nothing: what `--help` says tells that it ran."""
    for program, words in {"daemon": "--idle-exit", "tray": "--hidden", "cli": "Exit codes"}.items():
        command = programs.command(program, "--help")  # type: ignore[arg-type]
        ran = subprocess.run(
            command, env=os.environ | {"QT_QPA_PLATFORM": "offscreen"}, capture_output=True, text=True, check=True
        )
        assert words in ran.stdout
