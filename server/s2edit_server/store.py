"""The daemon's memory on disk: one SQLite database, one thread that uses it.

WAL with synchronous=FULL: what was committed survives a killed process and a power cut (sqlite.org/pragma.html).
Every change of a job is one guarded transaction (see `jobs`), so that two claims on one job can't both win.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from s2edit_wire.errors import WireError

P = ParamSpec("P")
T = TypeVar("T")

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE jobs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        digest TEXT NOT NULL,
        client TEXT NOT NULL,
        host TEXT NOT NULL,
        ref TEXT NOT NULL,
        state TEXT NOT NULL,
        rank REAL NOT NULL,
        attempt INTEGER NOT NULL DEFAULT 0,
        deaths INTEGER NOT NULL DEFAULT 0,
        lower INTEGER NOT NULL DEFAULT 0,
        cancelling INTEGER NOT NULL DEFAULT 0,
        created REAL NOT NULL,
        started REAL,
        finished REAL,
        changed REAL NOT NULL,
        edit TEXT NOT NULL,
        error TEXT,
        message TEXT,
        hint TEXT,
        record TEXT,
        result_sha256 TEXT,
        acknowledged REAL
    );
    CREATE INDEX jobs_by_state ON jobs (state, rank);
    CREATE TABLE frames (
        job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        side TEXT NOT NULL CHECK (side IN ('in', 'out')),
        place INTEGER NOT NULL,
        entry TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        PRIMARY KEY (job, side, place)
    );
    CREATE INDEX frames_by_digest ON frames (sha256);
    CREATE TABLE log (
        job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        at REAL NOT NULL,
        line TEXT NOT NULL
    );
    CREATE INDEX log_by_job ON log (job, at);
    CREATE TABLE timings (
        kind TEXT NOT NULL,
        model TEXT NOT NULL,
        profile TEXT NOT NULL,
        device TEXT NOT NULL,
        phase TEXT NOT NULL,
        steps INTEGER NOT NULL,
        seconds REAL NOT NULL,
        at REAL NOT NULL
    );
    CREATE INDEX timings_by_phase ON timings (kind, model, profile, phase, at);
    """,
    """
    CREATE TABLE thumbnails (
        job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        place INTEGER NOT NULL,
        entry TEXT NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (job, place)
    );
    """,
    # Before there were painters, every job was the own user's (`s2edit_wire.auth.USERNAME`).
    """
    ALTER TABLE jobs ADD COLUMN owner TEXT NOT NULL DEFAULT 's2edit';
    CREATE INDEX jobs_by_owner ON jobs (owner, state);
    """,
    # `identities.digest`. What older jobs have learned is noted nowhere, and goes.
    """
    ALTER TABLE jobs ADD COLUMN holds TEXT NOT NULL DEFAULT '';
    CREATE INDEX jobs_by_identity ON jobs (holds);
    """,
)
"""Each entry brings the schema from version i to i + 1; released ones never change."""

_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT")
_FULL = {"SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_TRUNCATE"}


def disk_full() -> WireError:
    """The error for a write that found no room."""
    return WireError(
        "disk_full",
        "There is no room on the disk for the job.",
        "Free some space, or delete old jobs in the tray, and send it again.",
    )


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file itself is wrong: not that it is locked, full, or can't be reached."""
    return getattr(error, "sqlite_errorname", "").startswith(_DAMAGE)


def damaged_list() -> WireError:
    """The error for a list of jobs that can't be used any more."""
    return WireError(
        "internal",
        "S²Edit's list of jobs is damaged.",
        "Restart S²Edit (s2edit daemon stop): it keeps the damaged list and all pictures, and begins a new one.",
    )


@contextmanager
def writing(db: sqlite3.Connection) -> Iterator[None]:
    """One transaction: committed when the block ends, rolled back when it raises."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        commit(db)
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def commit(db: sqlite3.Connection) -> None:
    """Make the transaction durable; the one place where that happens, so that tests can fail it."""
    db.execute("COMMIT")


class Store:
    """The database and its thread.

    Args:
        path: the file; made when absent. One that a newer S²Edit wrote is refused with a RuntimeError.
        on_damage: called, from the store's thread, when the file turns out to be damaged.
    """

    def __init__(self, path: Path, on_damage: Callable[[], None] = lambda: None) -> None:
        self._on_damage = on_damage
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        try:
            self._db = self._thread.submit(_open, path).result()
        except BaseException:
            self._thread.shutdown()
            raise

    async def call(
        self, function: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `function(connection, …)` on the store's thread; calls run in the order in which they were made.

        Raises WireError: disk_full when there was no room, internal when the file is damaged; nothing has changed then.
        """

        def run() -> T:
            try:
                return function(self._db, *args, **kwargs)
            except sqlite3.DatabaseError as error:
                if getattr(error, "sqlite_errorname", "") in _FULL:
                    raise disk_full() from error
                if is_damage(error):
                    self._on_damage()
                    raise damaged_list() from error
                raise

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    def close(self) -> None:
        """Finish what was asked and close the file."""
        self._thread.submit(self._db.close).result()
        self._thread.shutdown()


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, timeout=10)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA foreign_keys=ON")
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        db.close()
        raise RuntimeError(
            "The jobs on this machine were written by a newer S²Edit."
            " Install that version again, or move its state folder away."
        )
    for number in range(version, len(MIGRATIONS)):
        # executescript commits by itself, so version and change are one script in one transaction.
        db.executescript(f"BEGIN IMMEDIATE; {MIGRATIONS[number]} PRAGMA user_version={number + 1}; COMMIT;")
    return db
