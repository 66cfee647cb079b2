"""The listening socket: a ROUTER with every limit that libzmq has, drained by the event loop, never blocking it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

import zmq
from s2edit_wire.limits import HANDSHAKE_TIMEOUT, MAX_FRAME
from s2edit_wire.link import SEND_BUFFER

from .envelope import Pixels

LOG = logging.getLogger(__name__)
TURN_S = 0.002
"""Seconds for which messages are taken before the event loop gets its turn again."""
RECEIVE_QUEUE = 4
"""Messages that libzmq may hold per peer before it stops reading from it: each may be hundreds of MiB."""
SEND_QUEUE = 256

Take = Callable[[bytes, str, Sequence[zmq.Frame]], None]


class Router:
    """The ROUTER socket.

    Args:
        context: its context.
        take: called with (identity, user, the other parts) of every message; must not block.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], take: Take) -> None:
        self._take = take
        self._scheduled = False
        socket = self._socket = context.socket(zmq.ROUTER)
        socket.linger = 500
        socket.plain_server = True
        socket.router_mandatory = True
        socket.maxmsgsize = MAX_FRAME
        socket.sndbuf = SEND_BUFFER
        socket.rcvhwm = RECEIVE_QUEUE
        socket.sndhwm = SEND_QUEUE
        socket.handshake_ivl = int(HANDSHAKE_TIMEOUT * 1_000)
        # No heartbeats of libzmq's own: they abort the process, see `framewalk`. `front_door` answers clients'.
        socket.backlog = 256

    def bind(self, endpoint: str) -> str:
        """Listen; returns the endpoint with the port that was given. Raises zmq.ZMQError."""
        self._socket.bind(endpoint)
        return bytes(self._socket.getsockopt(zmq.LAST_ENDPOINT)).rstrip(b"\0").decode()

    def start(self) -> None:
        """Begin to take messages."""
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._drain)
        self._drain()

    def close(self) -> None:
        """Stop; answers under way get half a second."""
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()

    def send(self, parts: Sequence[Pixels]) -> bool:
        """Send a message whose first part is the identity; False when the peer's queue is full.

        Raises ConnectionError when the peer is gone.
        """
        try:
            self._socket.send_multipart(parts, zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            if error.errno == zmq.EHOSTUNREACH:
                raise ConnectionError from error
            raise
        finally:
            self._drain_soon()
        return True

    def _drain_soon(self) -> None:
        # libzmq's descriptor signals once per change, and sending may swallow that signal: look again after each send.
        if not self._scheduled and not self._socket.closed:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._drain)

    def _drain(self) -> None:
        self._scheduled = False
        if self._socket.closed:
            return
        until = time.monotonic() + TURN_S
        while time.monotonic() < until:
            try:
                message = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            self._take(message[0].bytes, _user(message), message[1:])
        self._drain_soon()


def _user(message: Sequence[zmq.Frame]) -> str:
    """Whose connection that came over, as the authenticator said (RFC 27); "" is nobody."""
    try:
        return str(message[-1].get("User-Id"))
    except zmq.ZMQError:
        return ""
