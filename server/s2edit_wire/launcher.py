"""Starting the daemon when none runs, from a program that must not depend on it and may well end before it.

`<state folder>/launcher.json`, `{"command": [...], "version": ...}`, is written by the installer: a plug-in can't know
which Python S²Edit lives in.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from .client import Client
from .connection import read_connection_file
from .errors import Unreachable, WireError
from .kinds import Field, ListOf, Record, Text
from .limits import MAX_CONNECTION_FILE
from .living import judged
from .no_line import noted
from .paths import logs_folder, unusable
from .private_files import read_private_json, write_private_json

START_TIMEOUT = 20.0
"""Seconds that a daemon may take until it listens: the first start on a cold disk is slow."""
GRACE = 3.0
"""Seconds to wait on after our process ended: another program may be starting the daemon at the same moment."""
INSTALL_HINT = "Install it: in S²Edit's folder, run  python3 installer/quickstart.py"
STARTABLE = frozenset({"not_running", "stale"})
"""Reasons of Unreachable for which starting a daemon helps."""

FILE = Record(
    "launcher file",
    (
        Field("command", ListOf(Text(4_096, 1), 32, 1), "Program and arguments that run the daemon."),
        Field("version", Text(64), "The version that is installed."),
    ),
)
_OWN_PYTHON = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONNOUSERSITE", "__PYVENV_LAUNCHER__")
_BUNDLE = ("LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "QT_PLUGIN_PATH", "GI_TYPELIB_PATH")
_children: list[subprocess.Popen[bytes]] = []
"""Daemons started here: kept, so that they are reaped when they end before us."""


def launcher_path(state: Path) -> Path:
    """Where the installer writes how to start the daemon."""
    return state / "launcher.json"


def write_launcher_file(state: Path, command: Sequence[str], version: str) -> Path:
    """Say how to start the daemon; for the installer. Returns the file's path."""
    value: dict[str, object] = {"command": list(command), "version": version}
    FILE.check(value, "")
    write_private_json(launcher_path(state), value)
    return launcher_path(state)


def read_command(state: Path) -> list[str]:
    """The command that runs the daemon.

    Raises:
        Unreachable: `not_installed` when the installer has written none, `not_ours` when the file can't be trusted,
            `not_usable` when the folder that it belongs into is none.
    """
    path = launcher_path(state)
    try:
        value = read_private_json(path, MAX_CONNECTION_FILE, secret=False)
        FILE.check(value, "")
    except FileNotFoundError as error:
        raise Unreachable("S²Edit is not installed on this computer.", INSTALL_HINT, "not_installed") from error
    except OSError as error:
        raise unusable(state, error) from error
    except WireError as error:
        raise Unreachable("S²Edit's launcher file is damaged.", INSTALL_HINT, "not_installed") from error
    command: list[str] = value["command"]
    return command


class Launch:
    """A daemon being started.

    Args:
        state: the state folder, handed to the daemon as S2EDIT_HOME.
        command: program and arguments; the installer's when None.

    Raises:
        Unreachable: there is nothing to start, or it can't be started from here.
    """

    def __init__(self, state: Path, command: Sequence[str] | None = None) -> None:
        self._state = state
        self._old_boot = _boot(state)
        self._old_line = getattr(noted(state), "pid", 0)
        self._log = logs_folder(state) / "daemon-start.log"
        self._process = _spawn(list(command or read_command(state)), state, self._log)
        self._deadline = time.monotonic() + START_TIMEOUT

    def poll(self) -> bool:
        """Whether the daemon listens by now. Never blocks.

        Raises:
            Unreachable: it ended at once or takes too long, and the hint names the log; or it has no line to the
                computer that computes.
        """
        if _boot(self._state) not in (None, self._old_boot):
            return True
        no_line = noted(self._state)
        if no_line is not None and no_line.pid != self._old_line:
            raise no_line
        now = time.monotonic()
        if self._process.poll() is not None:
            self._deadline = min(self._deadline, now + GRACE)
        if now > self._deadline:
            raise Unreachable("S²Edit's daemon could not be started." + _last_line(self._log), f"See {self._log}")
        return False


def connect(client: Client, command: Sequence[str] | None = None, timeout: float = START_TIMEOUT) -> None:
    """Connect the client, starting the daemon if none runs; waits up to `timeout` seconds for it.

    Args:
        client: not connected yet.
        command: what runs the daemon; the installer's when None.

    Raises:
        Unreachable, WireError: as `Client.connect` and `Launch`.
    """
    try:
        client.connect()
        return
    except Unreachable as error:
        if judged(error, client.state_folder).reason not in STARTABLE:
            raise
    launch = Launch(client.state_folder, command)
    deadline = time.monotonic() + timeout
    while not launch.poll():
        if time.monotonic() > deadline:
            raise Unreachable("S²Edit's daemon takes too long to start.", "Try again in a minute.")
        time.sleep(0.05)
    client.connect()


def _boot(state: Path) -> tuple[str, int] | None:
    """Which start of the daemon listens, and the process: a line to another computer may find the same start there."""
    try:
        found = read_connection_file(state)
        return found.boot, found.pid
    except Unreachable:
        return None


def _spawn(command: list[str], state: Path, log: Path) -> subprocess.Popen[bytes]:
    if Path("/.flatpak-info").exists():
        # The sandbox must not hold the daemon; this works only where the user has allowed it.
        command = ["flatpak-spawn", "--host", f"--env=S2EDIT_HOME={state}", *command]
    _children[:] = [child for child in _children if child.poll() is None]
    output = _open_log(state, log)
    detached = 0
    if sys.platform == "win32":
        detached = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    try:
        with output:
            process = subprocess.Popen(  # noqa: S603 - the command comes from a file that only this user can write
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=state,
                env=_environment(os.environ, state),
                close_fds=True,
                start_new_session=True,
                creationflags=detached,
            )
    except OSError as error:
        raise Unreachable(
            "S²Edit's daemon can't be started from inside this program.",
            "Start it yourself, from a terminal or the tray: s2edit daemon start",
            "not_installed",
        ) from error
    _children.append(process)
    return process


def _open_log(state: Path, log: Path) -> IO[bytes]:
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return log.open("wb")
    except OSError as error:
        raise unusable(state, error) from error


@atexit.register
def _let_go() -> None:
    """Forget the daemons before this program ends: they run on, of which Popen would warn as of an oversight."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        _children.clear()


def _environment(given: Mapping[str, str], state: Path) -> dict[str, str]:
    """The environment without what an editor's bundle has set for its own Python and libraries."""
    dropped = set(_OWN_PYTHON)
    if any(name in given for name in ("APPDIR", "APPIMAGE", "SNAP")) or sys.platform == "darwin":
        dropped.update(_BUNDLE)
    kept = {name: value for name, value in given.items() if name not in dropped}
    kept["S2EDIT_HOME"] = str(state)
    return kept


def _last_line(log: Path) -> str:
    """The last thing the daemon said, as the end of a sentence; empty when it said nothing."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 2_000))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    said = [line.strip() for line in lines if line.strip()]
    return f" It said: {said[-1][:300]}" if said else ""
