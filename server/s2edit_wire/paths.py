"""Where S²Edit keeps its state, found the same way by the daemon and from inside every editor's sandbox."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .errors import Unreachable

USE_HINT = "Make it a folder that you can write to, or set S2EDIT_HOME to another one."


def state_folder() -> Path:
    """The state folder, which need not exist yet.

    `$S2EDIT_HOME` if set; else `~/.local/state/s2edit`, `~/Library/Application Support/s2edit` or
    `%LOCALAPPDATA%\\s2edit`. The XDG variables are not asked, because Flatpak and Snap point them into the sandbox,
    where an editor would look for a daemon that lives outside.

    Raises:
        Unreachable: `not_usable`, for a user without a home folder.
    """
    try:
        return _state_folder()
    except RuntimeError as error:
        raise Unreachable(
            "S²Edit finds no home folder of yours to keep its files in.", USE_HINT, "not_usable"
        ) from error


def unusable(state: Path, error: OSError) -> Unreachable:
    """What to tell when something in the state folder can't be read, made or written."""
    why = error.strerror or type(error).__name__
    return Unreachable(f"S²Edit's folder “{state}” can't be used: {why}.", USE_HINT, "not_usable")


def _state_folder() -> Path:
    given = os.environ.get("S2EDIT_HOME")
    if given:
        return Path(given).expanduser().absolute()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "s2edit"
    # Snap moves HOME into the sandbox and names the real one.
    home = Path(os.environ.get("SNAP_REAL_HOME") or Path.home())
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "s2edit"
    return home / ".local" / "state" / "s2edit"


def run_folder(state: Path) -> Path:
    """The folder of what lives only as long as a daemon: socket, lock, connection file. Mode 0700."""
    return state / "run"


def logs_folder(state: Path) -> Path:
    """The folder of log files."""
    return state / "logs"
