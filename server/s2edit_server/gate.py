"""The door in front of libzmq: strangers are turned away before they cost memory, and nobody sends without end.

libzmq knows one size limit for all that a peer sends, and none for a message's parts: peers without the key can make it
hold their 512 MiB "handshakes" (measured: 1.4 GiB from four of them), and a peer with it a message that never ends.
So connections arrive here. The greeting and the PLAIN credentials (ZMTP 3.1, RFC 37; RFC 24) are read with limits of a
few hundred bytes and two seconds; only then libzmq is told of the connection, and all bytes pass on unchanged, while
the frames' sizes are watched. libzmq asks for the credentials once more: see `auth`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import socket
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from s2edit_wire.limits import HANDSHAKE_TIMEOUT
from s2edit_wire.link import SEND_BUFFER

from .framewalk import Broken, FrameWalk

LOG = logging.getLogger(__name__)
CHUNK = 1024 * 1024
"""Bytes passed on at a time while pixels move: each time costs two switches between processes."""
SMALL = 4 * 1024
"""Bytes of an idle connection's buffer."""
BACKLOG = 512
MAX_HALF_OPEN = 1_024
"""Connections in their handshake; beyond it, new ones are closed at once."""
MAX_OPEN = 1_024
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01" + b"PLAIN".ljust(20, b"\0") + b"\x01" + bytes(31)
"""Signature, version 3.1, mechanism, as-server, filler: RFC 37, section "Greeting"."""
REFUSAL = b"\x04\x0d\x05ERROR\x06denied"


class Gate:
    """The listening socket and the connections that came through it.

    Args:
        username, password: the credentials that are right.
        inner: libzmq's own endpoint, `ipc://…` or `tcp://127.0.0.1:…`.

    Attributes:
        refused: how many connections were turned away.
    """

    def __init__(self, username: str, password: str, inner: str) -> None:
        self._hello = b"\x05HELLO" + _text(username) + _text(password)
        kind, _, place = inner.partition("://")
        self._family = socket.AF_UNIX if kind == "ipc" else socket.AF_INET
        self._inner: str | tuple[str, int] = place if kind == "ipc" else ("127.0.0.1", int(place.rpartition(":")[2]))
        self._listener: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._half_open = self._open = 0
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

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        assert self._listener is not None
        while True:
            try:
                peer, _ = await loop.sock_accept(self._listener)
            except OSError:
                # Out of descriptors: the connections in their handshake give theirs back within two seconds.
                await asyncio.sleep(0.05)
                continue
            if self._half_open >= MAX_HALF_OPEN or self._open >= MAX_OPEN:
                self.refused += 1
                peer.close()
            else:
                _tune(peer)
                self._keep(self._serve(peer))
            # `sock_accept` doesn't yield while connections wait: a crowd of them must not hold up those who talk.
            await asyncio.sleep(0)

    async def _serve(self, peer: socket.socket) -> None:
        with peer:
            self._half_open += 1
            try:
                async with asyncio.timeout(HANDSHAKE_TIMEOUT):
                    greeting, hello = await self._handshake(peer)
                    inner = await self._dial(greeting, hello)
            except (OSError, Broken, TimeoutError):
                self.refused += 1
                return
            finally:
                self._half_open -= 1
            self._open += 1
            try:
                with inner:
                    for each in (peer, inner):
                        each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
                    await _join(peer, inner)
            finally:
                self._open -= 1

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
        if not hmac.compare_digest(body, self._hello):
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


def _text(value: str) -> bytes:
    data = value.encode()
    return bytes([len(data)]) + data


async def _exactly(peer: socket.socket, count: int) -> bytes:
    loop = asyncio.get_running_loop()
    data = b""
    while len(data) < count:
        more = await loop.sock_recv(peer, count - len(data))
        if not more:
            raise Broken("closed")
        data += more
    return data


async def _join(peer: socket.socket, inner: socket.socket) -> None:
    """Pass bytes both ways until one side closes or the peer breaks the limits."""
    ways = [
        asyncio.ensure_future(_pass_on(peer, inner, FrameWalk())),
        asyncio.ensure_future(_pass_on(inner, peer, None)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _pass_on(source: socket.socket, target: socket.socket, walk: FrameWalk | None) -> None:
    loop = asyncio.get_running_loop()
    view = memoryview(bytearray(SMALL))
    while count := await loop.sock_recv_into(source, view):
        if walk is not None:
            walk.feed(view[:count])
        await loop.sock_sendall(target, view[:count])
        # One that moves pixels gets a large buffer, and gives it back: a thousand that once did must not hold a GiB.
        wanted = CHUNK if count >= SMALL else SMALL
        if wanted != len(view):
            view = memoryview(bytearray(wanted))
