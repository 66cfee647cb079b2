"""What is dropped, in which order, and what never is."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from s2edit_server import jobs, queries, retention
from s2edit_server.blobs import Blobs
from s2edit_server.desk import JobDesk
from s2edit_server.events import Events
from s2edit_server.settings import DaemonSettings
from s2edit_server.store import Store
from s2edit_wire.auth import USERNAME
from s2edit_wire.errors import WireError
from s2edit_wire.frames import describe

from tests.fakes.daemon import RunningDaemon, fake, finished, picture, submit
from tests.fakes.until import until

EDIT: dict[str, Any] = {"kind": "edit", "model": "m", "profile": "fast", "source": "a", "objects": [], "seed": 1}
SIZE = 1_000


async def desk_with_jobs(folder: Path) -> JobDesk:
    """Four jobs with pixels of a thousand bytes each: a, b and c done (b acknowledged), d waiting."""
    desk = JobDesk(Store(folder / "jobs.sqlite3"), Blobs(folder / "blobs"), Events(lambda *_: None))
    for place, job in enumerate("abcd"):
        data = bytes([place]) * SIZE
        await desk.submit(
            job * 32, USERNAME, "client", "cli", EDIT, [(describe("image", (1, SIZE, 1)), memoryview(data))]
        )
        if job != "d":
            row = await desk.store.call(jobs.start_next)
            assert row is not None
            await desk.finish(row["id"], 1, {}, [])
    await desk.store.call(jobs.acknowledge, "b" * 32)
    return desk


def held(desk: JobDesk) -> list[str]:
    """Which jobs' pixels are there."""
    return [job for place, job in enumerate("abcd") if desk.blobs.path(_digest(place)).exists()]


def _digest(place: int) -> str:
    from s2edit_server.blobs import digest_of

    return digest_of(bytes([place]) * SIZE)


def test_over_the_quota_acknowledged_jobs_go_first_then_old_ones_and_waiting_ones_never(tmp_path: Path) -> None:
    async def run() -> None:
        desk = await desk_with_jobs(tmp_path)
        await retention.tidy(desk, DaemonSettings())
        assert held(desk) == ["a", "b", "c", "d"]
        await retention.tidy(desk, DaemonSettings(result_quota=3 * SIZE))
        assert held(desk) == ["a", "c", "d"]
        await retention.tidy(desk, DaemonSettings(result_quota=2 * SIZE))
        assert held(desk) == ["c", "d"]
        await retention.tidy(desk, DaemonSettings(result_quota=0))
        assert held(desk) == ["d"]
        assert (await desk.store.call(queries.counts))["done"] == 3, "the jobs themselves stay known"
        desk.store.close()

    asyncio.run(run())


def test_who_fills_the_disk_takes_nobody_elses_results(tmp_path: Path) -> None:
    async def run() -> None:
        desk = JobDesk(Store(tmp_path / "jobs.sqlite3"), Blobs(tmp_path / "blobs"), Events(lambda *_: None))
        # Ben's is the oldest of all; Anna has four, the last of them saved in a document already.
        for place, owner in enumerate(("ben", "anna", "anna", "anna", "anna")):
            data = memoryview(bytes([place]) * SIZE)
            name = f"{place:032x}"
            await desk.submit(name, owner, "client", "cli", EDIT, [(describe("image", (1, SIZE, 1)), data)])
            await desk.store.call(jobs.start_next)
            await desk.finish(name, 1, {}, [])
        await desk.store.call(jobs.acknowledge, f"{4:032x}")
        order = [int(job, 16) for job, _ in await desk.store.call(queries.droppable)]
        assert order[:3] == [4, 1, 2]
        assert set(order[3:]) == {0, 3}, "by now they hold as much as each other"
        await retention.tidy(desk, DaemonSettings(result_quota=2 * SIZE))
        assert [place for place in range(5) if desk.blobs.path(_digest(place)).exists()] == [0, 3]
        desk.store.close()

    asyncio.run(run())


def test_old_jobs_are_removed_and_taken_results_dropped_after_their_grace(tmp_path: Path) -> None:
    async def run() -> None:
        desk = await desk_with_jobs(tmp_path)
        await retention.tidy(desk, DaemonSettings(result_grace_s=0))
        assert held(desk) == ["a", "c", "d"]
        await retention.tidy(desk, DaemonSettings(result_days=0))
        assert held(desk) == ["d"]
        assert [row["id"][0] for row in await desk.store.call(queries.page)] == ["d"]
        desk.store.close()

    asyncio.run(run())


def test_over_the_quota_results_outlive_the_pixels_of_what_failed(tmp_path: Path) -> None:
    async def run() -> None:
        desk = await desk_with_jobs(tmp_path)
        row = await desk.store.call(jobs.start_next)
        assert row is not None
        await desk.store.call(jobs.finish_failed, row["id"], 1, WireError("model_failed", "No."))
        await retention.tidy(desk, DaemonSettings(result_quota=2 * SIZE))
        assert held(desk) == ["a", "c"], "the acknowledged one and the youngest, failed one went"
        desk.store.close()

    asyncio.run(run())


def test_pixels_that_two_jobs_share_count_once_and_go_with_the_last(tmp_path: Path) -> None:
    async def run() -> None:
        desk = await desk_with_jobs(tmp_path)
        shared = [(describe("image", (1, SIZE, 1)), memoryview(bytes([0]) * SIZE))]
        await desk.submit("e" * 32, USERNAME, "client", "cli", EDIT, shared)
        assert desk.blobs.total_bytes() == 4 * SIZE
        await desk.store.call(jobs.request_cancel, "d" * 32)
        await desk.store.call(jobs.request_cancel, "e" * 32)
        await retention.tidy(desk, DaemonSettings(result_quota=2 * SIZE))
        assert held(desk) == ["a", "c"]
        await retention.tidy(desk, DaemonSettings(result_quota=SIZE))
        assert held(desk) == ["c"]
        desk.store.close()

    asyncio.run(run())


def test_the_number_of_remembered_jobs_and_small_pictures_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MAX_ENDED", 2)
    monkeypatch.setattr(retention, "MAX_PICTURED", 2)

    async def run() -> None:
        desk = await desk_with_jobs(tmp_path)
        await retention.tidy(desk, DaemonSettings())
        assert [row["id"][0] for row in await desk.store.call(queries.page)] == ["d", "c", "a"], "b is acknowledged"
        pictured = [job for job in "acd" if await desk.store.call(queries.thumbnails, job * 32)]
        assert pictured == ["c"]
        desk.store.close()

    asyncio.run(run())


def test_a_job_that_a_client_took_away_meanwhile_stops_no_tidying(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        desk = await desk_with_jobs(tmp_path)
        expired = queries.expired
        monkeypatch.setattr(queries, "expired", lambda *times: (expired(*times)[0], ["f" * 32, "d" * 32, "a" * 32]))
        await retention.tidy(desk, DaemonSettings())
        assert held(desk) == ["b", "c", "d"]
        desk.store.close()

    asyncio.run(run())


def test_a_clock_that_jumps_throws_no_results_away() -> None:
    now = {"wall": 1e9, "steady": 50.0}

    def go(seconds: float, jump: float = 0.0) -> bool:
        now["wall"] += seconds + jump
        now["steady"] += seconds
        return calendar.is_sure()

    calendar = retention.Calendar(None, lambda: now["wall"], lambda: now["steady"])
    assert calendar.is_sure() and go(60) and go(60, jump=1_000), "corrected by minutes: nothing that matters"
    assert not go(60, jump=365 * retention.DAY)
    assert not go(60), "a second look is no proof"
    assert not go(60, jump=-365 * retention.DAY), "set right again"
    assert not go(retention.SETTLING - 60)
    assert go(60)


def test_while_the_clock_is_doubted_ages_do_not_count_but_quotas_do(tmp_path: Path) -> None:
    async def run() -> None:
        desk = await desk_with_jobs(tmp_path)
        doubted = DaemonSettings(result_days=0, result_grace_s=0)
        await retention.tidy(desk, doubted, by_age=False)
        assert held(desk) == ["a", "b", "c", "d"]
        await retention.tidy(desk, DaemonSettings(result_quota=0), by_age=False)
        assert held(desk) == ["d"]
        desk.store.close()

    asyncio.run(run())


def test_an_identity_goes_with_the_last_job_that_needs_it_and_at_the_next_start_if_need_be(tmp_path: Path) -> None:
    cache, learns = tmp_path / "s" / "cache", fake(learns=True)

    def learned() -> int:
        return len(list(cache.glob("*.safetensors")))

    with RunningDaemon(tmp_path / "s") as daemon, daemon.client() as client:
        first, again, other = (submit(client, picture(seed=seed), learns) for seed in (1, 1, 2))
        for job in (first, again, other):
            assert finished(client, job)["state"] == "done"
        pid = client.request("status").header["status"]["worker_pid"]
        assert pid and learned() == 2
        client.request("remove", {"job": first})
        client.request("remove", {"job": other})
        until(lambda: learned() == 1)
        (kept,) = cache.glob("*.safetensors")
        client.request("remove", {"job": again})
        until(lambda: learned() == 0)
        last = submit(client, picture(seed=3), learns)
        assert finished(client, last)["state"] == "done"
        daemon.stop()
        kept.write_bytes(b"whose job was removed as the power failed")
        (cache / f"{'0' * 64}.uses").write_text(kept.stem)
        daemon.start()
    until(lambda: not kept.exists())
    assert learned() == 1
    with daemon, daemon.client() as client:
        client.request("clear_cache")
        until(lambda: learned() == 0)
