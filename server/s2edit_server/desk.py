"""The desk where jobs are handed in, looked at and given out: store, blobs and events behind one counter.

Handlers and scheduler both work through it, so that every change is stored first and told afterwards.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgpack
from s2edit_wire.auth import USERNAME
from s2edit_wire.errors import WireError
from s2edit_wire.frames import FrameRecord
from s2edit_wire.limits import MAX_EDIT, MAX_QUEUED_PER_CLIENT

from . import identities, jobs, queries
from .blobs import Blobs, damaged, digest_of
from .events import Events
from .store import Store
from .thumbnails import thumbnails
from .timings import Stopwatch

LOG = logging.getLogger(__name__)
Record = dict[str, Any]
Foreseen = dict[str, tuple[int, float | None]]
"""Per queued job: its place in the queue, from 1, and seconds until its end, None while too little is known."""
Foresee = Callable[[sqlite3.Connection], Foreseen]
FRESH_S = 0.5
"""Seconds for which a forecast of the whole queue is not made anew unless the queue moves."""
PAGE_BYTES = 56 * 1024
"""Bytes of the job records in one reply; the header's limit less room for the rest."""
TOLD_PLACES = 20
"""Queued jobs that hear of a changed place; those further back learn it when they are looked at."""


class JobDesk:
    """All that happens to jobs, but running them.

    Args:
        store, blobs, events: where things are kept and told.
    """

    def __init__(self, store: Store, blobs: Blobs, events: Events) -> None:
        self.store, self.blobs, self.events = store, blobs, events
        self.running: dict[str, Stopwatch] = {}
        self.queued = asyncio.Event()
        self.grown = asyncio.Event()
        """Set when pixels were stored; whoever keeps the quota clears it."""
        self.unneeded = asyncio.Event()
        """Set when identities may lie somewhere that no job needs; `forgetting` clears it."""
        self._telling = asyncio.Lock()
        self.foresee: Callable[[], Foresee] = lambda: _positions
        """Takes a look at what runs; what it returns foresees the queue's ends on the store's thread."""
        self.tell_place = False
        """Whether there are several places, so that where a job runs is worth telling."""
        self._queue: tuple[int, float, Foreseen] = (-1, 0.0, {})

    async def submit(
        self,
        job: str,
        owner: str,
        client: str,
        host: str,
        edit: dict[str, Any],
        frames: Sequence[tuple[FrameRecord, memoryview]],
    ) -> dict[str, Any]:
        """Keep a job with its pixels; the record is returned once all of it is durable.

        Raises WireError job_conflict, busy, too_large, bad_request (a damaged frame), disk_full; nothing has changed
        then.
        """
        if len(msgpack.packb(edit)) > MAX_EDIT:
            raise WireError("too_large", "The edit's words and settings are too long together.", "Shorten the prompts.")
        stored = await asyncio.to_thread(_name_frames, frames)
        holds = identities.digest(edit, stored)
        new = jobs.NewJob(job, _request_digest(edit, stored), owner, client, host, edit, stored, holds)
        # Asked before the pixels are stored, too: a client over its quota must not fill the disk with what is refused.
        if await self.store.call(jobs.admit, new, MAX_QUEUED_PER_CLIENT) is not None:
            return await self.record(job, owner)
        kept: list[str] = []
        try:
            for frame, (_, data) in zip(stored, frames, strict=True):
                await asyncio.to_thread(self.blobs.put, data, frame.sha256)
                kept.append(frame.sha256)
            await self.store.call(jobs.insert, new, MAX_QUEUED_PER_CLIENT)
        finally:
            for digest in kept:
                self.blobs.unpin(digest)
        self.grown.set()
        self.queued.set()
        return await self.publish(job, viewer=owner)

    async def record(self, job: str, viewer: str = USERNAME) -> dict[str, Any]:
        """The job as this user's clients see it; raises WireError("unknown_job")."""
        return (await self.look(lambda db: [jobs.get(db, job)], viewer))[1][0]

    async def look(
        self, query: Callable[[sqlite3.Connection], list[jobs.Row]], viewer: str = USERNAME
    ) -> tuple[list[jobs.Row], list[Record]]:
        """(what the query finds, as many of these as fit one header, as this user's clients see them)."""
        # One visit to the store: between two, a job could leave the queue and be shown without its place.
        rows, places = await self.store.call(self._with_places, query, self.foresee())
        result: list[Record] = []
        size = 0
        for row in rows:
            record = self._record(row, *places.get(row["id"], (0, None)), self.events.of(viewer).of(row["id"]))
            size += len(msgpack.packb(record))
            if size > PAGE_BYTES and result:
                break
            result.append(record)
        return rows, result

    async def publish(
        self,
        job: str,
        preview: tuple[FrameRecord, bytes] | None = None,
        progress: Record | None = None,
        viewer: str = USERNAME,
    ) -> Record:
        """Tell of a changed job; returns its record as this user sees it.

        Args:
            progress: `phase`, `step` and `total` at the moment that is told of; by now they may be further.
        """
        # One at a time: what is read later must be told later, or a client would end up with the older state.
        async with self._telling:
            rows, (record,) = await self.look(lambda db: [jobs.get(db, job)], viewer)
            if progress is not None and record["state"] == "running":
                record |= progress
            self.events.job(rows[0]["owner"], record, preview)
            record["seq"] = self.events.of(viewer).of(job)
        return record

    async def tell(
        self, job: str, preview: tuple[FrameRecord, bytes] | None = None, progress: Record | None = None
    ) -> None:
        """`publish`, for a job that a client may have removed this very moment: then there is nothing to tell."""
        try:
            await self.publish(job, preview, progress)
        except WireError as error:
            if error.code != "unknown_job":
                raise

    async def publish_places(self) -> None:
        """Tell the first waiting jobs their places, after the queue moved."""
        if self.events:
            async with self._telling:
                rows, first = await self.look(lambda db: queries.queued(db, TOLD_PLACES))
                for row, record in zip(rows, first, strict=False):
                    self.events.job(row["owner"], record)

    async def finish(self, job: str, attempt: int, record: Record, out: Sequence[jobs.StoredFrame]) -> None:
        """The job is done with these frames, whose blobs are kept already; nothing happens to an attempt given up."""
        inputs = await self.store.call(jobs.frames, job, "in")
        # Now, not when somebody looks: the pixels may be dropped by then.
        try:
            pictures = await asyncio.to_thread(thumbnails, self.blobs, inputs, out)
        except (OSError, ValueError):
            # The result took minutes; for want of a small picture of it, it is not thrown away.
            LOG.exception("job %s gets no small pictures", job)
            pictures = []
        await self.store.call(jobs.finish_done, job, attempt, record, out, result_digest(out), pictures)
        self.grown.set()

    async def thumbnails(self, job: str) -> list[jobs.FrameBytes]:
        """Small pictures of the job: (frame entry, bytes)."""
        kept = await self.store.call(queries.thumbnails, job)
        return kept or await asyncio.to_thread(
            thumbnails, self.blobs, await self.store.call(jobs.frames, job, "in"), ()
        )

    async def remove(self, job: str) -> None:
        """Delete an ended job with its pixels, and with its identity if no other job needs that."""
        owner, last = await self.store.call(queries.remove, job)
        self.events.removed(owner, job)
        if last:
            self.unneeded.set()

    def _with_places(
        self, db: sqlite3.Connection, query: Callable[[sqlite3.Connection], list[jobs.Row]], foresee: Foresee
    ) -> tuple[list[jobs.Row], dict[str, tuple[int, float | None]]]:
        rows = query(db)
        if not any(row["state"] == "queued" for row in rows):
            return rows, {}
        # A crowd that looks after its waiting jobs asks for places far oftener than the queue moves.
        changes, since, _ = self._queue
        if changes != db.total_changes or time.monotonic() - since > FRESH_S:
            self._queue = db.total_changes, time.monotonic(), foresee(db)
        return rows, self._queue[2]

    def _record(self, row: jobs.Row, place: int, ahead: float | None, seq: int) -> dict[str, Any]:
        watch = self.running.get(row["id"]) if row["state"] == "running" else None
        record: dict[str, Any] = {
            "job": row["id"],
            "seq": seq,
            "state": row["state"],
            "phase": watch.phase if watch else "waiting",
            "step": watch.step if watch else 0,
            "total": watch.total if watch else 0,
            "position": place,
            "attempt": row["attempt"],
            "created": row["created"],
            "edit": json.loads(row["edit"]),
            "acknowledged": row["acknowledged"] is not None,
        }
        eta = watch.eta() if watch else ahead
        optional = {
            "owner": row["owner"] if row["owner"] != USERNAME else None,
            "eta": eta,
            "place": watch.place if watch and self.tell_place else None,
            "started": row["started"],
            "finished": row["finished"],
            "error": row["error"],
            "message": row["message"],
            "hint": row["hint"],
            "result_sha256": row["result_sha256"],
        }
        return record | {name: value for name, value in optional.items() if value is not None}


def _positions(db: sqlite3.Connection) -> Foreseen:
    """Places in the queue without a scheduler that knows more."""
    rows = db.execute("SELECT id FROM jobs WHERE state = 'queued' ORDER BY rank")
    return {row["id"]: (place, None) for place, row in enumerate(rows, 1)}


def _name_frames(frames: Sequence[tuple[FrameRecord, memoryview]]) -> tuple[jobs.StoredFrame, ...]:
    stored = []
    for entry, data in frames:
        digest = digest_of(data)
        if entry.get("sha256", digest) != digest:
            raise damaged()
        stored.append(jobs.StoredFrame({**entry, "sha256": digest}, digest))
    return tuple(stored)


def _request_digest(edit: dict[str, Any], frames: Sequence[jobs.StoredFrame]) -> str:
    content = json.dumps([edit, [frame.entry for frame in frames]], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def result_digest(frames: Sequence[jobs.StoredFrame]) -> str:
    """Digest of a result: SHA-256 over role and digest of each frame, in order."""
    parts = "".join(f"{frame.entry['role']} {frame.sha256}\n" for frame in frames)
    return hashlib.sha256(parts.encode()).hexdigest()


def no_pixels(row: jobs.Row) -> WireError:
    """The error for a job whose result is not there."""
    if row["state"] == "done":
        return WireError("wrong_state", "The result was taken and has been deleted since.", "Run the edit again.")
    return WireError("wrong_state", f"The job is {row['state']}; there is no result.")
