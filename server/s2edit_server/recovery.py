"""Before the list of jobs is opened: a damaged one is put aside, and pictures that no list names any more with it.

Nothing is deleted here. What was put aside lies beside, under a name with the date, and people are told.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from pathlib import Path

from .store import MIGRATIONS, is_damage

LOG = logging.getLogger(__name__)
DAMAGED = "jobs.damaged"
"""Left in the state folder when damage shows while the daemon runs: the next start believes it without looking."""
_TABLES = {"jobs", "frames", "log", "timings", "thumbnails"}


def prepare(folder: Path) -> tuple[str, ...]:
    """Make sure that the list in `folder` can be opened; returns what people have to be told.

    Args:
        folder: the state folder, with `jobs.sqlite3` and `blobs`.

    Raises:
        OSError, sqlite3.Error: it can't be looked at, which is not the list's fault.
    """
    path, mark, told = folder / "jobs.sqlite3", folder / DAMAGED, list[str]()
    when = time.strftime("%Y%m%d-%H%M%S")
    fault = "damage was met while it was used" if mark.exists() else _fault(path)
    if fault:
        aside = _free(folder, f"jobs-{when}.damaged")
        LOG.error("the list of jobs is damaged (%s) and is put aside as %s", fault, aside.name)
        for ending in ("-wal", "-shm", ""):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + ending).replace(aside.with_name(aside.name + ending))
        told.append(f"S²Edit's list of jobs was damaged. It is kept as “{aside.name}”, and a new one has begun.")
    mark.unlink(missing_ok=True)
    if _is_new(path) and (folder / "blobs").is_dir() and any(_stored(folder / "blobs")):
        aside = _free(folder, f"blobs-{when}")
        LOG.error("the list of jobs is new; the stored pictures of the old one are put aside as %s", aside.name)
        (folder / "blobs").replace(aside)
        told.append(f"The stored pictures of jobs that are listed no more are kept as “{aside.name}”.")
    return tuple(told)


def _fault(path: Path) -> str:
    """What is wrong with the list, or ""."""
    if not path.exists() or not path.stat().st_size:
        return ""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=10)) as db:
            version: int = db.execute("PRAGMA user_version").fetchone()[0]
            found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                return str(found)
            tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        if not is_damage(error):
            raise
        return str(error)
    if version > len(MIGRATIONS):
        return ""  # a newer S²Edit's, and none of our business
    missing = _TABLES - tables if version == len(MIGRATIONS) else {"jobs"} - tables if version else set()
    if missing or (not version and tables):
        return f"version {version} without {', '.join(sorted(missing)) or 'its number'}"
    return ""


def _is_new(path: Path) -> bool:
    """Whether there is no list yet, or one in which nothing was ever made."""
    if not path.exists() or not path.stat().st_size:
        return True
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as db:
        return not db.execute("PRAGMA user_version").fetchone()[0]


def _stored(blobs: Path) -> list[Path]:
    return [file for shelf in blobs.iterdir() if len(shelf.name) == 2 for file in shelf.iterdir()]


def _free(folder: Path, name: str) -> Path:
    """A name that nothing has yet."""
    number, path = 1, folder / name
    while path.exists():
        number, path = number + 1, folder / f"{name}-{number}"
    return path
