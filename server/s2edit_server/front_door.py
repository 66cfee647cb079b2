"""The door in front of libzmq: strangers are turned away before they cost memory, and nobody sends without end.

libzmq knows one size limit for all that a peer sends, and none for a message's parts: peers without the key can make it
hold their 512 MiB "handshakes" (measured: 1.4 GiB from four of them), and a peer with it a message that never ends.
So connections arrive here. The greeting and the PLAIN credentials (ZMTP 3.1, RFC 37; RFC 24) are read with limits of a
few hundred bytes and two seconds; only then libzmq is told of the connection, and all bytes pass on unchanged, while
the frames' sizes are watched, and their number in each turn of the loop. How many there may be and who goes when there
are more: see `connection_limits`. libzmq asks for the credentials once more: see `auth`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from s2edit_wire.limits import HANDSHAKE_TIMEOUT
from s2edit_wire.link import SEND_BUFFER

from .connection_limits import Connection, Connections, room
from .framewalk import Broken, FrameWalk, pong
from .painters import Admits

LOG = logging.getLogger(__name__)
CHUNK = 1024 * 1024
"""Bytes passed on at a time while pixels move: each time costs two switches between processes."""
SMALL = 4 * 1024
"""Bytes passed on at a time otherwise: some thousand frames at most, before the loop gets its turn."""
BACKLOG = 512
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01" + b"PLAIN".ljust(20, b"\0") + b"\x01" + bytes(31)
"""Signature, version 3.1, mechanism, as-server, filler: RFC 37, section "Greeting"."""
HELLO = b"\x05HELLO"
REFUSAL = b"\x04\x0d\x05ERROR\x06denied"


class FrontDoor:
    """The listening socket and the connections that came through it.

    Args:
        admits: says which credentials are right.
        inner: libzmq's own endpoint, `ipc://…` or `tcp://127.0.0.1:…`.
        descriptors: how many this process can have open and watched; see `connection_limits.capacity`.
        used: how many are open before there is a connection.

    Attributes:
        refused: how many connections were turned away.
    """

    def __init__(self, admits: Admits, inner: str, descriptors: int = 4_096, used: int = 0) -> None:
        self._admits = admits
        kind, _, place = inner.partition("://")
        self._family = socket.AF_UNIX if kind == "ipc" else socket.AF_INET
        self._inner: str | tuple[str, int] = place if kind == "ipc" else ("127.0.0.1", int(place.rpartition(":")[2]))
        self._listener: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = Connections(*room(descriptors, used))
        self.refused = 0

    def bind(self, path: Path | None) -> str:
        """Listen on a Unix socket, or without a path on a loopback port; returns the endpoint. Raises OSError."""
        if path is not None:
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(str(path))
            endpoint = f"ipc://{path}"
        else:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.bind(("127.0.0.1", 0))
            endpoint = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        listener.listen(BACKLOG)
        listener.setblocking(False)
        self._listener = listener
        return endpoint

    def start(self) -> None:
        """Begin to accept."""
        self._keep(self._accept())

    async def stop(self) -> None:
        """Close everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()

    def _keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        assert self._listener is not None
        while True:
            try:
                peer, _ = await loop.sock_accept(self._listener)
            except OSError:
                # Out of descriptors, and others have them: more than one may have to go.
                self.connections.drop_one()
                await asyncio.sleep(0.05)
                continue
            _tune(peer)
            self._keep(self._serve(peer))
            # `sock_accept` doesn't yield while connections wait: a crowd of them must not hold up those who talk.
            await asyncio.sleep(0)

    async def _serve(self, peer: socket.socket) -> None:
        task = asyncio.current_task()
        assert task is not None
        connection, entered = Connection(task), False
        with peer:
            self.connections.arrive(connection)
            try:
                async with asyncio.timeout(HANDSHAKE_TIMEOUT):
                    greeting, hello = await self._handshake(peer)
                    inner = await self._dial(greeting, hello)
                self.connections.enter(connection)
                entered = True
                with inner:
                    for each in (peer, inner):
                        each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
                    await _join(peer, inner, self.connections, connection)
            except (OSError, Broken, TimeoutError):
                pass
            finally:
                self.refused += not entered
                self.connections.leave(connection)

    async def _handshake(self, peer: socket.socket) -> tuple[bytes, bytes]:
        """(greeting, HELLO frame) of a peer that knows the credentials; raises Broken for all others."""
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(peer, GREETING)
        greeting = await _exactly(peer, len(GREETING))
        if greeting[0] != 0xFF or greeting[9] != 0x7F or greeting[10] < 3 or greeting[12:32] != GREETING[12:32]:
            raise Broken("not ZMTP 3 with PLAIN")
        head = await _exactly(peer, 2)
        if head[0] != 0x04:
            raise Broken("no HELLO")
        body = await _exactly(peer, head[1])
        if not self._admits(*_credentials(body)):
            with contextlib.suppress(OSError):
                await loop.sock_sendall(peer, REFUSAL)
            raise Broken("wrong credentials")
        return greeting, head + body

    async def _dial(self, greeting: bytes, hello: bytes) -> socket.socket:
        """A connection to libzmq that has heard what the peer said so far."""
        loop = asyncio.get_running_loop()
        inner = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            _tune(inner)
            await loop.sock_connect(inner, self._inner)
            await loop.sock_sendall(inner, greeting)
            await _exactly(inner, len(GREETING))
            await loop.sock_sendall(inner, hello)
        except BaseException:
            inner.close()
            raise
        return inner


def _tune(connection: socket.socket) -> None:
    connection.setblocking(False)
    if connection.family == socket.AF_INET:
        # Else the answer to a small request waits for the acknowledgement of the one before.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _credentials(body: bytes) -> tuple[bytes, bytes]:
    """User name and password of a HELLO (RFC 24); raises Broken."""
    start, parts = len(HELLO), list[bytes]()
    for _ in range(2):
        size = body[start] if start < len(body) else 0
        parts.append(body[start + 1 : start + 1 + size])
        start += 1 + size
    if not body.startswith(HELLO) or start != len(body):
        raise Broken("no HELLO")
    return parts[0], parts[1]


async def _exactly(peer: socket.socket, count: int) -> bytes:
    loop = asyncio.get_running_loop()
    data = b""
    while len(data) < count:
        more = await loop.sock_recv(peer, count - len(data))
        if not more:
            raise Broken("closed")
        data += more
    return data


async def _join(peer: socket.socket, inner: socket.socket, connections: Connections, connection: Connection) -> None:
    """Pass bytes both ways until one side closes or the peer breaks the limits."""
    out = _Out(peer)
    ways = [
        asyncio.ensure_future(_pass_in(peer, inner, connections, connection, out)),
        asyncio.ensure_future(_pass_out(inner, out)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


class _Out:
    """What goes to the peer: libzmq's bytes, and between two of its messages our answers to heartbeats."""

    def __init__(self, peer: socket.socket) -> None:
        self._peer, self._walk, self._lock = peer, FrameWalk(), asyncio.Lock()
        self._pongs = bytearray()

    async def pass_on(self, data: memoryview) -> int:
        """Bytes of the present frame that are still to come."""
        async with self._lock:
            self._walk.feed(data)
            await asyncio.get_running_loop().sock_sendall(self._peer, data)
            await self._answer()
            return self._walk.left

    async def answer(self, pings: list[bytes]) -> None:
        for context in pings:
            self._pongs += pong(context)
        async with self._lock:
            await self._answer()

    async def _answer(self) -> None:
        if self._pongs and self._walk.between:
            answers, self._pongs = bytes(self._pongs), bytearray()
            await asyncio.get_running_loop().sock_sendall(self._peer, answers)


async def _pass_in(
    peer: socket.socket, inner: socket.socket, connections: Connections, connection: Connection, out: _Out
) -> None:
    """What the peer sends, followed frame by frame."""
    loop, walk = asyncio.get_running_loop(), FrameWalk(client=True)
    view = memoryview(bytearray(SMALL))
    while count := await loop.sock_recv_into(peer, view):
        pieces = walk.feed(view[:count])
        await connections.hold(connection, walk.unfinished)
        await loop.sock_sendall(inner, pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if walk.pings:
            await out.answer(walk.pings)
            walk.pings.clear()
        # `sock_recv_into` doesn't yield while bytes wait: one who sends without end must not hold up the others.
        await asyncio.sleep(0)
        # Only within a large frame is the buffer large too: what is read has no more frames than fit a small one.
        view = _sized(view, CHUNK if walk.left >= CHUNK else SMALL)


async def _pass_out(inner: socket.socket, out: _Out) -> None:
    """What libzmq sends."""
    loop = asyncio.get_running_loop()
    view = memoryview(bytearray(SMALL))
    while count := await loop.sock_recv_into(inner, view):
        left = await out.pass_on(view[:count])
        await asyncio.sleep(0)
        view = _sized(view, CHUNK if left >= CHUNK else SMALL)


def _sized(view: memoryview, wanted: int) -> memoryview:
    """A buffer of this size. Large ones are given back: a thousand connections that had one must not hold a GiB."""
    return view if len(view) == wanted else memoryview(bytearray(wanted))
