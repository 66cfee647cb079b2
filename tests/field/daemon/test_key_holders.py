"""Who has the key is bounded too: nobody holds up the loop, locks others out, or fills the memory with halves."""

import asyncio
import contextlib
import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from s2edit_server import crowd
from s2edit_server.crowd import Crowd, Line
from s2edit_server.framewalk import COMMAND, MORE, FrameWalk
from s2edit_wire.client import Client
from s2edit_wire.limits import MAGIC
from s2edit_wire.pack import pack
from s2edit_wire.zmtp import frame_head

from tests.fakes.daemon import RunningDaemon, finished, submit

HELD_UP = 1.5
"""Seconds that a ping may take on a loaded machine; the attacks made it 2 to 13 on one that was not."""


@pytest.fixture(scope="module")
def daemon() -> Iterator[RunningDaemon]:
    with tempfile.TemporaryDirectory(prefix="s2-") as name, RunningDaemon(Path(name) / "s") as running:
        yield running


@contextlib.contextmanager
def greeted(daemon: RunningDaemon, count: int) -> Iterator[list[socket.socket]]:
    """Connections that know the key and have said hello; whoever gets them speaks for itself."""
    with contextlib.ExitStack() as opened:
        lines = []
        for _ in range(count):
            client = opened.enter_context(Client("other", "1", daemon.folder))
            lines.append(client._linked()._socket)
            lines[-1].settimeout(0.2)
        yield lines


def send(line: socket.socket, data: bytes, stop: threading.Event) -> None:
    """Send it, as far as the daemon takes it, until told to stop."""
    left = memoryview(data)
    while left and not stop.is_set():
        with contextlib.suppress(TimeoutError):
            try:
                left = left[line.send(left[: 1 << 20]) :]
            except ConnectionError:
                return


@contextlib.contextmanager
def sending(daemon: RunningDaemon, peers: Sequence[bytes]) -> Iterator[None]:
    """As many peers as there are texts: each sends its own, and reads nothing."""
    stop = threading.Event()
    with greeted(daemon, len(peers)) as lines:
        threads = [
            threading.Thread(target=send, args=(line, data, stop)) for line, data in zip(lines, peers, strict=True)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def message(*parts: bytes) -> bytes:
    return b"".join(
        frame_head(len(part), MORE if place < len(parts) - 1 else 0) + part for place, part in enumerate(parts)
    )


def test_peers_that_never_read_lock_nobody_out(daemon: RunningDaemon) -> None:
    """They ask for more than their queues take, as itself and under ever new names; others are served meanwhile."""
    hello = {"op": "hello", "client": "other", "version": "1", "protocol": [1, 1], "nonce": "0" * 64, "id": 1}
    one = message(MAGIC, pack({**hello, "client_id": "0" * 32})) * 2_000
    many = b"".join(message(MAGIC, pack({**hello, "client_id": f"{name:032x}"})) for name in range(2_000))
    with sending(daemon, [one, many]):
        for _ in range(20):
            with daemon.client() as client:
                client.request("ping", {}, timeout=10)
        with daemon.client() as client:
            assert finished(client, submit(client))["state"] == "done"


def test_halves_of_messages_are_counted_together(daemon: RunningDaemon) -> None:
    """Six peers send 300 MiB each of a picture that never ends: memory stays under the bound, and others are served."""
    header = pack({"op": "submit", "id": 1})
    start = frame_head(len(MAGIC), MORE) + MAGIC + frame_head(len(header), MORE) + header + frame_head(500 << 20, 0)
    before = peak = daemon.memory_mib()
    with sending(daemon, [start + bytes(300 << 20)] * 6), daemon.client() as client:
        until = time.monotonic() + 5
        while time.monotonic() < until:
            client.request("ping", {}, timeout=10)
            peak = max(peak, daemon.memory_mib())
        assert finished(client, submit(client))["state"] == "done"
    assert (crowd.MAX_UNFINISHED >> 20) / 2 < peak - before < (crowd.MAX_UNFINISHED >> 20) + 150


FLOODS: dict[str, bytes] = {
    "empty messages": frame_head(0, 0) * (1 << 20),
    "messages of an empty part more": (frame_head(0, MORE) + frame_head(0, 0)) * (1 << 19),
    "messages without a header": message(MAGIC) * (1 << 18),
    "empty commands": (bytes((COMMAND, 6)) + b"\x04PONG\0") * (1 << 18),
    "pings": message(MAGIC, pack({"op": "ping", "id": 1})) * (1 << 13),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_of_small_frames_holds_up_nobody(kind: str, daemon: RunningDaemon) -> None:
    """Four peers send 2 MiB of them and read nothing, while a fifth asks and is answered."""
    with daemon.client() as client, sending(daemon, [FLOODS[kind]] * 4):
        slowest, asked = 0.0, 0
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            began = time.monotonic()
            client.request("ping", {}, timeout=20)
            slowest, asked = max(slowest, time.monotonic() - began), asked + 1
    assert asked > 1 and slowest < HELD_UP


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


async def line() -> Line:
    async def live() -> None:
        await asyncio.Event().wait()

    return Line(asyncio.create_task(live()))


def crowded(monkeypatch: pytest.MonkeyPatch, run: Callable[[Crowd], object]) -> None:
    monkeypatch.setattr(crowd, "MAX_UNFINISHED", 100)
    monkeypatch.setattr(crowd, "STALLED", 0.02)

    async def main() -> None:
        await run(Crowd(3, 3))  # type: ignore[misc]

    asyncio.run(main())


def test_the_stalled_message_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(all_of_them: Crowd) -> None:
        stalled, other = await line(), await line()
        for one in (stalled, other):
            all_of_them.enter(one)
        await all_of_them.hold(stalled, 90)
        await asyncio.wait_for(all_of_them.hold(other, 50), 5)
        await asyncio.gather(stalled.task, return_exceptions=True)
        assert stalled.task.cancelled() and not other.task.done()

    crowded(monkeypatch, run)


def test_of_two_that_wait_for_each_other_the_younger_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(all_of_them: Crowd) -> None:
        older, younger = await line(), await line()
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
    async def run(all_of_them: Crowd) -> None:
        waiting = [await line() for _ in range(5)]
        for one in waiting:
            all_of_them.arrive(one)
        open_ = [await line() for _ in range(4)]
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
    half_open, open_ = crowd.room(descriptors)
    assert half_open >= 1 and open_ >= 1
    assert half_open + crowd.EACH * open_ <= descriptors


SELECT = """
import asyncio, resource, selectors, socket, sys, tempfile
from pathlib import Path
from s2edit_server.crowd import capacity
from s2edit_server.gate import GREETING, Gate
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))

async def main(selector):
    with tempfile.TemporaryDirectory(prefix="s2g-") as name:
        path = Path(name) / "s"
        gate = Gate("user", "password", f"ipc://{name}/inner", capacity(selector))
        gate.bind(path)
        gate.start()
        print("ready", path, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        await gate.stop()

selector = selectors.SelectSelector()
with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
    runner.run(main(selector))
"""


def test_a_crowd_beyond_select_ends_nothing() -> None:
    """Windows' loop watches with select(), which fails from FD_SETSIZE on; so does this system's."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_096, hard), hard))
    assert isinstance(selectors.SelectSelector(), selectors.BaseSelector)
    gate = subprocess.Popen([sys.executable, "-c", SELECT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert gate.stdin is not None and gate.stdout is not None
        path = gate.stdout.readline().split()[1]
        with contextlib.ExitStack() as opened:
            for _ in range(1_300):
                opened.enter_context(socket.socket(socket.AF_UNIX)).connect(path)
            newest = opened.enter_context(socket.socket(socket.AF_UNIX))
            newest.connect(path)
            newest.settimeout(20)
            assert newest.recv(10)[:1] == b"\xff", "the newest is greeted"
        gate.stdin.write("\n")
        gate.stdin.close()
        assert gate.wait(20) == 0
    finally:
        gate.kill()
        if gate.stdout is not None:
            gate.stdout.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_with_few_descriptors_clients_are_told_soon() -> None:
    """32 descriptors are few: whoever gets in is answered, and who does not is told within seconds."""
    with tempfile.TemporaryDirectory(prefix="s2-") as name:
        daemon = RunningDaemon(Path(name) / "s")
        daemon.prefix = ["sh", "-c", 'ulimit -n 32; exec "$@"', "sh"]
        with daemon, contextlib.ExitStack() as opened:
            for _ in range(40):
                began = time.monotonic()
                with contextlib.suppress(Exception):
                    opened.enter_context(daemon.client()).request("ping", {}, timeout=5)
                assert time.monotonic() - began < 10
            assert daemon.process is not None and daemon.process.poll() is None
        assert "Traceback" not in daemon.errors()
