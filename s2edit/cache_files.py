"""The files of the cache: which there are, who needs them, and how they go. Importing this loads nothing else."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

SUFFIX = ".safetensors"
UNFINISHED = ".partial"
_NOTES = ".uses"
_ABANDONED = 3600
"""Seconds after which nobody writes an unfinished entry any more: its process was killed, or the power failed."""


def entries(folder: Path) -> list[tuple[float, int, Path]]:
    """Last use, bytes and path of each, the one used longest ago first."""
    found = []
    for path in folder.glob(f"*{SUFFIX}"):
        # Another process may evict at the same time.
        with suppress(FileNotFoundError):
            stat = path.stat()
            found.append((stat.st_mtime, stat.st_size, path))
    return sorted(found)


def drop(path: Path) -> None:
    """Remove a file if that is possible: on Windows not while another process maps it; it goes next time."""
    with suppress(OSError):
        path.unlink()


def sweep(folder: Path) -> None:
    """Remove what killed processes left half written; no quota counts it."""
    for path in folder.glob(f"*{UNFINISHED}"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED:
                path.unlink()


def note(folder: Path, user: str, key: str) -> None:
    """Write down that a user (a word that can be a file's name) needs an entry, before it is found or made.

    Raises:
        OSError: it can't be written.
    """
    path = folder / f"{user}{_NOTES}"
    if not path.exists() or key not in _noted(path):
        with path.open("a", encoding="ascii") as file:
            file.write(f"{key}\n")


def forget_others(folder: Path, users: Collection[str]) -> None:
    """Remove each entry that none of these users needs, and what is noted of others; others may be at work here."""
    # Listed first: what is made from now on was noted before that.
    found = entries(folder)
    needed: set[str] = set()
    for path in folder.glob(f"*{_NOTES}"):
        if path.stem in users:
            needed |= _noted(path)
        else:
            drop(path)
    for _, _, path in found:
        if path.stem not in needed:
            drop(path)
    sweep(folder)


def _noted(path: Path) -> set[str]:
    """The keys in a file of notes; what the disk made of others is passed over. Raises OSError."""
    return set(path.read_text(encoding="ascii", errors="replace").split())
