"""A damaged list of jobs costs the list at most: pictures stay, the daemon starts and works, and people are told."""

import asyncio
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from s2edit_server import jobs, queries, recovery, retention
from s2edit_server.blobs import Blobs
from s2edit_server.desk import JobDesk
from s2edit_server.events import Events
from s2edit_server.settings import DaemonSettings
from s2edit_server.store import Store
from s2edit_wire.auth import USERNAME
from s2edit_wire.client import new_job_id
from s2edit_wire.errors import WireError
from s2edit_wire.frames import describe

from tests.fakes.daemon import EDIT, RunningDaemon, finished, picture, submit

PICTURES = 13
CLIENT = "c" * 32


def stored(folder: Path) -> int:
    """How many pictures are kept anywhere in the state folder."""
    return sum(len(path.name) == 64 for path in folder.rglob("*") if path.is_file())


async def hand_in(desk: JobDesk, seed: int) -> str:
    job, image = new_job_id(), picture(16, seed)
    await desk.submit(
        job, USERNAME, CLIENT, "cli", EDIT, [(describe("image", image.shape), memoryview(image.tobytes()))]
    )
    return job


async def with_jobs(folder: Path) -> None:
    """A state folder in which all kinds of rows are: jobs, frames, log lines, timings, small pictures."""
    desk = JobDesk(Store(folder / "jobs.sqlite3"), Blobs(folder / "blobs"), Events(lambda *_: None))
    for seed in range(PICTURES):
        job = await hand_in(desk, seed)
        if seed % 2:
            row = await desk.store.call(jobs.start_next)
            assert row is not None
            small = [(describe("image", (16, 16, 3)), bytes(768))]
            await desk.store.call(jobs.finish_done, row["id"], row["attempt"], {"seed": 1}, [], "0" * 64, small)
        assert job
    desk.store.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    asyncio.run(with_jobs(folder))
    with closing(sqlite3.connect(folder / "jobs.sqlite3")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "s"))


async def use(folder: Path) -> None:
    """What the daemon does with its list: at the start, for a client, and to tidy."""
    desk = JobDesk(
        Store(folder / "jobs.sqlite3", (folder / recovery.DAMAGED).touch),
        Blobs(folder / "blobs"),
        Events(lambda *_: None),
    )
    try:
        await desk.store.call(jobs.sweep)
        await desk.store.call(queries.by_change)
        await hand_in(desk, 1_000)
        for row in await desk.store.call(lambda db: db.execute("SELECT id FROM jobs").fetchall()):
            await desk.record(row["id"])
            await desk.store.call(jobs.frames, row["id"], "in")
            await desk.store.call(queries.log_lines, row["id"])
        await retention.tidy(desk, DaemonSettings())
    finally:
        desk.store.close()


def survives(folder: Path) -> tuple[str, ...]:
    """Start, use, and where damage shows in use start once more; returns what people were told."""
    before = stored(folder)
    told = recovery.prepare(folder)
    try:
        asyncio.run(use(folder))
    except WireError as error:
        assert "is damaged" in error.message and "Restart" in error.hint
        told += recovery.prepare(folder)
        asyncio.run(use(folder))
    assert stored(folder) == before + 1, "all that were there, and the new one"
    assert recovery.prepare(folder) == (), "told once, and whole from now on"
    return told


def roots(path: Path) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(path)) as db:
        return [("the schema", 1), *db.execute("SELECT name, rootpage FROM sqlite_master WHERE rootpage > 0")]


@pytest.mark.parametrize("damage", ["zeros", "noise", "ones"])
def test_every_root_page(damage: str, whole: Path, tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(4_096)
    content = {"zeros": bytes(4_096), "noise": noise, "ones": b"\xff" * 4_096}[damage]
    for name, page in roots(whole / "jobs.sqlite3"):
        folder = Path(shutil.copytree(whole, tmp_path / f"{page}"))
        with (folder / "jobs.sqlite3").open("r+b") as file:
            file.seek((page - 1) * 4_096)
            file.write(content)
        told = survives(folder)
        assert told, f"{name}: what was lost is said"
        assert list(folder.glob("jobs-*.damaged*")), f"{name}: the damaged list is kept"


def truncate(size: int) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with path.open("r+b") as file:
            file.truncate(size)

    return damage


def another_kind(path: Path) -> None:
    path.write_bytes(b"no database" * 1_000)


def without_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.executescript("DROP TABLE frames; DROP TABLE log;")


def without_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 0")


FILES: dict[str, Callable[[Path], None]] = {
    "emptied": truncate(0),
    "gone": Path.unlink,
    "cut in the first page": truncate(1_000),
    "cut after the first page": truncate(4_096),
    "cut in the middle": truncate(5 * 4_096 + 17),
    "another kind of file": another_kind,
    "tables missing": without_tables,
    "version lost": without_version,
}


@pytest.mark.parametrize("kind", FILES)
def test_a_list_that_is_none(kind: str, folder: Path) -> None:
    FILES[kind](folder / "jobs.sqlite3")
    assert survives(folder)


def test_a_whole_list_is_left_alone(folder: Path) -> None:
    assert recovery.prepare(folder) == ()
    with closing(sqlite3.connect(folder / "jobs.sqlite3")) as db:
        assert db.execute("SELECT count(*) FROM jobs").fetchone() == (PICTURES,)


def test_a_list_that_cannot_be_read_is_no_damaged_one(folder: Path) -> None:
    (folder / "jobs.sqlite3").unlink()
    (folder / "jobs.sqlite3").mkdir()
    with pytest.raises((OSError, sqlite3.OperationalError)):
        recovery.prepare(folder)
    assert stored(folder) == PICTURES


def test_the_daemon_starts_and_says_so(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> None:
    state = tmp_path_factory.mktemp("d") / "s"
    folder.rename(state)
    state.chmod(0o700)
    with (state / "jobs.sqlite3").open("r+b") as file:
        file.write(b"\0" * 8_192)
    with RunningDaemon(state) as daemon, daemon.client() as client:
        notices = client.request("status").header["status"]["notices"]
        assert len(notices) == 2 and "jobs-" in notices[0] and "blobs-" in notices[1]
        assert finished(client, submit(client))["state"] == "done"
    assert stored(state) >= PICTURES
