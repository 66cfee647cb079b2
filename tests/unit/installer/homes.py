"""Homes as each packaging of GIMP and Krita makes them; `s2edit_installer.targets` names the sources."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from s2edit_installer.surroundings import Surroundings

KRITARC = "[General]\nshowWelcomePage=false\n\n[python]\nenable_other=true\n\n[theme]\nTheme=dark\n"


@dataclass(frozen=True)
class Home:
    """A made-up machine.

    Args:
        system: of `Surroundings`. files: what is there, by path below the home; folders end in a slash.
        expected: target names and their folders below the home. programs: found on the path.
        variables: environment; values are below the home. config: kritarc below the home.
    """

    system: str
    files: Mapping[str, str]
    expected: Mapping[str, str]
    programs: tuple[str, ...] = ()
    variables: Mapping[str, str] | None = None
    config: str = ""

    def make(self, folder: Path) -> Surroundings:
        """Build it as `home` (and `system`) in a folder."""
        home = folder / "home"
        home.mkdir(exist_ok=True)
        for name, content in self.files.items():
            path = home / name
            if name.endswith("/"):
                path.mkdir(parents=True, exist_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
        return self.around(folder)

    def around(self, folder: Path) -> Surroundings:
        """The machine as discovery sees it."""
        variables = {name: str(folder / "home" / value) for name, value in (self.variables or {}).items()}
        which = {program: f"/usr/bin/{program}" for program in self.programs}.get
        return Surroundings(self.system, folder / "home", variables, folder / "system", which)


def tree(folder: Path) -> dict[str, tuple[str, bool]]:
    """Every file's digest and whether it is executable, and every folder, below a folder."""
    return {
        path.relative_to(folder).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder",
            path.is_file() and bool(path.stat().st_mode & 0o111),
        )
        for path in folder.rglob("*")
    }


HOMES = {
    "GIMP 3.0 package": Home(
        "linux",
        {".config/GIMP/3.0/gimprc": ""},
        {"GIMP 3.0 (package, AppImage or Flatpak)": ".config/GIMP/3.0/plug-ins"},
    ),
    "GIMP 3.0 and 3.2 with 2.10": Home(
        "linux",
        {".config/GIMP/2.10/": "", ".config/GIMP/3.0/plug-ins/other/other.py": "x", ".config/GIMP/3.2/": ""},
        {
            "GIMP 3.0 (package, AppImage or Flatpak)": ".config/GIMP/3.0/plug-ins",
            "GIMP 3.2 (package, AppImage or Flatpak)": ".config/GIMP/3.2/plug-ins",
        },
    ),
    "GIMP 3.2 never started": Home(
        "linux", {}, {"GIMP 3.2 (package, AppImage or Flatpak)": ".config/GIMP/3.2/plug-ins"}, ("gimp-3.2", "gimp-3.0")
    ),
    "GIMP 3 never started after 2.10": Home("linux", {".config/GIMP/2.10/": ""}, {}, ("gimp-3.0",)),
    "GIMP in another XDG folder": Home(
        "linux",
        {"cfg/GIMP/3.0/": ""},
        {"GIMP 3.0 (package, AppImage or Flatpak)": "cfg/GIMP/3.0/plug-ins"},
        (),
        {"XDG_CONFIG_HOME": "cfg"},
    ),
    "GIMP where GIMP3_DIRECTORY says": Home(
        "linux",
        {".config/GIMP/3.0/": "", "gimp/": ""},
        {"GIMP (GIMP3_DIRECTORY)": "gimp/plug-ins"},
        (),
        {"GIMP3_DIRECTORY": "gimp"},
    ),
    "GIMP Flatpak": Home(
        "linux",
        {".config/GIMP/3.0/": "", ".var/app/org.gimp.GIMP/config/": ""},
        {"GIMP 3.0 (package, AppImage or Flatpak)": ".config/GIMP/3.0/plug-ins"},
    ),
    "GIMP Flatpak never started": Home(
        "linux",
        {".local/share/flatpak/app/org.gimp.GIMP/current/active/files/bin/gimp-3.2": "x"},
        {"GIMP 3.2 (package, AppImage or Flatpak)": ".config/GIMP/3.2/plug-ins"},
    ),
    "GIMP Flatpak of all users, never started": Home(
        "linux",
        {"../system/var/lib/flatpak/app/org.gimp.GIMP/": ""},
        {"GIMP 3.0 (package, AppImage or Flatpak)": ".config/GIMP/3.0/plug-ins"},
    ),
    "GIMP Flatpak with a folder of its own": Home(
        "linux",
        {".var/app/org.gimp.GIMP/config/GIMP/3.0/": ""},
        {"GIMP 3.0 (Flatpak with a folder of its own)": ".var/app/org.gimp.GIMP/config/GIMP/3.0/plug-ins"},
    ),
    "GIMP Snap": Home(
        "linux",
        {"snap/gimp/current/.config/GIMP/3.0/": ""},
        {"GIMP 3.0 (Snap)": "snap/gimp/current/.config/GIMP/3.0/plug-ins"},
    ),
    "GIMP Windows installer or Steam": Home(
        "windows",
        {"AppData/Roaming/GIMP/3.0/": ""},
        {"GIMP 3.0 (installer or Steam)": "AppData/Roaming/GIMP/3.0/plug-ins"},
    ),
    "GIMP Windows installer for one user, never started": Home(
        "windows",
        {"AppData/Local/Programs/GIMP 3/bin/gimp-3.2.exe": "x"},
        {"GIMP 3.2 (installer or Steam)": "AppData/Roaming/GIMP/3.2/plug-ins"},
    ),
    "GIMP Microsoft Store": Home(
        "windows",
        {"AppData/Local/Packages/GIMP.43237F745459_abc/LocalCache/Roaming/GIMP/3.2/": ""},
        {
            "GIMP 3.2 (Microsoft Store)": (
                "AppData/Local/Packages/GIMP.43237F745459_abc/LocalCache/Roaming/GIMP/3.2/plug-ins"
            )
        },
    ),
    "GIMP macOS": Home(
        "macos",
        {"Library/Application Support/GIMP/3.0/": ""},
        {"GIMP 3.0 (application)": "Library/Application Support/GIMP/3.0/plug-ins"},
    ),
    "Krita package": Home(
        "linux",
        {".local/share/krita/": "", ".config/kritarc": KRITARC},
        {"Krita (package or AppImage)": ".local/share/krita"},
        config=".config/kritarc",
    ),
    "Krita package never started": Home(
        "linux", {}, {"Krita (package or AppImage)": ".local/share/krita"}, ("krita",), config=".config/kritarc"
    ),
    "Krita Flatpak": Home(
        "linux",
        {".var/app/org.kde.krita/data/krita/": "", ".var/app/org.kde.krita/config/kritarc": KRITARC},
        {"Krita (Flatpak)": ".var/app/org.kde.krita/data/krita"},
        config=".var/app/org.kde.krita/config/kritarc",
    ),
    "Krita Snap": Home(
        "linux",
        {"snap/krita/current/.local/share/krita/": ""},
        {"Krita (Snap)": "snap/krita/current/.local/share/krita"},
        config="snap/krita/current/.config/kritarc",
    ),
    "Krita Windows installer or Steam": Home(
        "windows",
        {"AppData/Roaming/krita/": "", "AppData/Local/kritarc": KRITARC},
        {"Krita (installer or Steam)": "AppData/Roaming/krita"},
        config="AppData/Local/kritarc",
    ),
    "Krita Microsoft Store": Home(
        "windows",
        {"AppData/Local/Packages/49800Krita_x/LocalCache/Roaming/krita/": ""},
        {"Krita (Microsoft Store)": "AppData/Local/Packages/49800Krita_x/LocalCache/Roaming/krita"},
        config="AppData/Local/Packages/49800Krita_x/LocalCache/Local/kritarc",
    ),
    "Krita macOS": Home(
        "macos",
        {"Library/Application Support/krita/": "", "Library/Preferences/kritarc": KRITARC},
        {"Krita (application)": "Library/Application Support/krita"},
        config="Library/Preferences/kritarc",
    ),
    "nothing": Home("linux", {".config/other": "x"}, {}),
}
