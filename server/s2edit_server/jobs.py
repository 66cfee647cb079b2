"""What a job may do: every transition is one guarded UPDATE, so that a lost race changes nothing.

queued -> running -> done | failed | cancelled; queued <-> paused; a failed or cancelled job may be queued again.
All functions take the store's connection and run on its thread (`Store.call`).
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from s2edit_wire.errors import WireError
from s2edit_wire.frames import FrameRecord
from s2edit_wire.records import ENDED

from .store import writing

Row = sqlite3.Row
FrameBytes = tuple[FrameRecord, bytes]
MAX_LOG_LINES = 200


@dataclass(frozen=True)
class StoredFrame:
    """A frame of a job: its header entry (`s2edit_wire.frames.FRAME`) and the digest that names its blob."""

    entry: FrameRecord
    sha256: str


@dataclass(frozen=True)
class NewJob:
    """What `insert` needs: the request's id and digest, whose it is, who sent it, the checked edit and its frames.

    Args:
        holds: digest of what its identity depends on (`identities.digest`), "" when it needs none.
    """

    id: str
    digest: str
    owner: str
    client: str
    host: str
    edit: dict[str, Any]
    frames: tuple[StoredFrame, ...]
    holds: str = ""


def unknown(job: str) -> WireError:
    """The error for an id that no job has."""
    return WireError(
        "unknown_job", f"There is no job {job[:8]}….", "It may have been removed; look at the list of jobs."
    )


def find(db: sqlite3.Connection, job: str) -> Row | None:
    """The job's row, or None."""
    row: Row | None = db.execute("SELECT * FROM jobs WHERE id = ?", (job,)).fetchone()
    return row


def get(db: sqlite3.Connection, job: str) -> Row:
    """The job's row; raises WireError("unknown_job")."""
    row = find(db, job)
    if row is None:
        raise unknown(job)
    return row


def admit(db: sqlite3.Connection, new: NewJob, queue_limit: int) -> Row | None:
    """The job's row when the same was sent before; None when it may be queued.

    Raises WireError job_conflict for another request under the id, unknown_job when it is another owner's, busy when
    the client has `queue_limit` jobs waiting.
    """
    old = find(db, new.id)
    if old is not None:
        if old["owner"] != new.owner:
            raise unknown(new.id)
        if old["digest"] != new.digest:
            raise WireError("job_conflict", "This job id belongs to a different request.", "Send it under a new id.")
        return old
    _check_queue(db, new.owner, new.client, queue_limit)
    return None


def _check_queue(db: sqlite3.Connection, owner: str, client: str, queue_limit: int) -> None:
    waiting = db.execute(
        "SELECT count(*) FROM jobs WHERE owner = ? AND client = ? AND state IN ('queued', 'paused', 'running')",
        (owner, client),
    ).fetchone()[0]
    if waiting >= queue_limit:
        raise WireError(
            "busy", f"{waiting} of your edits are waiting already.", "Wait for one to end, or cancel one.", 10.0
        )


def insert(db: sqlite3.Connection, new: NewJob, queue_limit: int) -> Row:
    """Queue a job at the end. Sending the same again changes nothing; the row as it is now is returned.

    Raises WireError as `admit`.
    """
    with writing(db):
        old = admit(db, new, queue_limit)
        if old is not None:
            return old
        now = time.time()
        document = new.edit.get("document", {})
        db.execute(
            "INSERT INTO jobs (id, digest, owner, client, host, ref, state, rank, created, changed, edit, holds)"
            " VALUES (?, ?, ?, ?, ?, ?, 'queued', (SELECT coalesce(max(rank), 0) + 1 FROM jobs), ?, ?, ?, ?)",
            (
                new.id,
                new.digest,
                new.owner,
                new.client,
                document.get("host", new.host),
                document.get("ref", ""),
                now,
                now,
                json.dumps(new.edit),
                new.holds,
            ),
        )
        _put_frames(db, new.id, "in", new.frames)
        _note(db, new.id, "accepted")
        return get(db, new.id)


def _put_frames(db: sqlite3.Connection, job: str, side: str, frames: Sequence[StoredFrame]) -> None:
    db.executemany(
        "INSERT INTO frames (job, side, place, entry, sha256) VALUES (?, ?, ?, ?, ?)",
        [(job, side, place, json.dumps(frame.entry), frame.sha256) for place, frame in enumerate(frames)],
    )


def frames(db: sqlite3.Connection, job: str, side: str) -> list[StoredFrame]:
    """The job's frames, `in` or `out`, in order."""
    rows = db.execute("SELECT entry, sha256 FROM frames WHERE job = ? AND side = ? ORDER BY place", (job, side))
    return [StoredFrame(json.loads(row["entry"]), row["sha256"]) for row in rows]


def start_next(db: sqlite3.Connection, job: str | None = None, holds: str = "") -> Row | None:
    """Take the first queued job, or this one: it is running now, one attempt later. None when it, or nothing, waits.

    Args:
        holds: see `NewJob`; once more, since all identities may have been forgotten while it waited.
    """
    wanted = "SELECT id FROM jobs WHERE state = 'queued' AND id = coalesce(?, id) ORDER BY rank LIMIT 1"
    if db.execute(wanted, (job,)).fetchone() is None:
        return None
    with writing(db):
        row = db.execute(wanted, (job,)).fetchone()
        now = time.time()
        db.execute(
            "UPDATE jobs SET state = 'running', attempt = attempt + 1, cancelling = 0, started = ?, changed = ?,"
            " holds = ? WHERE id = ? AND state = 'queued'",
            (now, now, holds, row["id"]),
        )
        started = get(db, row["id"])
        _note(db, started["id"], f"attempt {started['attempt']} started")
        return started


def finish_done(
    db: sqlite3.Connection,
    job: str,
    attempt: int,
    record: dict[str, Any],
    out: Sequence[StoredFrame],
    digest: str,
    pictures: Sequence[FrameBytes] = (),
) -> bool:
    """running -> done with the result's frames. False when the attempt is not the running one: then nothing changes.

    Args:
        record: what the worker wrote about it; out: the frames; digest: of them all.
        pictures: small ones to be kept, which outlive the frames: (frame entry, bytes).
    """
    with writing(db):
        now = time.time()
        changed = db.execute(
            "UPDATE jobs SET state = 'done', finished = ?, changed = ?, record = ?, result_sha256 = ?,"
            " message = ?, hint = ? WHERE id = ? AND state = 'running' AND attempt = ?",
            (now, now, json.dumps(record), digest, *_remark(record), job, attempt),
        ).rowcount
        if changed:
            _put_frames(db, job, "out", out)
            db.executemany(
                "INSERT INTO thumbnails (job, place, entry, data) VALUES (?, ?, ?, ?)",
                [(job, place, json.dumps(entry), data) for place, (entry, data) in enumerate(pictures)],
            )
            _note(db, job, "done")
        return bool(changed)


def _remark(record: dict[str, Any]) -> tuple[str, str] | tuple[None, None]:
    """What a painter has to know of a result and what to do, where the layer doesn't say so itself."""
    if record.get("box") == [0, 0, 0, 0]:
        return (
            "Nothing changed: the model found nothing to edit.",
            "Paint where the picture may change, or say the change in other words.",
        )
    if record.get("fades"):
        return (
            "The change goes on beyond the part of the picture that the model was shown, and fades out there.",
            "Paint all that is to change, or undo the result and edit a smaller part of the picture.",
        )
    registration = record.get("registration")
    if isinstance(registration, dict) and registration.get("matched") is False:
        return (
            "The model's answer could not be laid over the picture exactly; it may sit some pixels off.",
            "Look at its edges, or try another seed or a smaller mask.",
        )
    return None, None


def finish_failed(db: sqlite3.Connection, job: str, attempt: int, error: WireError) -> bool:
    """running -> failed, or -> cancelled for the code `cancelled`. False when the attempt is not the running one."""
    state = "cancelled" if error.code == "cancelled" else "failed"
    with writing(db):
        now = time.time()
        changed = db.execute(
            "UPDATE jobs SET state = ?, finished = ?, changed = ?, error = ?, message = ?, hint = ?"
            " WHERE id = ? AND state = 'running' AND attempt = ?",
            (state, now, now, error.code, error.message, error.hint, job, attempt),
        ).rowcount
        if changed:
            _note(db, job, f"{state}: {error.message}")
        return bool(changed)


def requeue(
    db: sqlite3.Connection, job: str, attempt: int, why: str, *, death: bool = False, lower: bool = False
) -> bool:
    """running -> queued at its old place, counting a worker's death or asking for less memory next time.

    A job whose cancel was asked for meanwhile is cancelled: the next attempt would know nothing of it.

    Args:
        why: a line for the job's log.
    """
    with writing(db):
        if _cancel_marked(db, job, attempt):
            _note(db, job, "cancelled")
            return True
        changed = db.execute(
            "UPDATE jobs SET state = 'queued', deaths = deaths + ?, lower = max(lower, ?), changed = ?"
            " WHERE id = ? AND state = 'running' AND attempt = ?",
            (int(death), int(lower), time.time(), job, attempt),
        ).rowcount
        if changed:
            _note(db, job, why)
        return bool(changed)


def _cancel_marked(db: sqlite3.Connection, job: str | None = None, attempt: int = 0) -> int:
    """running and asked to stop -> cancelled, this attempt or all there are; returns how many that were."""
    now = time.time()
    return db.execute(
        "UPDATE jobs SET state = 'cancelled', finished = ?, changed = ?, error = 'cancelled', message = ?, hint = ''"
        " WHERE state = 'running' AND cancelling = 1 AND (? IS NULL OR (id = ? AND attempt = ?))",
        (now, now, "The job was cancelled.", job, job, attempt),
    ).rowcount


def request_cancel(db: sqlite3.Connection, job: str) -> Row:
    """queued, paused -> cancelled; a running one is marked, so that not even a restart forgets it. Ended: no change."""
    with writing(db):
        row = get(db, job)
        now = time.time()
        if row["state"] in {"queued", "paused"}:
            db.execute(
                "UPDATE jobs SET state = 'cancelled', finished = ?, changed = ?, error = 'cancelled', message = ?,"
                " hint = '' WHERE id = ? AND state IN ('queued', 'paused')",
                (now, now, "The job was cancelled before it started.", job),
            )
            _note(db, job, "cancelled")
        elif row["state"] == "running" and not row["cancelling"]:
            db.execute("UPDATE jobs SET cancelling = 1 WHERE id = ? AND state = 'running'", (job,))
            _note(db, job, "cancel asked for")
        return get(db, job)


def switch(db: sqlite3.Connection, job: str, old: str, new: str) -> Row:
    """queued -> paused or back. Being there already is fine; any other state raises WireError("wrong_state")."""
    with writing(db):
        row = get(db, job)
        if row["state"] not in {old, new}:
            raise WireError("wrong_state", f"The job is {row['state']}; it can't become {new} now.")
        db.execute("UPDATE jobs SET state = ?, changed = ? WHERE id = ? AND state = ?", (new, time.time(), job, old))
        return get(db, job)


def retry(db: sqlite3.Connection, job: str, queue_limit: int) -> Row:
    """failed or cancelled -> queued at the end, as if new.

    Raises WireError wrong_state in other states, busy when the job's client has `queue_limit` jobs waiting.
    """
    with writing(db):
        before = get(db, job)
        if before["state"] in {"failed", "cancelled"}:
            _check_queue(db, before["owner"], before["client"], queue_limit)
        changed = db.execute(
            "UPDATE jobs SET state = 'queued', deaths = 0, lower = 0, cancelling = 0, error = NULL, message = NULL,"
            " hint = NULL, started = NULL, finished = NULL, changed = ?, rank = (SELECT max(rank) + 1 FROM jobs)"
            " WHERE id = ? AND state IN ('failed', 'cancelled')"
            " AND EXISTS (SELECT 1 FROM frames WHERE frames.job = jobs.id AND side = 'in')",
            (time.time(), job),
        ).rowcount
        row = get(db, job)
        if not changed and row["state"] in {"failed", "cancelled"}:
            raise WireError("wrong_state", "The job's picture has been deleted since.", "Start the edit anew.")
        if not changed and row["state"] not in {"queued", "running"}:
            raise WireError("wrong_state", f"The job is {row['state']}; only a failed or cancelled one can be retried.")
        if changed:
            _note(db, job, "queued again by request")
        return row


def move(db: sqlite3.Connection, job: str, before: str | None) -> Row:
    """Put a waiting job before another one, or at the end. Ranks are real numbers, so that one row changes."""
    with writing(db):
        row = get(db, job)
        if row["state"] not in {"queued", "paused"}:
            raise WireError("wrong_state", f"The job is {row['state']}; only a waiting one has a place in the queue.")
        if before is None:
            rank = db.execute("SELECT max(rank) + 1 FROM jobs").fetchone()[0]
        else:
            upper = get(db, before)["rank"]
            lower = db.execute("SELECT max(rank) FROM jobs WHERE rank < ? AND id != ?", (upper, job)).fetchone()[0]
            rank = upper - 1 if lower is None else (lower + upper) / 2
            if lower is not None and not lower < rank < upper:
                # After some fifty moves to one spot the doubles between two ranks are used up: number them anew.
                _renumber(db)
                upper = get(db, before)["rank"]
                rank = upper - 0.5
        db.execute("UPDATE jobs SET rank = ?, changed = ? WHERE id = ?", (rank, time.time(), job))
        return get(db, job)


def _renumber(db: sqlite3.Connection) -> None:
    for place, row in enumerate(db.execute("SELECT id FROM jobs ORDER BY rank, number").fetchall(), 1):
        db.execute("UPDATE jobs SET rank = ? WHERE id = ?", (place, row["id"]))


def acknowledge(db: sqlite3.Connection, job: str) -> Row:
    """Note that a client has the result; raises WireError("wrong_state") when there is none yet."""
    with writing(db):
        row = get(db, job)
        if row["state"] not in ENDED:
            raise WireError("wrong_state", f"The job is {row['state']}; there is nothing to acknowledge yet.")
        if row["acknowledged"] is None:
            now = time.time()
            db.execute("UPDATE jobs SET acknowledged = ?, changed = ? WHERE id = ?", (now, now, job))
        return get(db, job)


def sweep(db: sqlite3.Connection) -> int:
    """At start-up: what was running when the last daemon died is queued again, or cancelled if that was asked for."""
    with writing(db):
        _cancel_marked(db)
        return db.execute(
            "UPDATE jobs SET state = 'queued', changed = ? WHERE state = 'running'", (time.time(),)
        ).rowcount


def _note(db: sqlite3.Connection, job: str, line: str) -> None:
    db.execute("INSERT INTO log (job, at, line) VALUES (?, ?, ?)", (job, time.time(), line[:900]))
    # A job that is cancelled and retried for ever must not fill the disk with what nobody can read any more.
    db.execute(
        "DELETE FROM log WHERE job = ? AND rowid <="
        " (SELECT rowid FROM log WHERE job = ? ORDER BY rowid DESC LIMIT 1 OFFSET ?)",
        (job, job, MAX_LOG_LINES),
    )
