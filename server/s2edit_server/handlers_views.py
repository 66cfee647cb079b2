"""Answers that only look: one job, many jobs, results, small pictures, logs, and the subscription to changes."""

from __future__ import annotations

import asyncio
import json
import mmap
import os
from pathlib import Path

from s2edit_wire.errors import WireError

from . import jobs, queries
from .broker import Answer, Handler, Request
from .desk import JobDesk, no_pixels
from .envelope import Pixels
from .painters import seen_by
from .services import Services

DEFAULT_PAGE = 50
MAX_REPLAY = 100


def handlers(services: Services) -> dict[str, Handler]:
    """The handlers of this topic, by `op`."""
    desk = services.desk

    async def show(request: Request) -> Answer:
        return {"job": await desk.record(request.header["job"], request.owner)}, ()

    async def list_jobs(request: Request) -> Answer:
        header = request.header
        limit = header.get("limit", DEFAULT_PAGE)
        wanted = (header.get("states"), header.get("host"), header.get("ref"), header.get("before"))
        owner = seen_by(request.owner)
        rows, records = await desk.look(
            lambda db: queries.page(db, *wanted, limit=limit + 1, owner=owner), request.owner
        )
        records = records[:limit]
        answer: dict[str, object] = {"jobs": records}
        if len(rows) > len(records):
            answer["cursor"] = rows[len(records) - 1]["number"]
        return answer, ()

    async def result(request: Request) -> Answer:
        job = request.header["job"]
        row = await desk.store.call(jobs.get, job)
        frames = await desk.store.call(jobs.frames, job, "out")
        if row["state"] != "done" or (not frames and row["edit"] and json.loads(row["edit"])["kind"] != "caption"):
            raise no_pixels(row)
        pixels = [
            await asyncio.to_thread(_open, desk.blobs.path(frame.sha256), frame.entry["nbytes"]) for frame in frames
        ]
        fields = {
            "job": await desk.record(job, request.owner),
            "record": json.loads(row["record"]),
            "frames": [frame.entry for frame in frames],
        }
        return fields, pixels

    async def thumbnail(request: Request) -> Answer:
        job = request.header["job"]
        await desk.store.call(jobs.get, job)
        pictures = await desk.thumbnails(job)
        return {"frames": [entry for entry, _ in pictures]}, [data for _, data in pictures]

    async def log(request: Request) -> Answer:
        return {"lines": await desk.store.call(queries.log_lines, request.header["job"])}, ()

    async def subscribe(request: Request) -> Answer:
        after = request.header["after"]
        ledger, previews = desk.events.of(request.owner), request.header.get("previews", False)
        ledger.subscribe(request.identity, previews=previews, after=after)
        return await _changes(desk, request.owner, after), ()

    return {
        "show": show,
        "list": list_jobs,
        "result": result,
        "thumbnail": thumbnail,
        "log": log,
        "subscribe": subscribe,
    }


async def _changes(desk: JobDesk, viewer: str, after: int) -> dict[str, object]:
    """The answer's fields: what changed after this number, or as much of it as fits."""
    ledger = desk.events.of(viewer)
    seq = ledger.seq
    changed = [(job, ledger.of(job)) for job in ledger.since(after)]
    if after:
        changed.reverse()  # oldest first, so that what doesn't fit can be asked for with the next `after`
    page = changed[:MAX_REPLAY]
    rows, records = await desk.look(lambda db: queries.several(db, [job for job, _ in page]), viewer)
    fields: dict[str, object] = {"seq": seq, "jobs": records}
    if after and (len(records) < len(rows) or len(page) < len(changed)):
        last = records[-1]["job"] if len(records) < len(rows) else page[-1][0]
        fields |= {"seq": dict(page)[last], "more": True}
    return fields


def _open(path: Path, size: int) -> Pixels:
    """The blob's bytes without reading them: libzmq takes them from the page cache as it sends."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size != size:
                raise WireError("wrong_state", "The stored result is damaged.", "Run the edit again.")
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except FileNotFoundError as error:
        raise WireError("wrong_state", "The result has been deleted since.", "Run the edit again.") from error
