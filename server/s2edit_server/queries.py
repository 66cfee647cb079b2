"""Questions to the store about many jobs: lists, the queue's order, counts, logs, and what may be dropped."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from s2edit_wire.errors import WireError
from s2edit_wire.records import ENDED, STATES

from .jobs import MAX_LOG_LINES, FrameBytes, Row, get
from .store import writing

_ENDED = ", ".join(f"'{state}'" for state in sorted(ENDED))


def page(
    db: sqlite3.Connection,
    states: Sequence[str] | None = None,
    host: str | None = None,
    ref: str | None = None,
    before: int | None = None,
    limit: int = 50,
    owner: str | None = None,
) -> list[Row]:
    """Jobs, newest first, at most `limit`; `before` is the `number` of the last row of the page before."""
    conditions, values = ["1"], list[Any]()
    if states is not None:
        conditions.append(f"state IN ({', '.join('?' * len(states))})")
        values += states
    for column, value in (("host", host), ("ref", ref), ("owner", owner)):
        if value is not None:
            conditions.append(f"{column} = ?")
            values.append(value)
    if before is not None:
        conditions.append("number < ?")
        values.append(before)
    query = f"SELECT * FROM jobs WHERE {' AND '.join(conditions)} ORDER BY number DESC LIMIT ?"  # noqa: S608 - only column names are put in
    return db.execute(query, [*values, limit]).fetchall()


def several(db: sqlite3.Connection, ids: Sequence[str]) -> list[Row]:
    """The rows of these jobs, in the order asked for; those that are gone are left out."""
    rows = (db.execute("SELECT * FROM jobs WHERE id = ?", (job,)).fetchone() for job in ids)
    return [row for row in rows if row is not None]


def queued(db: sqlite3.Connection, limit: int) -> list[Row]:
    """The first queued jobs, at most `limit`."""
    return db.execute("SELECT * FROM jobs WHERE state = 'queued' ORDER BY rank LIMIT ?", (limit,)).fetchall()


def by_change(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """(id, owner) of all jobs, in the order of their last change."""
    return [(row["id"], row["owner"]) for row in db.execute("SELECT id, owner FROM jobs ORDER BY changed, number")]


def last_change(db: sqlite3.Connection) -> float | None:
    """When a job last changed, by the wall clock of then; None when there is none."""
    latest: float | None = db.execute("SELECT max(changed) FROM jobs").fetchone()[0]
    return latest


def counts(db: sqlite3.Connection, owner: str | None = None) -> dict[str, int]:
    """How many jobs, of this owner's or of all, are in each state; every state is there."""
    rows = db.execute("SELECT state, count(*) AS n FROM jobs WHERE owner = coalesce(?, owner) GROUP BY state", (owner,))
    return dict.fromkeys(STATES, 0) | {row["state"]: row["n"] for row in rows}


def log_lines(db: sqlite3.Connection, job: str) -> list[str]:
    """The newest lines of the job's log, oldest first, each with its local time."""
    get(db, job)
    rows = db.execute("SELECT at, line FROM log WHERE job = ? ORDER BY rowid DESC LIMIT ?", (job, MAX_LOG_LINES))
    return [f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(row['at']))} {row['line']}" for row in rows][::-1]


def thumbnails(db: sqlite3.Connection, job: str) -> list[FrameBytes]:
    """The small pictures that a job was done with: (frame entry, bytes)."""
    rows = db.execute("SELECT entry, data FROM thumbnails WHERE job = ? ORDER BY place", (job,))
    return [(json.loads(row["entry"]), row["data"]) for row in rows]


def done_before(db: sqlite3.Connection, request: Mapping[str, Any], owner: str | None = None) -> bool:
    """Whether an edit that differs at most in its target and blending was done: its identity is in the cache, then.

    Args:
        request: a `plan`; False without its `image_sha256`.
        owner: whose jobs count, all when None: what others work on is nobody's business.
    """
    rows = db.execute(
        "SELECT edit FROM jobs WHERE state = 'done' AND owner = coalesce(?, owner)"
        " AND id IN (SELECT job FROM frames WHERE sha256 = ? AND side = 'in')",
        (owner, request.get("image_sha256", "")),
    )
    return any(_identity(json.loads(row["edit"])) == _identity(request) for row in rows)


def _identity(edit: Mapping[str, Any]) -> tuple[object, ...]:
    settings = edit.get("settings", {}).items()
    learned = sorted(item for item in settings if item[0].startswith(("identity.", "inversion.")))
    words = [entry["word"] for entry in edit.get("objects", [])]
    return edit["kind"], edit["model"], edit["profile"], edit.get("source", ""), words, learned


def remove(db: sqlite3.Connection, job: str) -> tuple[str, bool]:
    """Delete an ended job; returns whose it was, and whether no other needs its identity.

    Raises WireError unknown_job or wrong_state.
    """
    with writing(db):
        row = get(db, job)
        if row["state"] not in ENDED:
            raise WireError("wrong_state", f"The job is {row['state']}; cancel it first.")
        db.execute("DELETE FROM jobs WHERE id = ?", (job,))
        shared = db.execute("SELECT 1 FROM jobs WHERE holds = ? LIMIT 1", (row["holds"],)).fetchone()
        return str(row["owner"]), bool(row["holds"]) and shared is None


def identities(db: sqlite3.Connection) -> frozenset[str]:
    """All identities that some job needs, by the digest that it `holds`."""
    return frozenset(row["holds"] for row in db.execute("SELECT DISTINCT holds FROM jobs WHERE holds != ''"))


def disown_identities(db: sqlite3.Connection) -> None:
    """No job needs its identity any more; one that is still to run does again."""
    with writing(db):
        db.execute("UPDATE jobs SET holds = '' WHERE holds != ''")


def drop_frames(db: sqlite3.Connection, job: str) -> None:
    """Forget the pixels of an ended job; its row stays, so that lists and recipes still know it."""
    with writing(db):
        db.execute(
            f"DELETE FROM frames WHERE job = ? AND EXISTS (SELECT 1 FROM jobs WHERE id = ? AND state IN ({_ENDED}))",  # noqa: S608
            (job, job),
        )


def expired(db: sqlite3.Connection, acknowledged_before: float, finished_before: float) -> tuple[list[str], list[str]]:
    """(jobs whose pixels may go since a client has them, jobs to be removed for their age)."""
    pixels = db.execute(
        "SELECT id FROM jobs WHERE state = 'done' AND acknowledged < ?"
        " AND EXISTS (SELECT 1 FROM frames WHERE frames.job = jobs.id)",
        (acknowledged_before,),
    )
    old = db.execute(f"SELECT id FROM jobs WHERE state IN ({_ENDED}) AND finished < ?", (finished_before,))  # noqa: S608
    return [row["id"] for row in pixels], [row["id"] for row in old]


def droppable(db: sqlite3.Connection) -> list[tuple[str, int]]:
    """Ended jobs that hold pixels, and how many bytes; those to be dropped first in front.

    What a client has goes first, then what led to no result, then results; of each kind the oldest of the painter who
    holds the most: who fills the disk takes nobody else's results with that.
    """
    rows = db.execute(
        f"SELECT id, owner, state IN ({_ENDED}) AS ended, acknowledged IS NULL AS wanted, state = 'done' AS good,"  # noqa: S608
        " (SELECT sum(json_extract(entry, '$.nbytes')) FROM frames WHERE job = jobs.id) AS bytes"
        " FROM jobs WHERE bytes > 0 ORDER BY wanted, good, finished"
    ).fetchall()
    held: Counter[str] = Counter()
    for row in rows:
        held[row["owner"]] += row["bytes"]
    found = []
    for _, kind in groupby((row for row in rows if row["ended"]), lambda row: (row["wanted"], row["good"])):
        by_owner: dict[str, deque[tuple[str, int]]] = {}
        for row in kind:
            by_owner.setdefault(row["owner"], deque()).append((row["id"], row["bytes"]))
        while by_owner:
            owner = max(by_owner, key=held.__getitem__)
            job, size = by_owner[owner].popleft()
            if not by_owner[owner]:
                del by_owner[owner]
            held[owner] -= size
            found.append((job, size))
    return found


def surplus(db: sqlite3.Connection, most: int) -> list[str]:
    """Ended jobs over this number: first those that led to nothing or that a client has, each the oldest first."""
    rows = db.execute(
        f"SELECT id FROM jobs WHERE state IN ({_ENDED}) ORDER BY state = 'done' AND acknowledged IS NULL, finished"  # noqa: S608
    ).fetchall()
    return [row["id"] for row in rows[: max(0, len(rows) - most)]]


def drop_old_thumbnails(db: sqlite3.Connection, most: int) -> None:
    """Keep the small pictures of the newest jobs only."""
    old = "job NOT IN (SELECT id FROM jobs ORDER BY number DESC LIMIT ?)"
    # Looked first: this is asked every minute, and a write would wake a disk that sleeps.
    if db.execute(f"SELECT 1 FROM thumbnails WHERE {old} LIMIT 1", (most,)).fetchone() is not None:  # noqa: S608 - our own condition
        with writing(db):
            db.execute(f"DELETE FROM thumbnails WHERE {old}", (most,))  # noqa: S608


def referenced(db: sqlite3.Connection) -> set[str]:
    """Digests of all blobs that some job names."""
    return {row["sha256"] for row in db.execute("SELECT DISTINCT sha256 FROM frames")}
