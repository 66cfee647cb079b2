"""Where S²Edit keeps its state, found the same way by the daemon and from inside every editor's sandbox."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
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


def home_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The user's home: what HOME says (on Windows USERPROFILE), where that is a whole path; else the user database.

    An empty HOME is the root for `Path.home()`, and a relative one whatever folder the program was started in.

    Raises:
        RuntimeError: neither knows a home, as `Path.home()` raises it.
    """
    if sys.platform == "win32":
        drive, rest = environment.get("HOMEDRIVE", ""), environment.get("HOMEPATH", "")
        homes = [environment.get("USERPROFILE", ""), drive + rest]
    else:
        homes = [environment.get("HOME", "")]
    home = next((one for one in homes if one and Path(one).is_absolute()), "") or _in_database()
    if not home or not Path(home).is_absolute():
        raise RuntimeError("no home folder")
    return Path(home)


def _in_database() -> str:
    """This user's home as the system's list of users has it; "" where it has none."""
    if sys.platform == "win32":
        return ""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""


def named_folder(variable: str, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The folder that an environment variable names, `~` being the home; None where it is unset, empty or relative.

    Source: XDG Base Directory Specification, "All paths set in these environment variables must be absolute".
    Raises RuntimeError where `~` stands for a home that nobody knows.
    """
    given = environment.get(variable, "")
    if given == "~" or given.startswith("~/"):
        return home_folder(environment) / given[2:]
    return Path(given) if Path(given).is_absolute() else None


def settle_home() -> None:
    """Where HOME is empty or no whole path, name the home in it: for libraries that ask the environment themselves."""
    if sys.platform != "win32":
        try:
            os.environ["HOME"] = str(home_folder())
        except RuntimeError:
            return  # told by whoever needs it


def _state_folder() -> Path:
    if os.environ.get("S2EDIT_HOME"):
        return named_folder("S2EDIT_HOME") or Path(os.environ["S2EDIT_HOME"]).expanduser().absolute()
    if sys.platform == "win32":
        return (named_folder("LOCALAPPDATA") or home_folder() / "AppData" / "Local") / "s2edit"
    # Snap moves HOME into the sandbox and names the real one.
    home = named_folder("SNAP_REAL_HOME") or home_folder()
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "s2edit"
    return home / ".local" / "state" / "s2edit"


def run_folder(state: Path) -> Path:
    """The folder of what lives only as long as a daemon: socket, lock, connection file. Mode 0700."""
    return state / "run"


def logs_folder(state: Path) -> Path:
    """The folder of log files."""
    return state / "logs"
