"""Where GIMP 3 and Krita look for plug-ins, for each way in which they are packaged: data, and the search over it.

Each place says where that is written. AppImages, and Steam's builds, use the folders of an ordinary installation.
`installer/PACKAGINGS.md` shows what installing does in a made-up home of each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .surroundings import Surroundings

_VERSION = re.compile(r"3\.\d+")
NEWEST_GIMP = ("3.4", "3.2", "3.0")
"""Versions whose program is looked for by name when its folder is not there yet."""
_FIRST_GIMP = "3.0"
"""The folder for a GIMP that does not tell its version: at its first start, a newer one takes its plug-ins over."""
OWN_FOLDER = "GIMP3_DIRECTORY"
ORDINARY = "package or AppImage"
_GIMP_FLATPAK = ("root/var/lib/flatpak/app/org.gimp.GIMP", "home/.local/share/flatpak/app/org.gimp.GIMP")
_IN_FLATPAK = "/current/active/files/bin/gimp-{version}"


_GIMP = "GIMP's manual, “Installing new plug-ins”, and libgimpbase/gimpenv.c"
_KRITA = "Krita's manual, “Resource management” and “Managing Python plugins”; its FAQ for kritarc"
_SNAP = "snapcraft.io, “Data locations”, and the snapcraft.yaml of each, both strict"
_STORE = "Microsoft, “Understanding how packaged desktop apps run on Windows”"


@dataclass(frozen=True)
class Installation:
    """One kind of installation.

    Args:
        host: `gimp` or `krita`. packaging: in words. system: which system has it. source: where that is written.
        folder: GIMP's configuration folder without the version; Krita's resource folder.
        config: Krita's kritarc.
        signs: any of these paths shows that the program is there; `program:NAME` is looked for on the path. With
            `{version}` in it, a sign tells GIMP's version, too.
    """

    host: str
    packaging: str
    system: str
    source: str
    folder: str
    config: str = ""
    signs: tuple[str, ...] = ()


PLACES = (
    Installation(
        "gimp",
        "package, AppImage or Flatpak",
        "linux",
        f"{_GIMP}; flathub org.gimp.GIMP's “--filesystem=xdg-config/GIMP:create” (its linter's pull request 463)",
        "config/GIMP",
        signs=("program:gimp-{version}", *(place + _IN_FLATPAK for place in _GIMP_FLATPAK), *_GIMP_FLATPAK),
    ),
    Installation(
        "gimp",
        "Flatpak with a folder of its own",
        "linux",
        "flathub org.gimp.GIMP, issue 72: what it did where ~/.config/GIMP was missing, before “:create”",
        "home/.var/app/org.gimp.GIMP/config/GIMP",
    ),
    Installation(
        "gimp", "Snap", "linux", _SNAP, "home/snap/gimp/current/.config/GIMP", signs=("root/snap/gimp/current",)
    ),
    Installation(
        "gimp",
        "installer or Steam",
        "windows",
        f"{_GIMP}; Inno Setup, “{{autopf}}”, for all users or for one",
        "roaming/GIMP",
        signs=(
            "programs/GIMP 3/bin/gimp-{version}.exe",
            "local/Programs/GIMP 3/bin/gimp-{version}.exe",
            "programs/GIMP 3",
            "local/Programs/GIMP 3",
        ),
    ),
    Installation(
        "gimp",
        "Microsoft Store",
        "windows",
        f"{_STORE}; GIMP's build/windows/store/AppxManifest.xml",
        "local/Packages/GIMP*/LocalCache/Roaming/GIMP",
    ),
    Installation("gimp", "application", "macos", _GIMP, "support/GIMP", signs=("root/Applications/GIMP.app",)),
    Installation("krita", ORDINARY, "linux", _KRITA, "data/krita", "config/kritarc", ("program:krita",)),
    Installation(
        "krita",
        "Flatpak",
        "linux",
        f"{_KRITA}; Flatpak's manual, “XDG base directories”; flathub's org.kde.krita.yaml",
        "home/.var/app/org.kde.krita/data/krita",
        "home/.var/app/org.kde.krita/config/kritarc",
        ("root/var/lib/flatpak/app/org.kde.krita", "home/.local/share/flatpak/app/org.kde.krita"),
    ),
    Installation(
        "krita",
        "Snap",
        "linux",
        _SNAP,
        "home/snap/krita/current/.local/share/krita",
        "home/snap/krita/current/.config/kritarc",
        ("root/snap/krita/current",),
    ),
    Installation(
        "krita", "installer or Steam", "windows", _KRITA, "roaming/krita", "local/kritarc", ("programs/Krita (x64)",)
    ),
    Installation(
        "krita",
        "Microsoft Store",
        "windows",
        f"{_KRITA}; {_STORE}; Krita's packaging/windows/msix/manifest.xml.in",
        "local/Packages/49800Krita*/LocalCache/Roaming/krita",
        "local/Packages/49800Krita*/LocalCache/Local/kritarc",
    ),
    Installation(
        "krita",
        "application",
        "macos",
        _KRITA,
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
    """Every editor of this user, in the order of `PLACES`; a folder that is a link to another's is not told again."""
    found: dict[Path, Target] = {}
    for place in PLACES:
        if place.system == around.system:
            for target in _gimp(place, around) if place.host == "gimp" else _krita(place, around):
                found.setdefault(target.folder.resolve(), target)
    return list(found.values())


def _gimp(place: Installation, around: Surroundings) -> list[Target]:
    if own := around.variables.get(OWN_FOLDER):
        return [Target("gimp", OWN_FOLDER, "", around.home / own / "plug-ins")]
    found = []
    for base in around.expand(place.folder):
        versions = sorted(path.name for path in base.glob("3.*") if _VERSION.fullmatch(path.name) and path.is_dir())
        if not versions and not _older_settings(base):
            versions = _versions_never_started(place, around)
        found += [Target("gimp", place.packaging, version, base / version / "plug-ins") for version in versions]
    return found


def gimp_not_ready(around: Surroundings) -> str:
    """Why a GIMP that leaves traces here gets no plug-in yet, and what to do; "" where that is not so."""
    places = [place for place in PLACES if place.host == "gimp" and place.system == around.system]
    left = [place for place in places if any(map(_older_settings, around.expand(place.folder)))]
    if not left or any(target.host == "gimp" for target in find(around)):
        return ""
    if any(_versions_never_started(place, around) for place in left):
        return "Start GIMP 3 once, so that it takes over GIMP 2's settings, then run: s2edit install"
    return "Of GIMP, only version 2 was found; S²Edit needs GIMP 3."


def _older_settings(base: Path) -> bool:
    """Whether GIMP 3 would take over a GIMP 2's settings at its first start, which it does only into no folder."""
    return any(base.glob("2.*"))


def _versions_never_started(place: Installation, around: Surroundings) -> list[str]:
    """The version that is installed but has no folder yet, the newest only; none when there is none."""
    for version in NEWEST_GIMP:
        if any(_shows(sign.format(version=version), around) for sign in place.signs if "{" in sign):
            return [version]
    return [_FIRST_GIMP] if any(_shows(sign, around) for sign in place.signs if "{" not in sign) else []


def _krita(place: Installation, around: Surroundings) -> list[Target]:
    folders, configs = around.expand(place.folder), around.expand(place.config)
    if "*" in place.config:
        # Krita writes it at its first start; the folder beside it is there all the same.
        configs = [folder.parents[1] / "Local" / "kritarc" for folder in folders]
    return [
        Target("krita", place.packaging, "", folder, config)
        for folder, config in zip(folders, configs, strict=True)
        if folder.is_dir() or _is_there(place, around)
    ]


def _is_there(place: Installation, around: Surroundings) -> bool:
    return any(_shows(sign, around) for sign in place.signs)


def _shows(sign: str, around: Surroundings) -> bool:
    kind, _, program = sign.partition(":")
    if kind == "program":
        return around.which(program) is not None
    return any(path.exists() for path in around.expand(sign))
