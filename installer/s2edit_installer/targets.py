"""Where GIMP 3 and Krita look for plug-ins, for each way in which they are packaged: data, and the search over it.

Sources: GIMP's manual, "Installing new plug-ins", and gimpbaseenv.c (folder per version, GIMP3_DIRECTORY); Krita's
manual, "Managing Python plugins" and "Resource management" (folders per system, the Store's included); Flathub's
manifests of org.gimp.GIMP and org.kde.krita (Flatpak moves XDG folders to ~/.var/app/ID); snapcraft.io's
documentation (a snap's home is ~/snap/NAME/current); Microsoft's "Understanding how packaged desktop apps run on
Windows" (a Store app's AppData is LocalCache below its Packages folder). AppImages, and Steam's builds, use the
folders of an ordinary installation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .surroundings import Surroundings

_VERSION = re.compile(r"3\.\d+")
NEWEST_GIMP = ("3.4", "3.2", "3.0")
"""Versions whose program is looked for by name when its folder is not there yet."""


@dataclass(frozen=True)
class Place:
    """One kind of installation.

    Args:
        host: `gimp` or `krita`. packaging: in words. system: which system has it.
        folder: GIMP's configuration folder without the version; Krita's resource folder.
        config: Krita's kritarc.
        signs: any of these paths shows that the program is there; `program:NAME` is looked for on the path.
    """

    host: str
    packaging: str
    system: str
    folder: str
    config: str = ""
    signs: tuple[str, ...] = ()


PLACES = (
    Place("gimp", "package or AppImage", "linux", "config/GIMP"),
    Place(
        "gimp",
        "Flatpak",
        "linux",
        "home/.var/app/org.gimp.GIMP/config/GIMP",
        signs=("root/var/lib/flatpak/app/org.gimp.GIMP", "home/.local/share/flatpak/app/org.gimp.GIMP"),
    ),
    Place("gimp", "Snap", "linux", "home/snap/gimp/current/.config/GIMP", signs=("root/snap/gimp/current",)),
    Place("gimp", "installer or Steam", "windows", "roaming/GIMP", signs=("programs/GIMP 3",)),
    Place("gimp", "Microsoft Store", "windows", "local/Packages/GIMP.*/LocalCache/Roaming/GIMP"),
    Place("gimp", "application", "macos", "support/GIMP", signs=("root/Applications/GIMP.app",)),
    Place("krita", "package or AppImage", "linux", "data/krita", "config/kritarc", ("program:krita",)),
    Place(
        "krita",
        "Flatpak",
        "linux",
        "home/.var/app/org.kde.krita/data/krita",
        "home/.var/app/org.kde.krita/config/kritarc",
        ("root/var/lib/flatpak/app/org.kde.krita", "home/.local/share/flatpak/app/org.kde.krita"),
    ),
    Place(
        "krita",
        "Snap",
        "linux",
        "home/snap/krita/current/.local/share/krita",
        "home/snap/krita/current/.config/kritarc",
        ("root/snap/krita/current",),
    ),
    Place(
        "krita",
        "installer or Steam",
        "windows",
        "roaming/krita",
        "local/kritarc",
        ("programs/Krita (x64)",),
    ),
    Place(
        "krita",
        "Microsoft Store",
        "windows",
        "local/Packages/49800Krita*/LocalCache/Roaming/krita",
        "local/Packages/49800Krita*/LocalCache/Local/kritarc",
    ),
    Place(
        "krita",
        "application",
        "macos",
        "support/krita",
        "home/Library/Preferences/kritarc",
        ("root/Applications/krita.app",),
    ),
)


@dataclass(frozen=True)
class Target:
    """An editor that a plug-in can be put into.

    Args:
        host: `gimp` or `krita`. packaging: in words. version: GIMP's, such as `3.0`; empty for Krita.
        folder: GIMP's `plug-ins` folder, or Krita's resource folder.
        config: Krita's kritarc.
    """

    host: str
    packaging: str
    version: str
    folder: Path
    config: Path | None = None

    @property
    def name(self) -> str:
        """In words."""
        program = f"GIMP {self.version}".strip() if self.host == "gimp" else "Krita"
        return f"{program} ({self.packaging})"


def find(around: Surroundings) -> list[Target]:
    """Every editor of this user, in the order of `PLACES`."""
    found: list[Target] = []
    for place in PLACES:
        if place.system == around.system:
            found += _gimp(place, around) if place.host == "gimp" else _krita(place, around)
    return found


def _gimp(place: Place, around: Surroundings) -> list[Target]:
    own = around.variables.get("GIMP3_DIRECTORY")
    if own and not place.signs:
        return [Target("gimp", "GIMP3_DIRECTORY", "", Path(own) / "plug-ins")]
    found = []
    for base in around.expand(place.folder):
        versions = sorted(path.name for path in base.glob("3.*") if _VERSION.fullmatch(path.name) and path.is_dir())
        if not versions and not _older_settings(base):
            versions = _versions_never_started(place, around)
        found += [Target("gimp", place.packaging, version, base / version / "plug-ins") for version in versions]
    return found


def _older_settings(base: Path) -> bool:
    """Whether GIMP 3 would take over a GIMP 2's settings at its first start, which it does only into no folder."""
    return any(base.glob("2.*"))


def _versions_never_started(place: Place, around: Surroundings) -> list[str]:
    """Versions that are installed but have no folder yet, the newest only."""
    if place.packaging == "package or AppImage":
        return [version for version in NEWEST_GIMP if around.which(f"gimp-{version}")][:1]
    return ["3.0"] if _is_there(place, around) else []


def _krita(place: Place, around: Surroundings) -> list[Target]:
    folders, configs = around.expand(place.folder), around.expand(place.config)
    if "*" in place.config:
        # Krita writes it at its first start; the folder beside it is there all the same.
        configs = [folder.parents[1] / "Local" / "kritarc" for folder in folders]
    return [
        Target("krita", place.packaging, "", folder, config)
        for folder, config in zip(folders, configs, strict=True)
        if folder.is_dir() or _is_there(place, around)
    ]


def _is_there(place: Place, around: Surroundings) -> bool:
    for sign in place.signs:
        kind, _, program = sign.partition(":")
        if kind == "program":
            if around.which(program):
                return True
        elif any(path.exists() for path in around.expand(sign)):
            return True
    return False
