"""Takes jobs from the queue to the places where they run; `outcomes` stores what comes of it."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from s2edit_wire.auth import USERNAME
from s2edit_wire.errors import WireError
from s2edit_wire.frames import FrameRecord

from . import claims, jobs, worker_link
from .blobs import room_errors
from .claims import Claim, Floor
from .desk import Foresee, JobDesk
from .identities import Register
from .outcomes import STORE_PATIENCE, Outcomes
from .placement import Running, worth_telling
from .pool import Pool
from .settings import DaemonSettings
from .supervisor import WorkerDied
from .timings import Stopwatch

LOG = logging.getLogger(__name__)
TELL_INTERVAL = 0.05
"""Seconds between two events about steps; a new phase or a preview is told at once."""

FindModel = Callable[[str], Awaitable[Path]]


class Scheduler:
    """Runs the queue.

    Args:
        desk: jobs and pixels.
        pool: the workers.
        work: folder for the files of running jobs, on the blobs' file system.
        find_model: path of a model's weights by id; raises WireError.
        settings: asked for each time.
    """

    def __init__(
        self, desk: JobDesk, pool: Pool, work: Path, find_model: FindModel, settings: Callable[[], DaemonSettings]
    ) -> None:
        self._desk, self._pool, self._work, self._find_model = desk, pool, work, find_model
        self._settings, self._outcomes = settings, Outcomes(desk, work)
        self.paused = settings().queue_paused
        self._register = Register()
        self._seats: dict[str, str] = {}
        self._attempts: set[asyncio.Task[None]] = set()
        self._unload: set[str] = set()
        self._rest: float | None = None
        self._idle_since: dict[str, float] = {}
        self._told: dict[str, float] = {}
        self._telling: set[asyncio.Task[Any]] = set()
        shutil.rmtree(work, ignore_errors=True)
        desk.foresee = self._foresee

    @property
    def busy(self) -> bool:
        """Whether any job runs."""
        return bool(self._attempts)

    async def serve(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                await self._wait()
                if self.paused:
                    await asyncio.sleep(0.05)
                    continue
                self._desk.queued.clear()
                try:
                    claim = await self._desk.store.call(claims.claim, self._register, self._floor())
                except WireError as error:
                    LOG.warning("no job can be started: %s", error.message)
                    await asyncio.sleep(STORE_PATIENCE)
                    self._desk.queued.set()
                    continue
                self._rest = claim if isinstance(claim, float) else None
                if isinstance(claim, Claim):
                    self._begin(claim)
                    self._desk.queued.set()
        finally:
            for task in self._attempts:
                task.cancel()
            await asyncio.gather(*self._attempts, return_exceptions=True)

    def _begin(self, claim: Claim) -> None:
        """Start the attempt; from here on its place is taken, and whoever sees the job running sees its time too."""
        job, place = claim.row["id"], claim.place
        self._seats[job] = place
        self._pool.begin(place, claim.job, time.time())
        loaded = self._pool.runner(place).health().model == claim.job.model
        watch = self._desk.running[job] = Stopwatch(claim.pace, loaded=loaded, place=place)
        task = asyncio.create_task(self._serve_one(claim, watch), name=f"job {job}")
        self._attempts.add(task)
        task.add_done_callback(self._attempts.discard)
        # A look at once: there may be another place for the next one.
        task.add_done_callback(lambda _: self._desk.queued.set())

    async def _serve_one(self, claim: Claim, watch: Stopwatch) -> None:
        try:
            await self._attempt(claim, watch)
        except Exception:
            # One job's fault, or the disk's, is no reason to end the daemon with all the others in it.
            LOG.exception("job %s", claim.row["id"])
            await asyncio.sleep(STORE_PATIENCE)
        finally:
            self._release(claim)

    def _release(self, claim: Claim) -> None:
        self._seats.pop(claim.row["id"], None)
        self._told.pop(claim.row["id"], None)
        self._idle_since[claim.place] = time.monotonic()
        self._pool.end(claim.place, time.time(), learned=claim.done)

    def _floor(self) -> Floor:
        """What runs where at this moment, and for how long yet."""
        places, running = self._pool.places(), []
        for place in places:
            job = self._pool.job(place.name)
            if job is not None:
                watch = self._desk.running.get(job.id)
                running.append(Running(job, place.name, watch.eta() if watch else 0.0))
        devices = {place.name: self._pool.runner(place.name).health().device for place in places}
        return Floor(places, running, devices)

    def _foresee(self) -> Foresee:
        floor = self._floor()
        self._desk.tell_place = worth_telling(floor.places)
        return partial(claims.foresee, register=self._register, floor=floor)

    async def cancel(self, job: str, viewer: str = USERNAME) -> dict[str, Any]:
        """Cancel a job wherever it is; returns its record as this user sees it. Raises WireError("unknown_job")."""
        before = await self._desk.store.call(jobs.get, job)
        row = await self._desk.store.call(jobs.request_cancel, job)
        if row["state"] == "running":
            place = self._seats.get(job)
            if place is not None:
                self._pool.runner(place).cancel(job)
        if row["state"] != before["state"]:
            await self._desk.publish(job)
            await self._desk.publish_places()
        return await self._desk.record(job, viewer)

    def unload_when_idle(self, place: str = "") -> None:
        """Free the memory of this place's worker, or of all, now or right after its running job.

        Raises WireError("bad_setting"): there is no such place.
        """
        names = {one.name for one in self._pool.places()}
        if place and place not in names:
            raise WireError("bad_setting", f"There is no place “{place[:64]}”.", "s2edit daemon status lists them.")
        self._unload |= {place} if place else names
        self._desk.queued.set()

    async def _wait(self) -> None:
        """Until there may be something to do; meanwhile an idle worker's memory is freed in time."""
        while not self._desk.queued.is_set() or self.paused:
            await self._tend()
            # Without a model in memory there is nothing to be unloaded in time, and the processor may sleep.
            delay = 0.5 if any(place.model and not place.job for place in self._pool.places()) else 5.0
            try:
                async with asyncio.timeout(delay if self._rest is None else min(delay, self._rest)):
                    await self._desk.queued.wait()
            except TimeoutError:
                if self._rest is not None:
                    # A job may have waited for its busy place for long enough by now.
                    return
                continue
            if self.paused:
                await asyncio.sleep(0.1)

    async def _tend(self) -> None:
        """Free the memory of places where nothing runs: where that was asked for, and where nothing ran for long."""
        limit = self._settings().idle_unload_s
        for place in self._pool.places():
            if place.job:
                continue
            if place.name in self._unload:
                self._unload.discard(place.name)
                await self._pool.runner(place.name).stop()
            elif limit and place.model and time.monotonic() - self._idle_since.get(place.name, 0.0) > limit:
                self._pool.runner(place.name).unload()
                self._idle_since[place.name] = time.monotonic()

    async def _attempt(self, claim: Claim, watch: Stopwatch) -> None:
        row, edit = claim.row, claim.edit
        job, attempt = row["id"], row["attempt"]
        out = self._work / f"{job}-{attempt}"
        try:
            await self._desk.publish(job)
            await self._desk.publish_places()
            outcome = await self._run(claim, edit, out)
            device = self._pool.runner(claim.place).health().device
            claim.done = await self._outcomes.settle(row, outcome, watch, device)
        except WireError as error:
            await self._outcomes.fail(job, attempt, error)
        except WorkerDied as death:
            await self._outcomes.bury(row, death)
        except Exception:
            LOG.exception("job %s", job)
            hint = "The daemon's log has the details."
            await self._outcomes.fail(job, attempt, WireError("internal", "Something went wrong inside S²Edit.", hint))
        finally:
            self._desk.running.pop(job, None)
            await asyncio.to_thread(shutil.rmtree, out, ignore_errors=True)
            await self._desk.tell(job)
            if claim.place in self._unload:
                self._unload.discard(claim.place)
                await self._pool.runner(claim.place).stop()

    async def _run(self, claim: Claim, edit: dict[str, Any], out: Path) -> Any:
        row, runner = claim.row, self._pool.runner(claim.place)
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
            device=self._pool.device(settings.device),
            precision=settings.precision,
            holds=claim.job.holds,
        )
        outcome = asyncio.ensure_future(runner.run(order, self._progress))
        try:
            # A cancel between the job's start and here found no worker to tell; it left its mark on the row.
            await asyncio.sleep(0)
            if (await self._desk.store.call(jobs.get, row["id"]))["cancelling"]:
                runner.cancel(row["id"])
            return await outcome
        finally:
            outcome.cancel()

    def _progress(self, report: worker_link.Progress) -> None:
        watch = self._desk.running.get(report.job)
        if watch is None:
            return
        new_phase = watch.progress(report.phase, report.step, report.total)
        now = time.monotonic()
        if new_phase or report.preview is not None or now - self._told.get(report.job, 0.0) >= TELL_INTERVAL:
            self._told[report.job] = now
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
