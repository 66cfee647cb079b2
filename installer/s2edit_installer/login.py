"""The daemon at login, for those who want it: a systemd user unit, a launchd agent, a scheduled task on Windows.

Clients start the daemon by themselves; this only saves them the second that it takes. The daemon itself makes its
folder 0700 and its socket private, so nothing here runs with other rights than the user's. Where Windows lets this user
make no task, a start-up script does the same.
"""

from __future__ import annotations

import plistlib
from importlib.metadata import version
from pathlib import Path

from s2edit_wire import programs
from s2edit_wire.paths import state_folder

from . import windows_task
from .manifest import InstalledEditor, Manifest, digest, write_file
from .plugins import Outcome, uninstall_entry
from .surroundings import Surroundings

LOGIN = "daemon at login"
"""Key in the manifest."""
_UNIT = """[Unit]
Description=S²Edit's daemon: jobs, weights and the GPU

[Service]
ExecStart={command}
Environment={home}
UMask=0077
Restart=on-failure
RestartSec=5

[Install]
WantedBy=default.target
"""
_SCRIPT = '@echo off\r\nset "S2EDIT_HOME={home}"\r\nstart "" {command}\r\n'
_TASK = "daemon-at-login.xml"
"""The scheduled task as it was handed to Windows, in the state folder."""
_PLACES = {
    "linux": "config/systemd/user/s2edit.service",
    "macos": "home/Library/LaunchAgents/s2edit.daemon.plist",
    "windows": "roaming/Microsoft/Windows/Start Menu/Programs/Startup/S2Edit daemon.cmd",
}
_WANTED_BY = "default.target.wants"


def turn_on(around: Surroundings | None = None, state: Path | None = None) -> list[Path]:
    """Have the daemon started at every login from now on; returns the files that say so."""
    around, state = around or Surroundings.here(), state or state_folder()
    if around.system == "windows" and (task := _scheduled(around, state)):
        return [task]
    (path,) = around.expand(_PLACES[around.system])
    content = _text(around.system, state)
    # What `systemctl --user enable` does; it asks for a running systemd, which a container or a first login lacks.
    link = path.parent / _WANTED_BY / path.name if around.system == "linux" else None
    files = [path, link] if link else [path]
    manifest = Manifest(state / "installed.json")
    entry = manifest.entries.setdefault(LOGIN, InstalledEditor(version("s2edit")))
    entry.make_folders(files)
    entry.files |= {str(file): digest(content) for file in files}
    manifest.save()
    write_file(path, content, executable=False)
    if link and not link.is_symlink():
        link.symlink_to(Path("..") / path.name)
    return files


def _scheduled(around: Surroundings, state: Path) -> Path | None:
    """Have Windows start it by a scheduled task; the file that says how, None where Windows does not let us."""
    content, path = windows_task.document(state, around.variables), state / _TASK
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_file(path, content, executable=False)
    name = windows_task.name(around.variables)
    if not windows_task.create(name, path):
        path.unlink()
        return None
    manifest = Manifest(state / "installed.json")
    entry = manifest.entries.setdefault(LOGIN, InstalledEditor(version("s2edit")))
    entry.files[str(path)], entry.task = digest(content), name
    manifest.save()
    return path


def turn_off(state: Path | None = None) -> Outcome | None:
    """Take that back; None when it was not on."""
    manifest = Manifest((state or state_folder()) / "installed.json")
    return uninstall_entry(LOGIN, manifest) if LOGIN in manifest.entries else None


def _text(system: str, state: Path) -> bytes:
    command = programs.command("daemon", windowless=system == "windows")
    if system == "linux":
        home = programs.systemd_quoted(f"S2EDIT_HOME={state}")
        return _UNIT.format(command=programs.in_systemd_unit(command), home=home).encode()
    if system == "macos":
        return plistlib.dumps(
            {
                "Label": "s2edit.daemon",
                "ProgramArguments": command,
                "EnvironmentVariables": {"S2EDIT_HOME": str(state)},
                "Umask": 0o077,
                "RunAtLoad": True,
            }
        )
    home = str(state).replace("%", "%%")
    return _SCRIPT.format(command=programs.in_command_script(command), home=home).encode()
