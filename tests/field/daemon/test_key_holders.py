"""Who has the key is bounded too: nobody holds up the loop, locks others out, or fills the memory with halves."""

import asyncio
import sys
from collections.abc import Callable

import pytest
from s2edit_server import connection_limits as limits
from s2edit_server.connection_limits import Connection, Connections
from s2edit_server.framewalk import COMMAND, MORE, FrameWalk
from s2edit_wire.zmtp import frame_head

from tests.field.daemon.crowds import UNFINISHED_MIB


def test_unfinished_bytes_are_known() -> None:
    walk = FrameWalk()
    seen = []
    for data in (
        frame_head(4, MORE) + b"1234",
        frame_head(9, 0) + b"12",
        b"3456789",
        bytes((COMMAND, 6)) + b"\x04",
        b"PONG\0",
    ):
        walk.feed(memoryview(data))
        seen.append(walk.unfinished)
    assert seen == [4, 6, 0, 0, 0]


def test_what_may_be_unfinished_is_what_the_attack_measures_by() -> None:
    assert limits.MAX_UNFINISHED == UNFINISHED_MIB << 20


async def connection() -> Connection:
    async def live() -> None:
        await asyncio.Event().wait()

    return Connection(asyncio.create_task(live()))


def crowded(monkeypatch: pytest.MonkeyPatch, run: Callable[[Connections], object]) -> None:
    monkeypatch.setattr(limits, "MAX_UNFINISHED", 100)
    monkeypatch.setattr(limits, "STALLED", 0.02)

    async def main() -> None:
        await run(Connections(3, 3))  # type: ignore[misc]

    asyncio.run(main())


def test_the_stalled_message_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(all_of_them: Connections) -> None:
        stalled, other = await connection(), await connection()
        for one in (stalled, other):
            all_of_them.enter(one)
        await all_of_them.hold(stalled, 90)
        await asyncio.wait_for(all_of_them.hold(other, 50), 5)
        await asyncio.gather(stalled.task, return_exceptions=True)
        assert stalled.task.cancelled() and not other.task.done()

    crowded(monkeypatch, run)


def test_of_two_that_wait_for_each_other_the_younger_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(all_of_them: Connections) -> None:
        older, younger = await connection(), await connection()
        for one in (older, younger):
            all_of_them.enter(one)
            await all_of_them.hold(one, 50)
        waits = [asyncio.create_task(all_of_them.hold(one, 60)) for one in (older, younger)]
        await asyncio.gather(younger.task, return_exceptions=True)
        await asyncio.wait_for(waits[0], 5)
        assert younger.task.cancelled() and not older.task.done()
        with pytest.raises(ConnectionError):
            await waits[1]

    crowded(monkeypatch, run)


def test_the_oldest_in_its_handshake_goes_and_the_most_silent_open_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(all_of_them: Connections) -> None:
        waiting = [await connection() for _ in range(5)]
        for one in waiting:
            all_of_them.arrive(one)
        open_ = [await connection() for _ in range(4)]
        for one in open_[:3]:
            all_of_them.enter(one)
        await all_of_them.hold(open_[0], 0)
        all_of_them.enter(open_[3])
        await asyncio.sleep(0)
        assert [one.task.cancelled() for one in waiting] == [True, True, False, False, False]
        assert [one.task.cancelled() for one in open_] == [False, True, False, False]

    crowded(monkeypatch, run)


@pytest.mark.parametrize("descriptors", [16, 32, 64, 256, 512, 1_024, 4_096, sys.maxsize])
def test_connections_fit_the_descriptors(descriptors: int) -> None:
    half_open, open_ = limits.room(descriptors)
    assert half_open >= 1 and open_ >= 1
    assert half_open + limits.EACH * open_ <= descriptors


@pytest.mark.parametrize(("used", "fits"), [(0, True), (15, True), (21, True), (27, True), (28, False), (40, False)])
def test_what_a_daemon_has_open_already_is_left_to_it(used: int, fits: bool) -> None:
    """Of 32; where nothing is left, one client is let in all the same."""
    half_open, open_ = limits.room(32, used)
    assert half_open >= 1 and open_ >= 1
    assert (used + half_open + limits.EACH * open_ < 32) == fits
    assert limits.room(32, used) <= limits.room(32) and limits.room(4_096, used) == limits.room(4_096)


SELECT = """
import asyncio, resource, selectors, socket, sys, tempfile
from pathlib import Path
from s2edit_server.connection_limits import capacity
from s2edit_server.front_door import GREETING, FrontDoor
from s2edit_server.painters import only
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))

async def main(selector):
    with tempfile.TemporaryDirectory(prefix="s2g-") as name:
        path = Path(name) / "s"
        gate = FrontDoor(only("user", "password"), f"ipc://{name}/inner", capacity(selector))
        gate.bind(path)
        gate.start()
        print("ready", path, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        await gate.stop()

selector = selectors.SelectSelector()
with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
    runner.run(main(selector))
"""
