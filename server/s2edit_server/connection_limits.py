"""How many connections there may be, how much of them may be unfinished, and who goes when there are more.

Who has the key is bounded too: an editor's plug-in may be at fault, and a program of the user's may be malicious.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from s2edit_wire.limits import MAX_MESSAGE

MOST = 1_024
"""Connections in their handshake, and open ones, however many descriptors there are."""
RESERVE = 64
"""Descriptors for the database, logs, files and worker."""
SLACK = 8
"""What has to be free at least: libzmq ends the process when it can't accept, and closes its end of a connection only a
moment after that was hung up on."""
EACH = 3
"""Descriptors of an open connection: the peer's, the one to libzmq, and libzmq's own end of that."""
MAX_UNFINISHED = 1024 * 1024 * 1024
"""Bytes of unfinished messages of all connections together; libzmq holds them until their last frame is there."""
STALLED = 5.0
"""Seconds without a byte after which an unfinished message makes room for others."""
assert MAX_UNFINISHED > MAX_MESSAGE


def capacity(selector: selectors.BaseSelector) -> int:
    """How many descriptors this process can have open and watched by the loop's selector."""
    limit = sys.maxsize
    if sys.platform != "win32":
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        limit = sys.maxsize if soft == resource.RLIM_INFINITY else soft
    if isinstance(selector, selectors.SelectSelector):
        # FD_SETSIZE: on Windows how many there are, as CPython builds it; elsewhere how high their numbers may be.
        limit = min(limit, 512 if sys.platform == "win32" else 1_024)
    return limit


def opened() -> int:
    """How many descriptors this process has open; 0 where the system doesn't tell."""
    try:
        return sum(1 for _ in Path("/dev/fd").iterdir())
    except OSError:
        return 0


def room(descriptors: int, used: int = 0) -> tuple[int, int]:
    """(connections in their handshake, open ones) that so many descriptors allow; at least one of each.

    Args:
        used: how many are open before there is a connection.
    """
    left = descriptors - max(min(RESERVE, descriptors // 2), used + SLACK)
    half_open = max(1, min(MOST, left // 4))
    return half_open, max(1, min(MOST, (left - half_open) // EACH))


@dataclass(eq=False)
class Connection:
    """One connection.

    Args:
        task: what serves it; cancelled, it hangs up.

    Attributes:
        unfinished: bytes of its message under way that were passed on. waiting: whether it waits to pass on more.
        heard: when its last byte came, by the monotonic clock.
    """

    task: asyncio.Task[None]
    unfinished: int = 0
    waiting: bool = False
    heard: float = field(default_factory=time.monotonic)


class Connections:
    """All connections.

    Args:
        half_open, open_: how many there may be of each kind; see `room`.
    """

    def __init__(self, half_open: int, open_: int) -> None:
        self._most_half_open, self._most_open = half_open, open_
        self._half_open: dict[Connection, None] = {}
        self._open: dict[Connection, None] = {}
        self._freed = asyncio.Event()
        self._unfinished = 0

    def arrive(self, connection: Connection) -> None:
        """One more in its handshake. When there are too many, the oldest goes: a new one may be a client of ours."""
        if len(self._half_open) >= self._most_half_open:
            self.drop(next(iter(self._half_open)))
        self._half_open[connection] = None

    def enter(self, connection: Connection) -> None:
        """The handshake is over. When too many are open, the one that was silent longest goes: ours send heartbeats."""
        self._half_open.pop(connection, None)
        if len(self._open) >= self._most_open:
            self.drop(min(self._open, key=lambda one: one.heard))
        self._open[connection] = None

    def drop(self, connection: Connection) -> None:
        """Hang up on it."""
        connection.task.cancel()
        self.leave(connection)

    def drop_one(self) -> None:
        """Hang up on whoever is missed least: descriptors have run out."""
        if self._half_open:
            self.drop(next(iter(self._half_open)))
        elif self._open:
            self.drop(min(self._open, key=lambda one: one.heard))

    def leave(self, connection: Connection) -> None:
        """It has hung up; harmless when it was dropped."""
        self._half_open.pop(connection, None)
        self._open.pop(connection, None)
        self._note(connection, 0)

    @property
    def half_open(self) -> int:
        """Connections in their handshake."""
        return len(self._half_open)

    async def hold(self, connection: Connection, size: int) -> None:
        """Note that `size` bytes of the connection's message are unfinished; waits while others have too many of them.

        When nobody gets on, room is made: by the message that got no byte for longest, else by the youngest connection.
        Raises ConnectionError when the connection itself was dropped meanwhile.
        """
        connection.heard = time.monotonic()
        if size > connection.unfinished and self._too_much(connection, size):
            connection.waiting = True
            try:
                await self._wait(connection, size)
            finally:
                connection.waiting = False
        self._note(connection, size)

    async def _wait(self, connection: Connection, size: int) -> None:
        while self._too_much(connection, size):
            self._freed.clear()
            try:
                async with asyncio.timeout(STALLED):
                    await self._freed.wait()
            except TimeoutError:
                if connection in self._open:
                    self._make_room()
            if connection not in self._open:
                raise ConnectionError("dropped")

    def _make_room(self) -> None:
        now = time.monotonic()
        holding = [one for one in self._open if one.unfinished]
        stalled = [one for one in holding if not one.waiting and now - one.heard >= STALLED]
        if stalled:
            self.drop(min(stalled, key=lambda one: one.heard))
        elif all(one.waiting for one in holding):
            self.drop(holding[-1])

    def _note(self, connection: Connection, size: int) -> None:
        self._unfinished += size - connection.unfinished
        freed, connection.unfinished = size < connection.unfinished, size
        if freed:
            self._freed.set()

    def _too_much(self, connection: Connection, size: int) -> bool:
        return self._unfinished - connection.unfinished + size > MAX_UNFINISHED
