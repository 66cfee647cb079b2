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
from .desk import no_pixels
from .envelope import Pixels
from .services import Services

DEFAULT_PAGE = 50
MAX_REPLAY = 100


def handlers(services: Services) -> dict[str, Handler]:
    """The handlers of this topic, by `op`."""
    desk = services.desk

    async def show(request: Request) -> Answer:
        return {"job": await desk.record(request.header["job"])}, ()

    async def list_jobs(request: Request) -> Answer:
        header = request.header
        limit = header.get("limit", DEFAULT_PAGE)
        wanted = (header.get("states"), header.get("host"), header.get("ref"), header.get("before"))
        rows, records = await desk.look(lambda db: queries.page(db, *wanted, limit=limit + 1))
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
            "job": await desk.record(job),
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
        header = request.header
        desk.events.subscribe(request.identity, previews=header.get("previews", False), after=header["after"])
        seq = desk.events.seq
        changed = desk.events.since(header["after"])[:MAX_REPLAY]
        _, records = await desk.look(lambda db: queries.several(db, changed))
        return {"seq": seq, "jobs": records}, ()

    return {
        "show": show,
        "list": list_jobs,
        "result": result,
        "thumbnail": thumbnail,
        "log": log,
        "subscribe": subscribe,
    }


def _open(path: Path, size: int) -> Pixels:
    """The blob's bytes without reading them: libzmq takes them from the page cache as it sends."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size != size:
                raise WireError("wrong_state", "The stored result is damaged.", "Run the edit again.")
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except FileNotFoundError as error:
        raise WireError("wrong_state", "The result has been deleted since.", "Run the edit again.") from error
