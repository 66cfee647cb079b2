"""The socket under a client: connecting, sending and receiving without waiting, and the heartbeat."""

from __future__ import annotations

import os
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence
from itertools import islice

from .auth import plain_credentials
from .connection import START_HINT, Connection
from .errors import ProtocolError, Unreachable
from .limits import HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT
from .zmtp import Buffer, Dealer

READ_SLICE = 0.05
"""Seconds that one `pump` reads on before it lets the caller's event loop have its turn."""
SEND_BUFFER = 4 * 1024 * 1024
"""Bytes asked for in the system's own buffer: with the usual 208 KiB, a picture takes hundreds of process switches."""
NO_SIGNAL: int = getattr(socket, "MSG_NOSIGNAL", 0)
"""A Python that an editor embeds without signal handlers doesn't ignore SIGPIPE: a dead daemon would end the editor."""
GATHER = 16
"""Buffers handed to the system in one call."""
SO_NOSIGPIPE = 0x1022
"""macOS's way to the same end; Python's socket module has no name for it."""
RESTART_HINT = "Try again; if that doesn't help, restart it: s2edit daemon stop"


class Link:
    """A connection to the daemon's socket that speaks ZMTP.

    Args:
        connection: where the daemon listens. Unreachable when nobody does.

    Attributes:
        gone: bytes that the socket has taken so far.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._dealer = Dealer(*plain_credentials(connection.key, connection.user))
        self._heard = self._pinged = self._moved = time.monotonic()
        self.gone = 0
        self._more_to_read = False
        self._socket, self._connecting = _open(connection)

    @property
    def ready(self) -> bool:
        """Whether the ZMTP handshake is over."""
        return self._dealer.ready

    @property
    def messages(self) -> deque[list[Buffer]]:
        """Messages that have arrived, oldest first, to be taken out."""
        return self._dealer.messages

    @property
    def wants_write(self) -> bool:
        """Whether there is something to send that the socket did not take yet."""
        return self._connecting or bool(self._dealer.to_send())

    @property
    def unsent(self) -> int:
        """Bytes that wait for the socket to take them."""
        return sum(len(part) for part in self._dealer.to_send())

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._socket.fileno()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def send(self, parts: Sequence[Buffer]) -> None:
        """Queue a message and send what the socket takes at once; see `Dealer.send`."""
        self._dealer.send(parts)
        self._flush()

    def pump(self) -> None:
        """Receive, answer PINGs, keep the heartbeat, send: all that can be done without waiting.

        Raises:
            Unreachable: the connection is lost, or the peer is none that we can talk to.
        """
        if self._connecting and not self._finish_connecting():
            return
        try:
            self._receive()
        except ProtocolError as error:
            raise Unreachable(f"S²Edit's daemon can't be understood. {error.message}", RESTART_HINT) from error
        if self._dealer.ready:
            self._keep_alive()
        self._flush()

    def wait(self, seconds: float) -> None:
        """Wait until `pump` has something to do, at most `seconds` and at most one second."""
        if not self._more_to_read:
            _wait(self._socket, min(seconds, 1.0), read=not self._connecting, write=self.wants_write)

    def _finish_connecting(self) -> bool:
        if _wait(self._socket, 0, read=False, write=True):
            code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise _nobody(self._connection) from OSError(code, os.strerror(code))
            self._connecting = False
        return not self._connecting

    def _receive(self) -> None:
        until = time.monotonic() + READ_SLICE
        self._more_to_read = True
        while time.monotonic() < until:
            try:
                count = self._socket.recv_into(self._dealer.receive_buffer())
            except (BlockingIOError, InterruptedError):
                self._more_to_read = False
                return
            except OSError as error:
                raise self._lost() from error
            if count == 0:
                raise self._lost()
            self._heard = time.monotonic()
            self._dealer.received(count)

    def _flush(self) -> None:
        queue = self._dealer.to_send()
        while queue and not self._connecting:
            try:
                if sys.platform == "win32":
                    count = self._socket.send(queue[0])
                else:
                    count = self._socket.sendmsg(list(islice(queue, GATHER)), (), NO_SIGNAL)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                raise self._lost() from error
            self._dealer.sent(count)
            self.gone += count
            self._moved = time.monotonic()

    def _keep_alive(self) -> None:
        # Counted from our own PING, not from what was heard last: an editor may have been busy for a minute itself. And
        # from what was sent last: over a slow line, a PING waits behind a picture that takes minutes.
        now = time.monotonic()
        patience = min(self._dealer.peer_ttl or HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT)
        if self._heard >= self._pinged:
            if now - self._heard > HEARTBEAT_INTERVAL:
                self._dealer.ping(HEARTBEAT_TIMEOUT)
                self._pinged = now
        elif now - max(self._pinged, self._moved) > patience:
            raise Unreachable("S²Edit's daemon has stopped answering.", RESTART_HINT)

    def _lost(self) -> Unreachable:
        if self._dealer.ready:
            return Unreachable("The connection to S²Edit was lost.", RESTART_HINT)
        return Unreachable("S²Edit's daemon hung up during the greeting.", RESTART_HINT)


def _wait(waited: socket.socket, seconds: float, *, read: bool, write: bool) -> bool:
    """Whether the socket became readable or writable, or broke, within so many seconds."""
    if sys.platform == "win32":
        ready = select.select([waited] if read else [], [waited] if write else [], [waited], seconds)
        return any(ready)
    poll = select.poll()  # unlike select, it has no limit on the descriptor's number
    poll.register(waited, (select.POLLIN if read else 0) | (select.POLLOUT if write else 0))
    return bool(poll.poll(1_000 * seconds))


def _open(connection: Connection) -> tuple[socket.socket, bool]:
    """A non-blocking socket to the daemon, and whether it is still connecting."""
    port = connection.tcp_port
    opened = socket.socket(socket.AF_UNIX if port is None else socket.AF_INET, socket.SOCK_STREAM)
    try:
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        if sys.platform == "darwin":
            opened.setsockopt(socket.SOL_SOCKET, SO_NOSIGPIPE, 1)
        if port is None:
            opened.connect(connection.socket_path)
        else:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.connect(("127.0.0.1", port))
    except (BlockingIOError, InterruptedError):
        if port is not None:
            return opened, True
        opened.close()
        raise Unreachable("S²Edit's daemon is overrun with connections.", "Try again in a few seconds.") from None
    except OSError as error:
        opened.close()
        raise _nobody(connection) from error
    return opened, False


def _nobody(connection: Connection) -> Unreachable:
    if connection.process_is_gone():
        return Unreachable("S²Edit's daemon has ended unexpectedly.", START_HINT, "stale")
    return Unreachable("S²Edit's daemon can't be reached: nobody listens there.", START_HINT, "stale")
