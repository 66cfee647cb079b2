"""ZMTP 3.1 for one DEALER, without a socket: bytes in, messages out, and the other way round.

Specifications: ZMTP 3.1 (RFC 37) and the PLAIN mechanism (RFC 24). Large frames are received straight into one buffer
of their size and sent from the caller's memory, so that a picture is never copied on its way through here.
"""

from __future__ import annotations

import mmap
import struct
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from .errors import ProtocolError, Unreachable
from .limits import MAX_COMMAND, MAX_FRAME, MAX_FRAMES, MAX_HEADER, MAX_MESSAGE

MORE, LONG, COMMAND = 1, 2, 4
SIGNATURE = b"\xff" + bytes(7) + b"\x01\x7f"
GREETING_SIZE = 64
MAX_PARTS = MAX_FRAMES + 2
SCRATCH = 64 * 1024
"""Bytes of the buffer that small frames pass through."""
COPY_BELOW = 4 * 1024
"""Frames smaller than this are joined with their neighbours before they are sent."""
HUGE_FROM = 2 * 1024 * 1024
"""Bytes from which on a frame gets memory of its own from the system: the size of a huge page."""
SHORT_LIMIT = 255
"""Longest frame body that fits the one-byte length."""
LIBZMQ_ERROR = b"^RROR"
"""What libzmq (4.3.5) sends for ERROR: the C literal "\\x5ERROR" of its PLAIN server is 0x5E followed by "RROR"."""
MAX_CONTEXT = 16
"""Bytes of a PING's context, which its PONG repeats."""

Buffer = bytes | bytearray | memoryview


def greeting() -> bytes:
    """Our 64-byte greeting: ZMTP 3.1, mechanism PLAIN, as client."""
    return SIGNATURE + b"\x03\x01" + b"PLAIN".ljust(20, b"\0") + b"\0" + bytes(31)


def _buffer(size: int) -> memoryview:
    """Memory for a large frame. Huge pages where Linux has them: they halve the time that receiving a picture takes."""
    if size < HUGE_FROM or not hasattr(mmap, "MADV_HUGEPAGE"):
        return memoryview(bytearray(size))
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # a kernel without them
        memory.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(memory)


def frame_head(size: int, flags: int) -> bytes:
    """The flags and length that stand before a frame's body."""
    if size <= SHORT_LIMIT:
        return struct.pack(">BB", flags, size)
    return struct.pack(">BQ", flags | LONG, size)


def command(name: bytes, data: bytes) -> bytes:
    """A whole command frame."""
    body = bytes((len(name),)) + name + data
    return frame_head(len(body), COMMAND) + body


def _property(name: bytes, value: bytes) -> bytes:
    return bytes((len(name),)) + name + struct.pack(">I", len(value)) + value


class Dealer:
    """One connection's protocol state.

    Bytes that arrive are received into `receive_buffer()` and reported by `received(n)`; what is to be sent stands in
    `to_send()` and is reported by `sent(n)`. Messages appear in `messages`, oldest first, as lists of buffers.

    Args:
        username, password: the PLAIN credentials, 1 to 255 bytes each once encoded.

    Attributes:
        ready: whether the handshake is over.
        messages: complete messages that have arrived.
        peer_ttl: seconds after which the peer wants to be taken for dead when nothing arrives, 0 for none.
    """

    def __init__(self, username: str, password: str) -> None:
        self.ready = False
        self.messages: deque[list[Buffer]] = deque()
        self.peer_ttl = 0.0
        self._credentials = (username.encode("utf-8"), password.encode("utf-8"))
        self._scratch = bytearray(SCRATCH)
        self._begin = self._end = 0  # what of the scratch buffer is filled and not yet consumed
        self._large: memoryview | None = None
        self._large_filled = 0
        self._large_more = False
        self._parts: list[Buffer] = []
        self._parts_size = 0
        self._out: deque[memoryview] = deque((memoryview(greeting()),))
        self._consume: Callable[[], bool] = self._read_greeting
        self._expected = b"WELCOME"

    # Sending

    def send(self, parts: Sequence[Buffer]) -> None:
        """Queue a message; the parts must not change until `to_send` is empty.

        Raises:
            ValueError: the handshake is not over, or the message is over the wire's limits.
        """
        if not self.ready:
            raise ValueError("the handshake is not over")
        views = [memoryview(part).cast("B") for part in parts]
        sizes = [len(view) for view in views]
        if not 1 <= len(views) <= MAX_PARTS or max(sizes) > MAX_FRAME or sum(sizes) > MAX_MESSAGE + MAX_HEADER:
            raise ValueError("the message is over the limits of the wire")
        small = bytearray()
        for index, view in enumerate(views):
            small += frame_head(len(view), MORE if index + 1 < len(views) else 0)
            if len(view) < COPY_BELOW:
                small += view
            else:
                self._out.append(memoryview(bytes(small)))
                self._out.append(view)
                small.clear()
        if small:
            self._out.append(memoryview(bytes(small)))

    def ping(self, ttl: float) -> None:
        """Queue a PING that asks the peer to hang up when it hears nothing for `ttl` seconds (0 to 6,553)."""
        self._out.append(memoryview(command(b"PING", struct.pack(">H", round(ttl * 10)))))

    def to_send(self) -> deque[memoryview]:
        """What is to be sent, in order; empty when there is nothing."""
        return self._out

    def sent(self, count: int) -> None:
        """Note that the first `count` bytes of `to_send` are gone."""
        while count:
            first = self._out[0]
            if count < len(first):
                self._out[0] = first[count:]
                return
            count -= len(first)
            self._out.popleft()

    # Receiving

    def receive_buffer(self) -> memoryview:
        """Where the next bytes belong; never empty. To be asked for anew after each `received`."""
        if self._large is not None:
            return self._large[self._large_filled :]
        return memoryview(self._scratch)[self._end :]

    def received(self, count: int) -> None:
        """Take in `count` bytes that were put into `receive_buffer`.

        Raises:
            ProtocolError: the peer broke the protocol or went over a limit; the connection has to be closed.
            Unreachable: `not_ours`, when the peer refuses the credentials or is no S²Edit daemon.
        """
        if self._large is not None:
            self._large_filled += count
            if self._large_filled < len(self._large):
                return
            self._finish_part(self._large, self._large_more)
            self._large = None
        else:
            self._end += count
        while self._large is None and self._consume():
            pass
        self._make_room()

    def _make_room(self) -> None:
        if self._begin == self._end:
            self._begin = self._end = 0
        elif self._begin:
            # What is left is the beginning of one small frame.
            rest = bytes(self._scratch[self._begin : self._end])
            self._scratch[: len(rest)] = rest
            self._begin, self._end = 0, len(rest)

    def _read_greeting(self) -> bool:
        # Each part is judged as soon as it is there: a web server or an old ZMTP sends fewer than 64 bytes.
        got = bytes(self._scratch[: min(self._end, GREETING_SIZE)])
        wrong = (
            got[:1] not in (b"", b"\xff")
            or (len(got) >= 10 and got[9:10] != b"\x7f")
            or (len(got) >= 11 and got[10] < 3)
            or (len(got) >= 32 and got[12:32] != b"PLAIN".ljust(20, b"\0"))
        )
        if wrong:
            raise _stranger()
        if len(got) < GREETING_SIZE:
            return False
        self._begin = GREETING_SIZE
        username, password = self._credentials
        short = bytes((len(username),)) + username + bytes((len(password),)) + password
        self._out.append(memoryview(command(b"HELLO", short)))
        self._consume = self._read_frame
        return True

    def _read_frame(self) -> bool:
        """Take one frame, or the head of a large one, out of the scratch buffer; False when it is not whole yet."""
        there = self._end - self._begin
        if there < 2:
            return False
        flags = self._scratch[self._begin]
        head = 9 if flags & LONG else 2
        if flags & ~(MORE | LONG | COMMAND) or (flags & COMMAND and flags & MORE):
            raise ProtocolError("The daemon sent a frame with unknown flags.")
        if there < head:
            return False
        size = int.from_bytes(self._scratch[self._begin + 1 : self._begin + head], "big")
        self._check_size(size, flags)
        start = self._begin + head
        if size > SCRATCH - 9:  # commands never are: MAX_COMMAND is smaller
            self._start_large(start, size, bool(flags & MORE))
            return True
        if there < head + size:
            return False
        body = self._scratch[start : start + size]
        self._begin = start + size
        if flags & COMMAND:
            self._take_command(bytes(body))
        else:
            self._finish_part(body, bool(flags & MORE))
        return True

    def _check_size(self, size: int, flags: int) -> None:
        if flags & COMMAND:
            if size > MAX_COMMAND:
                raise ProtocolError("The daemon sent a command that is too long.")
            return
        if not self.ready:
            raise ProtocolError("The daemon sent a message before the handshake was over.")
        if size > MAX_FRAME or self._parts_size + size > MAX_MESSAGE + MAX_HEADER:
            raise ProtocolError("The daemon sent a message that is over the limit.")
        if len(self._parts) >= MAX_PARTS:
            raise ProtocolError("The daemon sent a message of too many parts.")

    def _start_large(self, start: int, size: int, more: bool) -> None:
        self._large = _buffer(size)
        self._large_more = more
        self._large_filled = min(size, self._end - start)
        self._large[: self._large_filled] = memoryview(self._scratch)[start : start + self._large_filled]
        self._begin = start + self._large_filled
        if self._large_filled == size:
            self._finish_part(self._large, more)
            self._large = None

    def _finish_part(self, part: Buffer, more: bool) -> None:
        self._parts.append(part)
        self._parts_size += len(part)
        if not more:
            self.messages.append(self._parts)
            self._parts = []
            self._parts_size = 0

    def _take_command(self, body: bytes) -> None:
        if body.startswith(LIBZMQ_ERROR) and not self.ready:
            raise _refused(body[len(LIBZMQ_ERROR) :])
        length = body[0] if body else 0
        name, data = body[1 : 1 + length], body[1 + length :]
        if not name or len(name) != length:
            raise ProtocolError("The daemon sent a damaged command.")
        if self.ready:
            self._take_heartbeat(name, data)
        elif name == b"ERROR":
            raise _refused(data)
        elif name != self._expected:
            raise _stranger()
        elif name == b"WELCOME":
            self._expected = b"READY"
            metadata = _property(b"Socket-Type", b"DEALER") + _property(b"Identity", b"")
            self._out.append(memoryview(command(b"INITIATE", metadata)))
        else:
            self.ready = True

    def _take_heartbeat(self, name: bytes, data: bytes) -> None:
        if name == b"PING" and 2 <= len(data) <= 2 + MAX_CONTEXT:
            self.peer_ttl = int.from_bytes(data[:2], "big") / 10
            self._out.append(memoryview(command(b"PONG", data[2:])))
        elif name != b"PONG":
            raise ProtocolError("The daemon sent a command that doesn't belong here.")


def _stranger() -> Unreachable:
    return Unreachable(
        "Another program answers where S²Edit should be listening.", "Restart S²Edit: s2edit daemon start", "not_ours"
    )


def _refused(data: bytes) -> Unreachable:
    reason = data[1 : 1 + data[0]].decode("ascii", "replace") if data else ""
    detail = f" (reason {reason})" if reason.isalnum() else ""
    return Unreachable(
        f"S²Edit's daemon refused this program's key{detail}.",
        "It may have been restarted just now: try again. If that doesn't help: s2edit daemon stop",
        "not_ours",
    )
