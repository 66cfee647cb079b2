"""Follows ZMTP frames through a stream of bytes, takes heartbeats out, and stops at the first that is too much."""

from __future__ import annotations

from s2edit_wire.limits import MAX_FRAME, MAX_FRAMES, MAX_HEADER, MAX_MESSAGE

MORE, LONG, COMMAND = 0x01, 0x02, 0x04
MAX_COMMAND = 1_024
"""Bytes of one command: INITIATE's metadata is the longest."""

MAX_CONTEXT = 16
"""Bytes of a PING's context, which its PONG repeats (RFC 37)."""
PING, PONG = b"\x04PING", b"\x04PONG"
INITIATE = b"\x08INITIATE"


class Broken(Exception):
    """The peer is no client of ours, or over a limit."""


class FrameWalk:
    """One connection's frames, from the first one after HELLO on (RFC 37, section "Framing").

    A message has the framing mark, a header and pixel frames; each has its own limit, and so has their sum. The limits
    leave some room over the wire's own, so that a clumsy client gets an error in words and only abuse gets the door.

    Heartbeats are taken out: libzmq aborts the process when it is to write to a connection that broke while its input
    was full (`Assertion failed: !_io_error`), and a PING makes it write.

    Args:
        client: whether the peer is a client, whose first command has to be an INITIATE that leaves its routing id to
            libzmq: whoever chose another's could be sent what is meant for that one.

    Attributes:
        left: bytes of the present frame that are still to come.
        pings: contexts of the PINGs that were taken out, to be answered and removed.
    """

    def __init__(self, *, client: bool = False) -> None:
        self._uninitiated = client
        self.left = 0
        self.pings: list[bytes] = []
        self._head = bytearray()
        self._command: bytearray | None = None
        self._part = 0
        self._message = self._whole = 0
        self._last = True

    @property
    def unfinished(self) -> int:
        """Bytes so far of the message under way; 0 between two messages."""
        if self._command is not None:
            return 0
        return (self._whole if self._last else self._message) - self.left if self.left or not self._last else 0

    @property
    def between(self) -> bool:
        """Whether the next byte begins a message or a command."""
        return self._last and not self.left and not self._head

    def feed(self, data: memoryview) -> list[memoryview | bytes]:
        """Look at the next bytes; returns what is to be passed on. Raises Broken. Costs nothing per byte of a frame."""
        place, out = 0, list[memoryview | bytes]()
        while place < len(data):
            if self.left:
                step = min(self.left, len(data) - place)
                self.left -= step
                piece = data[place : place + step]
                place += step
                if self._command is None:
                    out.append(piece)
                    continue
                self._command += piece
            else:
                # 1 byte of flags, then the size in 1 or 8 bytes.
                wanted = 2 if not self._head or not self._head[0] & LONG else 9
                step = min(wanted - len(self._head), len(data) - place)
                self._head += data[place : place + step]
                place += step
                if len(self._head) < (9 if self._head[0] & LONG else 2):
                    continue
                head = bytes(self._head)
                self._head.clear()
                self._frame(head[0], int.from_bytes(head[1:], "big"))
                if not head[0] & COMMAND:
                    out.append(head)
                    continue
                self._command = bytearray(head)
            if not self.left:
                out += self._finish_command()
        return out

    def _finish_command(self) -> list[bytes]:
        assert self._command is not None
        command, self._command = bytes(self._command), None
        body = command[9 if command[0] & LONG else 2 :]
        if self._uninitiated:
            _check_initiate(body)
            self._uninitiated = False
        if body.startswith(PING):
            if not len(PING) + 2 <= len(body) <= len(PING) + 2 + MAX_CONTEXT:
                raise Broken("a PING that is none")
            self.pings.append(body[len(PING) + 2 :])
            return []
        return [] if body.startswith(PONG) else [command]

    def _frame(self, flags: int, size: int) -> None:
        if flags & COMMAND:
            if size > MAX_COMMAND:
                raise Broken(f"a command of {size} bytes")
            self.left = size
            return
        if self._uninitiated:
            raise Broken("a message before INITIATE")
        limit = (MAX_COMMAND, 2 * MAX_HEADER)[self._part] if self._part < 2 else MAX_FRAME
        if size > limit or self._part >= 2 * (MAX_FRAMES + 2):
            raise Broken(f"part {self._part} of {size} bytes")
        self._message += size
        if self._message > MAX_MESSAGE:
            raise Broken(f"a message of {self._message} bytes")
        self.left = size
        self._last = not flags & MORE
        self._part = 0 if self._last else self._part + 1
        if self._last:
            self._whole, self._message = self._message, 0


def _check_initiate(body: bytes) -> None:
    """Raise Broken unless that is an INITIATE without a routing id (RFC 37, "Metadata"; names know no case)."""
    if not body.startswith(INITIATE):
        raise Broken("no INITIATE")
    rest = body[len(INITIATE) :]
    while rest:
        name, rest = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
        size = int.from_bytes(rest[:4], "big")
        if len(rest) < 4 + size or (name.lower() == b"identity" and size):
            raise Broken("metadata that names a routing id, or is none")
        rest = rest[4 + size :]


def pong(context: bytes) -> bytes:
    """The command that answers a PING."""
    body = PONG + context
    return bytes((COMMAND, len(body))) + body
