"""Kind 18 of what the field broke: what stands in the desktop and for systemd, in folders with awkward names.

They are read by who reads them really: GLib starts the menu entry, systemd judges the unit.
"""

from __future__ import annotations

import configparser
import contextlib
import os
import shlex
import shutil
import stat
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from tests.field.case import Case
from tests.field.daemon.ground import CODE, SOON, s2edit, verdict

NAMES = ("with space", "it's", 'a "b"', "$HOME", "`x`", "50 %h", "b\\s", "a=b", "a;b #c", "[a]*?", "{x}~", "ü\u00a0é")
WRITE = """
import sys
sys.executable = sys.argv[1]
from s2edit_installer import launching, login
launching.write_menu_entry()
login.turn_on()
"""
"""As the quickstart writes them, whose Python lies where the name says."""
PYTHON = '#!/bin/sh\nprintf \'%s\\n\' "$@" > "$RAN"\n'


def cases() -> list[Case]:
    """All of them; each only where there is who reads it."""
    group = "18 beside the desktop"
    found = []
    if shutil.which("gio"):
        found += [Case(group, f"the menu entry, in “{name}”", partial(_entry, name), "^held") for name in NAMES]
    if shutil.which("systemd-analyze"):
        found += [Case(group, f"the unit, in “{name}”", partial(_unit, name), "^held") for name in NAMES]
    return [*found, Case(group, "the tray's socket", _tray_socket, "^held")]


def _written(name: str, folder: Path) -> dict[str, str]:
    """Writes all; the environment of that user."""
    python = folder / name / "python"
    python.parent.mkdir()
    python.write_text(PYTHON, encoding="utf-8")
    python.chmod(0o700)
    (folder / "run").mkdir(mode=0o700)
    without = ("XDG_CONFIG_HOME", "XDG_DATA_HOME")
    environment = {key: value for key, value in os.environ.items() if key not in without} | CODE
    environment |= {"HOME": str(folder / "home"), "S2EDIT_HOME": str(folder / name / "s")}
    environment |= {"XDG_RUNTIME_DIR": str(folder / "run"), "RAN": str(folder / "ran")}
    (folder / "home").mkdir()
    subprocess.run([sys.executable, "-c", WRITE, str(python)], env=environment, check=True)
    return environment


def _entry(name: str, folder: Path) -> str:
    environment = _written(name, folder)
    entry = folder / "home/.local/share/applications/s2edit.desktop"
    ran = subprocess.run(
        ["gio", "launch", str(entry)], env=environment, capture_output=True, text=True, timeout=SOON, check=False
    )
    seen = folder / "ran"
    if ran.returncode == 0:  # it starts the program, and does not wait for it
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(["sh", "-c", 'until [ -s "$RAN" ]; do :; done'], env=environment, timeout=SOON, check=False)
    began = seen.read_text("utf-8").split() if seen.exists() else []
    return verdict(any("s2edit_tray" in part for part in began), "it starts" if began else "it does not start")


def _unit(name: str, folder: Path) -> str:
    """Systemd itself says whether it would take it, and looks whether the program is there; it is run without one."""
    environment = _written(name, folder)
    unit = folder / "home/.config/systemd/user/s2edit.service"
    command = ["systemd-analyze", "--user", "verify", "--man=no", str(unit)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=3 * SOON, check=False)
    complaints = [line for line in ran.stderr.splitlines() if "s2edit.service" in line]
    if complaints:
        return verdict(False, complaints[0].partition(": ")[2])
    parsed = configparser.RawConfigParser()
    parsed.read(unit, encoding="utf-8")
    # Within double quotes, shlex has the two of C's escapes that matter here.
    value = parsed["Service"]["ExecStart"].removeprefix(":").replace("%%", "%")
    subprocess.run(shlex.split(value), env=environment, timeout=SOON, check=True)
    began = (folder / "ran").read_text("utf-8").split()
    home = shlex.split(parsed["Service"]["Environment"].replace("%%", "%"))
    right = "s2edit_server" in began and home == [f"S2EDIT_HOME={folder / name / 's'}"]
    return verdict(right, "it is taken" if right else "it is taken for something else")


def _tray_socket(folder: Path) -> str:
    """Who else could have made the tray's socket first, or reach it: all folders on its way."""
    (folder / "temporary").mkdir()
    (folder / "temporary").chmod(0o1777)
    (folder / "s").mkdir(mode=0o700)
    places = {"S2EDIT_HOME": str(folder / "s"), "TMPDIR": str(folder / "temporary"), "QT_QPA_PLATFORM": "offscreen"}
    code = "import sys\nfrom s2edit_tray.main import main\nsys.exit(main())"
    found: list[Path] = []
    with subprocess.Popen([sys.executable, "-c", code], env={**os.environ, **CODE, **places}) as tray:
        try:
            until = time.monotonic() + 3 * SOON
            while not found and tray.poll() is None and time.monotonic() < until:
                found = _listening(folder)
        finally:
            tray.terminate()
            tray.wait(SOON)
            s2edit(folder / "s", "daemon", "stop")  # which the tray has started
    if not found:
        return verdict(False, "there is no socket")
    private = [any(not parent.stat().st_mode & 0o077 for parent in _inside(path, folder)) for path in found]
    where = "in a folder of the user's alone" if all(private) else "where anybody may make it first"
    return verdict(all(private), f"the socket is {where}")


def _listening(folder: Path) -> list[Path]:
    """The tray's sockets in it."""
    found: list[Path] = []
    for parent, _, names in os.walk(folder):  # which passes over folders that are gone when it comes to them
        for path in (Path(parent, name) for name in names if "tray" in name):
            with contextlib.suppress(FileNotFoundError):
                found += [path] if stat.S_ISSOCK(path.stat().st_mode) else []
    return found


def _inside(path: Path, folder: Path) -> list[Path]:
    return [parent for parent in path.parents if folder in parent.parents]
