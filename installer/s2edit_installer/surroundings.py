"""The machine as discovery sees it: system, home, folders and programs; tests hand in a made-up one."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from s2edit_wire.paths import home_folder, named_folder

SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}


@dataclass(frozen=True)
class Surroundings:
    """Where this user's things are.

    Args:
        system: `linux`, `macos` or `windows`.
        home: the user's home.
        variables: the environment.
        root: what system paths such as /var/lib hang from; only tests change it.
        which: finds a program by name, as `shutil.which`.
    """

    system: str
    home: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    root: Path = Path("/")
    which: Callable[[str], str | None] = shutil.which

    @classmethod
    def here(cls) -> Surroundings:
        """This machine and user."""
        return cls(SYSTEMS.get(sys.platform, "linux"), home_folder(), os.environ)

    def expand(self, pattern: str) -> list[Path]:
        """Paths for a pattern with the names below, which need not exist unless the pattern has a `*`."""
        folders = {
            "home": self.home,
            "config": self._folder("XDG_CONFIG_HOME", ".config"),
            "data": self._folder("XDG_DATA_HOME", ".local/share"),
            "roaming": self._folder("APPDATA", "AppData/Roaming"),
            "local": self._folder("LOCALAPPDATA", "AppData/Local"),
            "programs": named_folder("ProgramFiles", self.variables) or Path("C:/Program Files"),
            "support": self.home / "Library" / "Application Support",
            "root": self.root,
        }
        first, _, rest = pattern.partition("/")
        base = folders[first]
        return sorted(base.glob(rest)) if "*" in rest else [base / rest]

    def _folder(self, variable: str, usual: str) -> Path:
        return named_folder(variable, self.variables) or self.home / usual
