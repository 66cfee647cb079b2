"""The daemon at login, for those who want it: a systemd user unit, a launchd agent, a scheduled task on Windows.

Clients start the daemon by themselves; this only saves them the second that it takes. The daemon itself makes its
folder 0700 and its socket private, so nothing here runs with other rights than the user's. Where Windows lets this user
make no task, a start-up script does the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from xml.sax.saxutils import escape

from s2edit_wire.launcher import own_command
from s2edit_wire.paths import state_folder

from . import windows_task
from .manifest import Entry, Manifest, digest, write_file
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
_AGENT = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>Label</key><string>s2edit.daemon</string>
<key>ProgramArguments</key><array>{command}</array>
<key>EnvironmentVariables</key><dict><key>S2EDIT_HOME</key><string>{home}</string></dict>
<key>Umask</key><integer>63</integer>
<key>RunAtLoad</key><true/>
</dict></plist>
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
    content = _text(around.system, own_command(), state).encode()
    # What `systemctl --user enable` does; it asks for a running systemd, which a container or a first login lacks.
    link = path.parent / _WANTED_BY / path.name if around.system == "linux" else None
    files = [path, link] if link else [path]
    manifest = Manifest(state / "installed.json")
    entry = manifest.entries.setdefault(LOGIN, Entry(version("s2edit")))
    entry.make_folders(files)
    entry.files |= {str(file): digest(content) for file in files}
    manifest.save()
    write_file(path, content, executable=False)
    if link and not link.is_symlink():
        link.symlink_to(Path("..") / path.name)
    return files


def _scheduled(around: Surroundings, state: Path) -> Path | None:
    """Have Windows start it by a scheduled task; the file that says how, None where Windows does not let us."""
    content, path = windows_task.document(own_command(), state, around.variables), state / _TASK
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_file(path, content, executable=False)
    name = windows_task.name(around.variables)
    if not windows_task.create(name, path):
        path.unlink()
        return None
    manifest = Manifest(state / "installed.json")
    entry = manifest.entries.setdefault(LOGIN, Entry(version("s2edit")))
    entry.files[str(path)], entry.task = digest(content), name
    manifest.save()
    return path


def turn_off(state: Path | None = None) -> Outcome | None:
    """Take that back; None when it was not on."""
    manifest = Manifest((state or state_folder()) / "installed.json")
    return uninstall_entry(LOGIN, manifest) if LOGIN in manifest.entries else None


def _text(system: str, command: Sequence[str], state: Path) -> str:
    quoted = " ".join(f'"{part}"' for part in command)
    if system == "linux":
        # systemd expands % in units and $ in commands.
        unit_command, home = (text.replace("%", "%%") for text in (quoted.replace("$", "$$"), f'"S2EDIT_HOME={state}"'))
        return _UNIT.format(command=unit_command, home=home)
    if system == "macos":
        arguments = "".join(f"<string>{escape(part)}</string>" for part in command)
        return _AGENT.format(command=arguments, home=escape(str(state)))
    quiet = " ".join(f'"{part}"' for part in (windows_task.windowless(command[0]), *command[1:]))
    return _SCRIPT.format(command=quiet, home=state)
