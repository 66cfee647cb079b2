"""What is kept: results under a wrong clock, pictures cut short, the limits, and the folder itself."""

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from s2edit_server import jobs, retention, timings
from s2edit_server.blobs import Blobs, digest_of
from s2edit_server.desk import JobDesk
from s2edit_server.events import Events
from s2edit_server.settings import DaemonSettings
from s2edit_server.store import Store
from s2edit_wire.auth import USERNAME

from tests.fakes.daemon import RunningDaemon, fake, finished, picture, show, submit, wait_until

DAY = 86_400.0


async def desk_with_a_result(folder: Path) -> JobDesk:
    desk = JobDesk(Store(folder / "jobs.sqlite3"), Blobs(folder / "blobs"), Events(lambda *_: None))
    await desk.submit("a" * 32, USERNAME, "client", "cli", fake(), [])
    row = await desk.store.call(jobs.start_next)
    assert row is not None
    await desk.finish(row["id"], 1, {"seed": 1}, [])
    return desk


def after_start(folder: Path, clock: float) -> str:
    """What becomes of a result when the daemon starts while the clock is so many seconds ahead."""

    async def run() -> str:
        desk = await desk_with_a_result(folder)
        real = time.time
        try:
            retention.time.time = lambda: real() + clock  # type: ignore[attr-defined]
            serving = asyncio.create_task(retention.serve(desk, DaemonSettings))
            for _ in range(5):
                await desk.store.call(jobs.find, "a" * 32)
                await asyncio.sleep(0)
            row = await desk.store.call(jobs.find, "a" * 32)
        finally:
            retention.time.time = real  # type: ignore[attr-defined]
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        desk.store.close()
        return "gone" if row is None else str(row["state"])

    return asyncio.run(run())


@pytest.mark.parametrize("days", [-400, -8, -1, 1, 8, 400])
def test_a_clock_that_is_wrong_at_the_start_removes_nothing(days: int, tmp_path: Path) -> None:
    assert after_start(tmp_path, days * DAY) == "done"


@pytest.mark.parametrize(
    ("ahead", "sure"), [(0, True), (0.9 * DAY, True), (-60, True), (1.1 * DAY, False), (-7_200, False)]
)
def test_when_ages_are_believed_after_a_start(ahead: float, sure: bool) -> None:
    now = {"wall": 1e9, "steady": 0.0}
    calendar = retention.Calendar(1e9 - ahead, lambda: now["wall"], lambda: now["steady"])
    assert calendar.is_sure() is sure
    for name in now:
        now[name] += retention.LONG_SETTLING
    assert calendar.is_sure()


CUTS: dict[str, Callable[[Path], Any]] = {
    "emptied": lambda path: path.write_bytes(b""),
    "cut in the middle": lambda path: path.write_bytes(path.read_bytes()[:500]),
    "gone": Path.unlink,
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"x"),
}


@pytest.mark.parametrize("way", ["put", "adopt"])
@pytest.mark.parametrize("kind", CUTS)
def test_a_stored_picture_that_was_cut_short_heals(kind: str, way: str, tmp_path: Path) -> None:
    blobs, data = Blobs(tmp_path / "blobs"), bytes(range(250)) * 4
    digest = digest_of(data)
    blobs.put(data, digest)
    CUTS[kind](blobs.path(digest))
    blobs = Blobs(tmp_path / "blobs")
    if way == "put":
        blobs.put(data, digest)
    else:
        (tmp_path / "result").write_bytes(data)
        assert blobs.adopt(tmp_path / "result") == digest
    assert blobs.path(digest).read_bytes() == data
    assert blobs.total_bytes() == len(data)


@pytest.mark.parametrize("what", ["the state folder", "the lock, by another's"])
def test_the_daemon_ends_with_its_folder(what: str, tmp_path: Path) -> None:
    daemon = RunningDaemon(tmp_path / "s")
    daemon.start()
    assert daemon.process is not None
    try:
        if what == "the state folder":
            shutil.rmtree(daemon.folder)
        else:
            shutil.rmtree(daemon.folder / "run")
        if "lock" in what:
            (daemon.folder / "run").mkdir(mode=0o700)
            (daemon.folder / "run" / "daemon.lock").touch()
            (daemon.folder / "run" / "daemon.sock").touch()
        daemon.process.wait(20)
        if "lock" in what:
            assert (daemon.folder / "run" / "daemon.sock").exists(), "the other's is left alone"
    finally:
        daemon.kill()


@pytest.mark.parametrize("phase", ["waiting", *timings.PHASES])
def test_a_job_of_a_known_kind_has_an_expected_time_in_every_phase(phase: str) -> None:
    watch = timings.Stopwatch({"loading": timings.Pace(2.0, 2.0), "editing": timings.Pace(1.0, 0.1)}, loaded=True)
    if phase != "waiting":
        watch.progress(phase, 0, 0)
    assert watch.eta() is not None


def test_a_running_job_always_has_its_expected_time(tmp_path: Path) -> None:
    """Asked again and again while jobs start: whoever sees one running sees when it is expected to end."""
    with RunningDaemon(tmp_path / "s") as daemon, daemon.client() as client:
        edit = {**fake(steps=2, step_ms=1), "profile": "balanced"}
        finished(client, submit(client, edit=edit))
        for seed in range(12):
            job = submit(client, picture(16, seed), edit)
            record = wait_until(client, job, "running", "done", every=0)
            assert record["state"] == "done" or "eta" in record
        assert show(client, job)
