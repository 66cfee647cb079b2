"""What becomes of an attempt at a job: kept as a result, failed, or back in the queue; each is stored, however full the
disk is, before anybody is told.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from s2edit_wire.errors import CODES, WireError
from s2edit_wire.frames import FrameRecord, check_entry
from s2edit_wire.limits import MAX_FRAMES
from s2edit_wire.pack import pack

from . import jobs, timings, worker_link
from .desk import JobDesk
from .pool import SeatLost
from .supervisor import WorkerDied
from .timings import Stopwatch

LOG = logging.getLogger(__name__)
MAX_DEATHS = 2
MAX_ATTEMPTS = 10
"""From here on a lost host counts as the job's own doing: it may be what ends them all."""
STORE_PATIENCE = 1.0
"""Seconds until something that the disk had no room for is tried again."""
MAX_RECORD = 32 * 1024
"""Bytes of a result's record as msgpack; it shares a header with the job, which takes up to `MAX_EDIT` and a little."""
RESULT_ROLES = {"patch", "alpha", "mask"}


class Outcomes:
    """Stores how attempts ended.

    Args:
        desk: jobs and pixels.
        work: folder below which a worker's results are taken, on the blobs' file system.
    """

    def __init__(self, desk: JobDesk, work: Path) -> None:
        self._desk, self._work = desk, work

    async def settle(self, row: jobs.Row, outcome: Any, watch: Stopwatch, device: str) -> bool:
        """Store what a worker answered.

        Args:
            row: the job as it was when the attempt began. outcome: `Done`, `Failed` or `Cancelled` of `worker_link`.
            watch: the attempt's times. device: where the worker computes.
        Returns:
            Whether there is a result; if not, the job waits for another attempt.
        Raises:
            WireError: the job has to fail with this.
        """
        job, attempt = row["id"], row["attempt"]
        if isinstance(outcome, worker_link.Cancelled):
            raise WireError("cancelled", "The job was cancelled.")
        if isinstance(outcome, worker_link.Failed):
            if outcome.code == "out_of_memory" and not row["lower"]:
                why = f"out of memory, once more with less: {outcome.message}"
                await self._insist(jobs.requeue, job, attempt, why, lower=True)
                return False
            code = outcome.code if outcome.code in CODES else "internal"
            raise WireError(code, outcome.message[:2_000], outcome.hint[:2_000])
        watch.close()
        await self._keep(job, attempt, outcome)
        try:
            phases = watch.worked(outcome.record.get("cached", {}))
            await self._desk.store.call(timings.record, json.loads(row["edit"]), device, phases)
        except WireError as error:
            LOG.warning("job %s is done, but its times could not be noted: %s", job, error.message)
        return True

    async def _keep(self, job: str, attempt: int, done: worker_link.Done) -> None:
        _check_record(done.record)
        if len(done.frames) > MAX_FRAMES:
            raise WireError("internal", "The worker's result is larger than the wire allows.")
        kept: list[jobs.StoredFrame] = []
        try:
            for frame in done.frames:
                kept.append(await asyncio.to_thread(self._adopt, frame))
            await self._desk.finish(job, attempt, done.record, kept)
        finally:
            for entry in kept:
                self._desk.blobs.unpin(entry.sha256)

    def _adopt(self, frame: worker_link.FrameFile) -> jobs.StoredFrame:
        entry: FrameRecord = {
            "role": frame.role,
            "shape": list(frame.shape),
            "dtype": frame.dtype,
            "space": frame.space,
            "nbytes": frame.nbytes,
        }
        check_entry(entry)
        path = Path(frame.path)
        if frame.role not in RESULT_ROLES or self._work not in path.parents or path.stat().st_size != frame.nbytes:
            raise WireError("internal", "The worker's result does not fit its description.")
        digest = self._desk.blobs.adopt(path)
        return jobs.StoredFrame({**entry, "sha256": digest}, digest)

    async def bury(self, row: jobs.Row, death: WorkerDied) -> None:
        """Store that the worker died on this attempt: another attempt follows, unless it has died often."""
        job, attempt = row["id"], row["attempt"]
        now = await self._desk.store.call(jobs.get, job)
        if now["cancelling"]:
            await self.fail(
                job, attempt, WireError("cancelled", "The job was cancelled; its worker had to be stopped.")
            )
        elif isinstance(death, SeatLost) and attempt < MAX_ATTEMPTS:
            LOG.warning("the host of job %s is gone (%s); it is queued again", job, death)
            await self._insist(jobs.requeue, job, attempt, f"its host is gone: {death}; queued again")
        elif row["deaths"] + 1 >= MAX_DEATHS:
            hint = "The daemon's log tells more. Try a smaller area or the profile “fast”."
            error = WireError("worker_crashed", f"The worker died twice on this job, at last: {death}.", hint)
            await self.fail(job, attempt, error)
        else:
            LOG.warning("the worker died on job %s (%s); it is queued again", job, death)
            await self._insist(jobs.requeue, job, attempt, f"the worker died: {death}; queued again", death=True)

    async def fail(self, job: str, attempt: int, error: WireError) -> None:
        """Store that the job failed, or was cancelled, where the error says so."""
        await self._insist(jobs.finish_failed, job, attempt, error)

    async def _insist(self, change: Callable[..., bool], job: str, attempt: int, *args: Any, **kwargs: Any) -> None:
        """Bring a running job to its next state, however long the disk is too full for that: it must not run for ever.

        Args:
            change: of `jobs`, takes (connection, job, attempt, …).
        """
        while True:
            try:
                await self._desk.store.call(change, job, attempt, *args, **kwargs)
            except (WireError, sqlite3.Error) as fault:
                LOG.warning("what became of job %s can't be noted yet: %s", job, fault)
                await asyncio.sleep(STORE_PATIENCE)
            else:
                return


def _check_record(record: dict[str, Any]) -> None:
    """Refuse what a client couldn't read: it would take the daemon for a stranger, hang up, and ask again for ever."""
    try:
        size = len(pack({"record": record}))
    except WireError as error:
        raise WireError("internal", "The worker's result can't be told to programs.") from error
    if size > MAX_RECORD:
        raise WireError("internal", "The worker's result is larger than the wire allows.")
