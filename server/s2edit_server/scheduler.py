"""Takes one job after the other from the queue to the worker, and puts what comes back where it belongs."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2edit_wire.errors import CODES, WireError
from s2edit_wire.frames import FrameRecord, check_entry
from s2edit_wire.limits import MAX_FRAMES
from s2edit_wire.pack import pack

from . import jobs, timings, worker_link
from .blobs import room_errors
from .desk import Desk
from .settings import Settings
from .supervisor import Runner, WorkerDied
from .timings import Stopwatch

LOG = logging.getLogger(__name__)
MAX_DEATHS = 2
PATIENCE = 1.0
"""Seconds until something that the disk had no room for is tried again."""
TELL_INTERVAL = 0.05
"""Seconds between two events about steps; a new phase or a preview is told at once."""
MAX_RECORD = 32 * 1024
"""Bytes of a result's record as msgpack; it shares a header with the job, which takes up to `MAX_EDIT` and a little."""
RESULT_ROLES = {"patch", "alpha", "mask"}

FindModel = Callable[[str], Awaitable[Path]]


class Scheduler:
    """Runs the queue.

    Args:
        desk: jobs and pixels.
        runner: the worker.
        work: folder for the files of running jobs, on the blobs' file system.
        find_model: path of a model's weights by id; raises WireError.
        settings: asked for each time.
    """

    def __init__(
        self, desk: Desk, runner: Runner, work: Path, find_model: FindModel, settings: Callable[[], Settings]
    ) -> None:
        self._desk, self._runner, self._work, self._find_model = desk, runner, work, find_model
        self._settings = settings
        self.paused = settings().queue_paused
        self.current = ""
        self.unload_wanted = False
        self._told = 0.0
        self._telling: set[asyncio.Task[Any]] = set()
        shutil.rmtree(work, ignore_errors=True)

    async def serve(self) -> None:
        """Work until cancelled."""
        while True:
            await self._wait()
            if self.paused:
                await asyncio.sleep(0.05)
                continue
            self._desk.queued.clear()
            try:
                claim = await self._desk.store.call(_claim)
            except WireError as error:
                LOG.warning("no job can be started: %s", error.message)
                await asyncio.sleep(PATIENCE)
                self._desk.queued.set()
                continue
            if claim is not None:
                self._desk.queued.set()
                try:
                    await self._attempt(claim)
                except Exception:
                    # One job's fault, or the disk's, is no reason to end the daemon with all the others in it.
                    LOG.exception("job %s", claim.row["id"])
                    await asyncio.sleep(PATIENCE)

    async def cancel(self, job: str) -> dict[str, Any]:
        """Cancel a job wherever it is; returns its record. Raises WireError("unknown_job")."""
        before = await self._desk.store.call(jobs.get, job)
        row = await self._desk.store.call(jobs.request_cancel, job)
        if row["state"] == "running":
            self._runner.cancel(job)
        if row["state"] != before["state"]:
            await self._desk.publish(job)
            await self._desk.publish_places()
        return await self._desk.record(job)

    def unload_when_idle(self) -> None:
        """Free the worker's memory now, or right after the running job."""
        self.unload_wanted = True
        if not self.current:
            self._desk.queued.set()

    async def _wait(self) -> None:
        """Until there may be something to do; meanwhile an idle worker's memory is freed in time."""
        idle_since = time.monotonic()
        while not self._desk.queued.is_set() or self.paused:
            if self.unload_wanted:
                self.unload_wanted = False
                await self._runner.stop()
            limit = self._settings().idle_unload_s
            if limit and self._runner.health().model and time.monotonic() - idle_since > limit:
                self._runner.unload()
                idle_since = time.monotonic()
            try:
                # Without a model in memory there is nothing to be unloaded in time, and the processor may sleep.
                async with asyncio.timeout(0.5 if self._runner.health().model else 5.0):
                    await self._desk.queued.wait()
            except TimeoutError:
                continue
            if self.paused:
                await asyncio.sleep(0.1)

    async def _attempt(self, claim: Claim) -> None:
        row, edit = claim.row, claim.edit
        job, attempt = row["id"], row["attempt"]
        out = self._work / f"{job}-{attempt}"
        self.current = job
        # Before anything is waited for: whoever sees the job running sees its expected time too.
        watch = self._desk.running[job] = Stopwatch(claim.pace, loaded=self._runner.health().model == edit.get("model"))
        try:
            await self._desk.publish(job)
            await self._desk.publish_places()
            await self._settle(row, await self._run(row, edit, out), watch)
        except WireError as error:
            await self._fail(job, attempt, error)
        except WorkerDied as death:
            await self._bury(row, death)
        except Exception:
            LOG.exception("job %s", job)
            hint = "The daemon's log has the details."
            await self._fail(job, attempt, WireError("internal", "Something went wrong inside S²Edit.", hint))
        finally:
            self.current = ""
            self._desk.running.pop(job, None)
            await asyncio.to_thread(shutil.rmtree, out, ignore_errors=True)
            await self._desk.tell(job)
            if self.unload_wanted:
                self.unload_wanted = False
                await self._runner.stop()

    async def _run(self, row: jobs.Row, edit: dict[str, Any], out: Path) -> Any:
        path = await self._find_model(edit["model"])
        with room_errors():
            await asyncio.to_thread(out.mkdir, parents=True)
        inputs = await self._desk.store.call(jobs.frames, row["id"], "in")
        settings = self._settings()
        order = worker_link.Run(
            job=row["id"],
            attempt=row["attempt"],
            edit=edit,
            model=worker_link.Model(edit["model"], str(path)),
            frames=[_frame_file(frame, self._desk.blobs.path(frame.sha256)) for frame in inputs],
            out=str(out),
            lower=bool(row["lower"]),
            threads=settings.threads,
            compiled=settings.compiled,
            device=settings.device,
            precision=settings.precision,
        )
        outcome = asyncio.ensure_future(self._runner.run(order, self._progress))
        try:
            # A cancel between the job's start and here found no worker to tell; it left its mark on the row.
            await asyncio.sleep(0)
            if (await self._desk.store.call(jobs.get, row["id"]))["cancelling"]:
                self._runner.cancel(row["id"])
            return await outcome
        finally:
            outcome.cancel()

    def _progress(self, report: worker_link.Progress) -> None:
        watch = self._desk.running.get(report.job)
        if watch is None:
            return
        new_phase = watch.progress(report.phase, report.step, report.total)
        now = time.monotonic()
        if new_phase or report.preview is not None or now - self._told >= TELL_INTERVAL:
            self._told = now
            preview = None
            if report.preview is not None:
                entry: FrameRecord = {
                    "role": "preview",
                    "shape": list(report.preview.shape),
                    "dtype": "u1",
                    "space": "srgb",
                    "nbytes": len(report.preview.data),
                }
                preview = (entry, report.preview.data)
            progress = {"phase": report.phase, "step": report.step, "total": report.total}
            task = asyncio.create_task(self._desk.tell(report.job, preview, progress))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _settle(self, row: jobs.Row, outcome: Any, watch: Stopwatch) -> None:
        job, attempt = row["id"], row["attempt"]
        if isinstance(outcome, worker_link.Cancelled):
            raise WireError("cancelled", "The job was cancelled.")
        if isinstance(outcome, worker_link.Failed):
            if outcome.code == "out_of_memory" and not row["lower"]:
                why = f"out of memory, once more with less: {outcome.message}"
                await self._insist(jobs.requeue, job, attempt, why, lower=True)
                return
            code = outcome.code if outcome.code in CODES else "internal"
            raise WireError(code, outcome.message[:2_000], outcome.hint[:2_000])
        watch.close()
        await self._keep(job, attempt, outcome)
        device = self._runner.health().device
        try:
            phases = watch.worked(outcome.record.get("cached", {}))
            await self._desk.store.call(timings.record, json.loads(row["edit"]), device, phases)
        except WireError as error:
            LOG.warning("job %s is done, but its times could not be noted: %s", job, error.message)

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

    async def _bury(self, row: jobs.Row, death: WorkerDied) -> None:
        job, attempt = row["id"], row["attempt"]
        now = await self._desk.store.call(jobs.get, job)
        if now["cancelling"]:
            await self._fail(
                job, attempt, WireError("cancelled", "The job was cancelled; its worker had to be stopped.")
            )
        elif row["deaths"] + 1 >= MAX_DEATHS:
            hint = "The daemon's log tells more. Try a smaller area or the profile “fast”."
            error = WireError("worker_crashed", f"The worker died twice on this job, at last: {death}.", hint)
            await self._fail(job, attempt, error)
        else:
            LOG.warning("the worker died on job %s (%s); it is queued again", job, death)
            await self._insist(jobs.requeue, job, attempt, f"the worker died: {death}; queued again", death=True)

    async def _fail(self, job: str, attempt: int, error: WireError) -> None:
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
                await asyncio.sleep(PATIENCE)
            else:
                return


@dataclass(frozen=True)
class Claim:
    """A job taken from the queue: its row, its edit (`EDIT`), and what such jobs took lately, seconds by phase."""

    row: jobs.Row
    edit: dict[str, Any]
    pace: dict[str, timings.Pace]


def _claim(db: sqlite3.Connection) -> Claim | None:
    row = jobs.start_next(db)
    if row is None:
        return None
    try:
        edit = json.loads(row["edit"])
        return Claim(row, edit, timings.expected(db, edit["kind"], edit["model"], edit["profile"]))
    except (ValueError, KeyError, TypeError, sqlite3.DatabaseError):
        return Claim(row, {}, {})  # the attempt fails on it, and is told of as any other


def _check_record(record: dict[str, Any]) -> None:
    """Refuse what a client couldn't read: it would take the daemon for a stranger, hang up, and ask again for ever."""
    try:
        size = len(pack({"record": record}))
    except WireError as error:
        raise WireError("internal", "The worker's result can't be told to programs.") from error
    if size > MAX_RECORD:
        raise WireError("internal", "The worker's result is larger than the wire allows.")


def _frame_file(frame: jobs.StoredFrame, path: Path) -> worker_link.FrameFile:
    entry = frame.entry
    height, width, channels = entry["shape"]
    return worker_link.FrameFile(
        role=entry["role"],
        shape=(height, width, channels),
        dtype=entry["dtype"],
        space=entry["space"],
        nbytes=entry["nbytes"],
        path=str(path),
        index=entry.get("index", 0),
        sha256=frame.sha256,
    )
