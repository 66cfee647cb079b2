"""Kinds 13 and 15 of what the field broke: too many connections, and those that know the key and behave badly."""

from __future__ import annotations

import contextlib
import resource
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from s2edit_wire.client import Client
from s2edit_wire.errors import Unreachable
from s2edit_wire.limits import MAGIC
from s2edit_wire.pack import pack
from s2edit_wire.zmtp import frame_head

from tests.fakes.daemon import RunningDaemon, finished, submit
from tests.field.case import Case
from tests.field.daemon.ground import (
    HELD_UP,
    MORE,
    SOON,
    asked,
    daemon_in,
    message,
    pinging,
    request,
    running,
    s2edit,
    sending,
    state_folder,
    verdict,
)

FLOODS: dict[str, bytes] = {
    "empty messages": frame_head(0, 0) * (1 << 20),
    "messages of an empty part more": (frame_head(0, MORE) + frame_head(0, 0)) * (1 << 19),
    "messages without a header": message(MAGIC) * (1 << 18),
    "empty commands": (bytes((4, 6)) + b"\x04PONG\0") * (1 << 18),
    "pings": request(MAGIC, op="ping", id=1) * (1 << 13),
}
HELLOS = 20_000
"""Of one peer: their answers are more than the queues between it and the daemon take."""
UNFINISHED_MIB = 1_024
"""Of unfinished messages of all connections together, which is more than the largest of one (`limits.MAX_MESSAGE`)."""


def cases() -> list[Case]:
    """All of them."""
    held = "^held"
    return [
        *(
            Case(
                "13 half-open connections",
                f"{name}, where the loop has select()",
                partial(_beyond_select, *count),
                held,
            )
            for name, count in {"1,300": (0, 1_300), "300 and as many open ones": (300, 300)}.items()
        ),
        *(
            Case("15 who has the key", f"4 peers, 2 MiB of {kind}", partial(_flood, data), held)
            for kind, data in FLOODS.items()
        ),
        Case("15 who has the key", "2 peers that never read", _never_reading, held),
        Case("15 who has the key", "6 peers, 300 MiB each of endless pictures", _halves, held),
        Case("15 who has the key", "40 clients where 32 descriptors are", _few_descriptors, held),
    ]


@contextlib.contextmanager
def _descriptors(count: int) -> Iterator[None]:
    """So many for this process itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _beyond_select(greeted: int, strangers: int, folder: Path) -> str:
    """Some with the key, then strangers that say nothing, all at once, then a client of ours."""
    state = state_folder(folder)
    daemon = daemon_in(state, module="tests.field.daemon.odd_daemon", environment={"ODD": "select"})
    # The daemon, too, has more descriptors than select() takes: their number is no limit then.
    with _descriptors(4_096), running(daemon), contextlib.ExitStack() as opened:
        for _ in range(greeted):
            with contextlib.suppress(Unreachable):
                opened.enter_context(daemon.client())._linked()
        # From many threads: one alone opens them hardly faster than the daemon's deadline for greetings ends them.
        with ThreadPoolExecutor(8) as threads:
            for one in threads.map(lambda _: _stranger(state), range(strangers)):
                opened.enter_context(one)
        # In a process of its own, whose descriptors have low numbers.
        answered = any(s2edit(state, "daemon", "status").startswith("exit 0") for _ in range(3))
        assert daemon.process is not None
        alive = daemon.process.poll() is None
    said = f"a client gets {'an answer' if answered else 'none'}"
    return verdict(alive and answered, f"the daemon {'lives' if alive else 'has ended'}, {said}")


def _stranger(state: Path) -> socket.socket:
    """Without a deadline: a socket with one is refused where the queue of new connections is full."""
    made = socket.socket(socket.AF_UNIX)
    with contextlib.suppress(OSError):
        made.connect(str(state / "run" / "daemon.sock"))
    return made


def _flood(data: bytes, folder: Path) -> str:
    """They read nothing, while a fifth asks."""
    daemon = daemon_in(state_folder(folder))
    with running(daemon):
        with pinging(daemon) as took, sending(daemon, [data] * 4):
            until = time.monotonic() + HELD_UP
            while time.monotonic() < until:
                time.sleep(0.05)
    return verdict(max(took) < HELD_UP, f"another client waits {max(took):.2f} s at most")


def _never_reading(folder: Path) -> str:
    """They ask for more than their queues take, as themselves and under ever new names."""
    hello = {"op": "hello", "client": "other", "version": "1", "protocol": [1, 1], "nonce": "0" * 64, "id": 1}
    one = request(MAGIC, **hello, client_id="0" * 32) * HELLOS
    many = b"".join(request(MAGIC, **hello, client_id=f"{name:032x}") for name in range(HELLOS))
    daemon, served = daemon_in(state_folder(folder)), 0
    with running(daemon), sending(daemon, [one, many]):
        for _ in range(20):
            with contextlib.suppress(Exception), daemon.client() as client:
                served += asked(client, "ping") == "answered"
    # A machine that is busy with other things lets a greeting or two take too long.
    return verdict(served > 15, f"{served} of 20 others are served")


def _halves(folder: Path) -> str:
    words = pack({"op": "submit", "id": 1})
    start = b"".join(frame_head(len(part), MORE) + part for part in (MAGIC, words)) + frame_head(500 << 20, 0)
    daemon = daemon_in(state_folder(folder))
    with running(daemon):
        before = daemon.memory_mib()
        with daemon.client() as client, sending(daemon, [start + bytes(300 << 20)] * 6):
            peak = _highest(daemon, client)
            done = finished(client, submit(client))["state"]
    more = peak - before
    said = f"{more:,.0f} MiB more at most where {UNFINISHED_MIB:,} may be unfinished, another's job is {done}"
    return verdict(more < UNFINISHED_MIB + 150 and done == "done", said)


def _highest(daemon: RunningDaemon, client: Client) -> float:
    """The daemon's memory, in MiB, once it has not grown for some time: on a loaded machine, much arrives late."""
    peak, grew, began = 0.0, time.monotonic(), time.monotonic()
    while (now := time.monotonic()) - grew < 3 and now - began < 6 * SOON:
        asked(client, "ping")
        memory = daemon.memory_mib()
        if memory > peak + 8:
            peak, grew = memory, now
    return peak


def _few_descriptors(folder: Path) -> str:
    daemon, slowest = daemon_in(state_folder(folder)), 0.0
    daemon.prefix = ["sh", "-c", 'ulimit -n 32; exec "$@"', "sh"]
    with running(daemon), contextlib.ExitStack() as opened:
        for _ in range(40):
            began = time.monotonic()
            with contextlib.suppress(Exception):
                asked(opened.enter_context(daemon.client()), "ping", seconds=2 * SOON)
            slowest = max(slowest, time.monotonic() - began)
            if slowest > SOON:
                break
        assert daemon.process is not None
        alive = daemon.process.poll() is None
    words = f"each is answered or told within {slowest:.1f} s" if slowest < SOON else "one waits on and on"
    return verdict(alive and slowest < SOON, f"{words}, the daemon {'lives' if alive else 'has ended'}")
