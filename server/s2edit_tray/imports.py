"""The user's own list of weights that are used where they lie.

The tray writes it, the daemon reads it after `rescan`: a path never travels over the wire.
"""

from __future__ import annotations

import json
from pathlib import Path

from s2edit_wire.paths import state_folder

from .text import _


class ImportsFileError(Exception):
    """What can't be imported, and why, in one sentence."""


class ImportsFile:
    """`weights/imports.json` in the state folder: `{"paths": [absolute paths]}`."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or state_folder() / "weights" / "imports.json"

    def paths(self) -> list[str]:
        """What is imported now."""
        try:
            listed = json.loads(self.path.read_text("utf-8"))["paths"]
        except (OSError, ValueError, KeyError, TypeError):
            return []
        return [entry for entry in listed if isinstance(entry, str)]

    def add(self, dropped: str) -> None:
        """Note a `.safetensors` file or a folder with `model_index.json`; ImportsFileError for anything else."""
        path = Path(dropped)
        if path.is_file() and path.suffix != ".safetensors":
            raise ImportsFileError(
                _(
                    "“{name}” is no .safetensors file. Other formats can carry code and are not opened.",
                    name=path.name,
                )
            )
        if path.is_dir() and not (path / "model_index.json").is_file():
            raise ImportsFileError(_("“{name}” is no model folder: it has no model_index.json.", name=path.name))
        if not path.exists():
            raise ImportsFileError(_("“{name}” is not there any more.", name=path.name))
        paths = self.paths()
        absolute = str(path.resolve())
        if absolute in paths:
            return
        self._write([*paths, absolute])

    def remove(self, path: str) -> None:
        """Take one of `paths` off the list; what lies there stays as it is."""
        self._write([entry for entry in self.paths() if entry != path])

    def _write(self, paths: list[str]) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".json.new")
        temporary.write_text(json.dumps({"paths": paths}, indent=2, ensure_ascii=False), "utf-8")
        temporary.replace(self.path)
