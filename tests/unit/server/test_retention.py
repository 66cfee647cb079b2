"""What is dropped, in which order, and what never is."""

import asyncio
from pathlib import Path
from typing import Any

from s2edit_server import jobs, queries, retention
from s2edit_server.blobs import Blobs
from s2edit_server.desk import Desk
from s2edit_server.events import Events
from s2edit_server.settings import Settings
from s2edit_server.store import Store
from s2edit_wire.frames import describe

EDIT: dict[str, Any] = {"kind": "edit", "model": "m", "profile": "fast", "source": "a", "objects": [], "seed": 1}
SIZE = 1_000


async def desk_with_jobs(folder: Path) -> Desk:
    """Four jobs with pixels of a thousand bytes each: a, b and c done (b acknowledged), d waiting."""
    desk = Desk(Store(folder / "jobs.sqlite3"), Blobs(folder / "blobs"), Events(lambda *_: None))
    for place, job in enumerate("abcd"):
        data = bytes([place]) * SIZE
        await desk.submit(job * 32, "client", "cli", EDIT, [(describe("image", (1, SIZE, 1)), memoryview(data))])
        if job != "d":
            row = await desk.store.call(jobs.start_next)
            assert row is not None
            await desk.finish(row["id"], 1, {}, [])
    await desk.store.call(jobs.acknowledge, "b" * 32)
    return desk


def held(desk: Desk) -> list[str]:
    """Which jobs' pixels are there."""
    return [job for place, job in enumerate("abcd") if desk.blobs.path(_digest(place)).exists()]


def _digest(place: int) -> str:
    from s2edit_server.blobs import digest_of

    return digest_of(bytes([place]) * SIZE)


def test_over_the_quota_acknowledged_jobs_go_first_then_old_ones_and_waiting_ones_never(tmp_path: Path) -> None:
    async def run() -> None:
        desk = await desk_with_jobs(tmp_path)
        await retention.tidy(desk, Settings())
        assert held(desk) == ["a", "b", "c", "d"]
        await retention.tidy(desk, Settings(result_quota=3 * SIZE))
        assert held(desk) == ["a", "c", "d"]
        await retention.tidy(desk, Settings(result_quota=2 * SIZE))
        assert held(desk) == ["c", "d"]
        await retention.tidy(desk, Settings(result_quota=0))
        assert held(desk) == ["d"]
        assert (await desk.store.call(queries.counts))["done"] == 3, "the jobs themselves stay known"
        desk.store.close()

    asyncio.run(run())


def test_old_jobs_are_removed_and_taken_results_dropped_after_their_grace(tmp_path: Path) -> None:
    async def run() -> None:
        desk = await desk_with_jobs(tmp_path)
        await retention.tidy(desk, Settings(result_grace_s=0))
        assert held(desk) == ["a", "c", "d"]
        await retention.tidy(desk, Settings(result_days=0))
        assert held(desk) == ["d"]
        assert [row["id"][0] for row in await desk.store.call(queries.page)] == ["d"]
        desk.store.close()

    asyncio.run(run())
