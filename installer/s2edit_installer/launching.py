"""How S²Edit is started from outside its environment: the launcher file for plug-ins, and the desktop's menu entry."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from s2edit_wire.launcher import write_launcher_file
from s2edit_wire.paths import state_folder
from s2edit_wire.programs import command, in_desktop_entry

from .manifest import InstalledEditor, Manifest, digest, write_file
from .surroundings import Surroundings

MENU = "desktop entry"
"""Key of the menu entry in the manifest."""
_ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
<rect x="4" y="4" width="56" height="56" rx="12" fill="#2b3440"/>
<circle cx="32" cy="30" r="16" fill="#f2c9a5"/>
<path d="M14 28h36v3c0 6-4 9-8 9s-7-3-8-7h-4c-1 4-4 7-8 7s-8-3-8-9z" fill="#1c7ed6"/>
<path d="M26 46q6 4 12 0" stroke="#2b3440" stroke-width="3" fill="none" stroke-linecap="round"/>
</svg>
"""
_ENTRY = """[Desktop Entry]
Type=Application
Name=S²Edit
Comment=Jobs, weights and settings of S²Edit
Exec={command}
Icon=s2edit
Categories=Graphics;
Terminal=false
"""


def write_launcher(state: Path | None = None) -> Path:
    """Tell the plug-ins how to start the daemon; returns the file."""
    folder = state or state_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return write_launcher_file(folder, command("daemon"), version("s2edit"))


def write_menu_entry(around: Surroundings | None = None, state: Path | None = None) -> list[Path]:
    """Put S²Edit's window into the desktop's menu, on Linux; returns the files, none elsewhere.

    Starting at login is the user's choice, in the tray's settings.
    """
    around = around or Surroundings.here()
    if around.system != "linux":
        return []
    entry_file, icon = _files(around)
    contents = {entry_file: _ENTRY.format(command=in_desktop_entry(command("tray"))), icon: _ICON}
    manifest = Manifest((state or state_folder()) / "installed.json")
    entry = manifest.entries.setdefault(MENU, InstalledEditor(version("s2edit")))
    entry.make_folders(contents)
    entry.files |= {str(path): digest(text.encode()) for path, text in contents.items()}
    manifest.save()
    for path, text in contents.items():
        write_file(path, text.encode(), executable=False)
    return list(contents)


def _files(around: Surroundings) -> tuple[Path, Path]:
    (data,) = around.expand("data/.")
    return data / "applications" / "s2edit.desktop", data / "icons" / "hicolor" / "scalable" / "apps" / "s2edit.svg"
