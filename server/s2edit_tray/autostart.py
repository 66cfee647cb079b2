"""Start at login, only when the user asks for it: an XDG autostart entry, a launch agent, or a registry value."""

from __future__ import annotations

import sys
from pathlib import Path

from s2edit_wire import programs
from s2edit_wire.paths import home_folder, named_folder

_NAME = "s2edit-tray"
_LABEL = "org.s2edit.tray"


def command() -> list[str]:
    """What is run at login: this interpreter, hidden in the tray."""
    return programs.command("tray", "--hidden", windowless=sys.platform == "win32")


def _entry() -> Path:
    """The file that stands for "start at login" on Linux and macOS."""
    if sys.platform == "darwin":
        return home_folder() / "Library" / "LaunchAgents" / f"{_LABEL}.plist"
    return (named_folder("XDG_CONFIG_HOME") or home_folder() / ".config") / "autostart" / f"{_NAME}.desktop"


def enabled() -> bool:
    """Whether the tray starts at login."""
    if sys.platform == "win32":
        return _registry_get() is not None
    return _entry().is_file()


def enable(on: bool) -> None:
    """Switch it on or off; OSError when the desktop's folder can't be written."""
    if sys.platform == "win32":
        _registry_set(programs.in_registry(command()) if on else None)
        return
    entry = _entry()
    if not on:
        entry.unlink(missing_ok=True)
        return
    entry.parent.mkdir(parents=True, exist_ok=True)
    if sys.platform == "darwin":
        # Not at the top: an XML parser that the tray needs nowhere else.
        import plistlib

        entry.write_bytes(plistlib.dumps({"Label": _LABEL, "ProgramArguments": command(), "RunAtLoad": True}))
    else:
        run = programs.in_desktop_entry(command())
        entry.write_text(
            f"[Desktop Entry]\nType=Application\nName=S²Edit\nExec={run}\nX-GNOME-Autostart-enabled=true\n", "utf-8"
        )


if sys.platform == "win32":
    import winreg

    _KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"

    def _registry_get() -> str | None:
        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _KEY) as key:
                return str(winreg.QueryValueEx(key, _NAME)[0])
        except FileNotFoundError:
            return None

    def _registry_set(value: str | None) -> None:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _KEY, 0, winreg.KEY_SET_VALUE) as key:
            if value is not None:
                winreg.SetValueEx(key, _NAME, 0, winreg.REG_SZ, value)
            elif _registry_get() is not None:
                winreg.DeleteValue(key, _NAME)
