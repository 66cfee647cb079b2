"""What the installer has written, with hashes, so that it takes away exactly that: `installed.json` in the state."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .words import Trouble

_DRAFT = ".s2edit-"
"""How the names of files begin that are not whole yet."""


@dataclass
class InstalledEditor:
    """What was put into one editor.

    Args:
        version: S²Edit's. files: SHA-256 by absolute path. folders: those that were made, in that order.
        config: the kritarc that was changed, or "". config_made: whether it was made; section_made: its section.
        task: the scheduled task that was made, or "".
    """

    version: str
    files: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    config: str = ""
    config_made: bool = False
    section_made: bool = False
    task: str = ""

    def make_folders(self, files: Iterable[Path]) -> None:
        """Make the folders that the files need, and remember which were not there."""
        for file in files:
            for folder in reversed([folder for folder in file.parents if not folder.exists()]):
                folder.mkdir()
                self.folders.append(str(folder))


class Manifest:
    """All entries, by target folder.

    Args:
        path: the file; it need not exist. Raises Trouble when it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.entries: dict[str, InstalledEditor] = {}
        if path.exists():
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
                self.entries = {key: InstalledEditor(**entry) for key, entry in content["entries"].items()}
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                words = f"{path} is damaged. Move it away; S²Edit then knows of no installed plug-in."
                raise Trouble(words) from error

    def save(self) -> None:
        """Write it; the file goes when there is nothing to remember."""
        if not self.entries:
            self._path.unlink(missing_ok=True)
            return
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = {"format": 1, "entries": {key: asdict(entry) for key, entry in self.entries.items()}}
        write_file(self._path, json.dumps(content, indent=1).encode(), executable=False)


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def write_file(path: Path, content: bytes, *, executable: bool) -> None:
    """Replace a file of ours in one step."""
    _replace(path, content, 0o755 if executable else 0o644)


def rewrite(path: Path, content: bytes) -> None:
    """Replace what is in somebody else's file in one step: its mode, and a link to it, stay. A new one is private."""
    real = path.resolve()
    _replace(real, content, stat.S_IMODE(real.stat().st_mode) if real.exists() else 0o600)


def _replace(path: Path, content: bytes, mode: int) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=_DRAFT)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        temporary.chmod(mode)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def drafts(entry: InstalledEditor) -> list[Path]:
    """Files that were being written when the installer was killed."""
    folders = {Path(path).parent for path in [*entry.files, *([entry.config] if entry.config else [])]}
    return sorted(path for folder in folders for path in folder.glob(f"{_DRAFT}*") if path.is_file())
