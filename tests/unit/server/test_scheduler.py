"""The scheduler with a worker that does as it is told, in this process: what becomes of a job whatever happens."""

import asyncio
import math
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from s2edit_server import jobs, outcomes, queries, scheduler, store
from s2edit_server import worker_link as link
from s2edit_server.blobs import Blobs
from s2edit_server.desk import JobDesk
from s2edit_server.events import Events
from s2edit_server.pool import FixedPool
from s2edit_server.scheduler import Scheduler
from s2edit_server.settings import DaemonSettings
from s2edit_server.store import Store
from s2edit_server.supervisor import Health, WorkerDied
from s2edit_wire.auth import USERNAME
from s2edit_wire.frames import describe
from s2edit_wire.records import ENDED

JOB = "a" * 32
EDIT: dict[str, Any] = {"kind": "edit", "model": "m", "profile": "fast", "source": "a", "objects": [], "seed": 1}
Move = Callable[[link.Run], Awaitable[link.Done | link.Failed | link.Cancelled]]


class Scripted:
    """A runner whose runs are given beforehand, one after the other."""

    def __init__(self, moves: Sequence[Move]) -> None:
        self._moves = list(moves)

    def health(self) -> Health:
        return Health()

    async def run(self, order: link.Run, on_progress: Callable[[link.Progress], None]) -> Any:
        return await self._moves.pop(0)(order)

    def cancel(self, job: str) -> None:
        pass

    def unload(self) -> None:
        pass

    async def stop(self) -> None:
        pass


async def done(order: link.Run) -> link.Done:
    return link.Done(order.job, {"seed": 1}, [])


async def died(order: link.Run) -> link.Done:
    raise WorkerDied("killed by SIGKILL")


async def out_of_memory(order: link.Run) -> link.Failed:
    return link.Failed(order.job, "out_of_memory", "The edit needs 9 GiB.")


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (outcomes, scheduler):
        monkeypatch.setattr(module, "STORE_PATIENCE", 0.01)


def outcome(folder: Path, *moves: Move, frames: Sequence[Any] = ()) -> Any:
    """The row and the log of a job after these runs of the worker."""

    async def run() -> Any:
        desk = JobDesk(Store(folder / "jobs.sqlite3"), Blobs(folder / "blobs"), Events(lambda *_: None))

        async def find_model(_: str) -> Path:
            return folder

        worker = Scheduler(desk, FixedPool({"here": Scripted(moves)}), folder / "work", find_model, DaemonSettings)
        serving = asyncio.create_task(worker.serve())
        await desk.submit(JOB, USERNAME, "c" * 32, "cli", EDIT, frames)
        async with asyncio.timeout(30):
            while (row := await desk.store.call(jobs.get, JOB))["state"] not in ENDED:
                await asyncio.sleep(0.01)
        log = await desk.store.call(queries.log_lines, JOB)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        desk.store.close()
        return row, log

    return asyncio.run(run())


class FullDisk:
    """No commit finds room for a while, from `start` on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failures: int) -> None:
        self.left, self._failures, self._commit = 0, failures, store.commit
        monkeypatch.setattr(store, "commit", self)

    def start(self) -> None:
        self.left = self._failures

    def __call__(self, db: sqlite3.Connection) -> None:
        if self.left:
            self.left -= 1
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorname = "SQLITE_FULL"
            raise error
        self._commit(db)


@pytest.mark.parametrize("first", [died, out_of_memory])
def test_a_full_disk_at_the_moment_of_a_failure_leaves_no_job_running_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: Move
) -> None:
    disk = FullDisk(monkeypatch, failures=5)

    async def strike(order: link.Run) -> Any:
        disk.start()
        return await first(order)

    row, _ = outcome(tmp_path, strike, done)
    assert disk.left == 0
    assert (row["state"], row["attempt"]) == ("done", 2)


def test_a_full_disk_delays_the_news_of_a_failure_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FullDisk(monkeypatch, failures=5)

    async def fail(order: link.Run) -> link.Failed:
        disk.start()
        return link.Failed(order.job, "model_failed", "No.")

    row, _ = outcome(tmp_path, fail)
    assert (row["state"], row["error"]) == ("failed", "model_failed")


def test_why_a_job_was_queued_again_stands_in_its_log(tmp_path: Path) -> None:
    row, log = outcome(tmp_path, out_of_memory, died, done)
    assert (row["attempt"], row["lower"], row["deaths"]) == (3, 1, 1)
    told = [line[20:] for line in log]
    assert "out of memory, once more with less: The edit needs 9 GiB." in told
    assert "the worker died: killed by SIGKILL; queued again" in told


@pytest.mark.parametrize(
    "record",
    [{"loss": math.nan}, {"seed": None}, {"long": ["x" * 1_000] * 40}, {"numbers": [0.5] * 4_000}, {"n": 2**60}],
    ids=["nan", "nil", "long", "as JSON it would fit", "too large a number"],
)
def test_a_record_that_no_client_could_read_fails_the_job_in_words(tmp_path: Path, record: dict[str, Any]) -> None:
    async def odd(order: link.Run) -> link.Done:
        return link.Done(order.job, record, [])

    row, _ = outcome(tmp_path, odd)
    assert (row["state"], row["error"]) == ("failed", "internal")
    assert "result" in row["message"]


def test_a_result_is_kept_even_if_no_small_picture_can_be_made_of_it(tmp_path: Path) -> None:
    async def gone(order: link.Run) -> link.Done:
        Path(order.frames[0].path).unlink()  # a disk that loses files
        return await done(order)

    row, _ = outcome(tmp_path, gone, frames=[(describe("image", (1, 1, 1)), memoryview(b"x"))])
    assert row["state"] == "done"


def test_an_unexpected_fault_before_the_run_ends_the_job_and_not_the_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = JobDesk.publish_places

    async def fault_once(self: JobDesk) -> None:
        monkeypatch.setattr(JobDesk, "publish_places", publish)
        raise RuntimeError("a header over its limit")

    monkeypatch.setattr(JobDesk, "publish_places", fault_once)
    row, _ = outcome(tmp_path, done)
    assert (row["state"], row["error"]) == ("failed", "internal")
