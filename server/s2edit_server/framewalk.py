"""Follows ZMTP frames through a stream of bytes without keeping any, and stops at the first one that is too much."""

from __future__ import annotations

from s2edit_wire.limits import MAX_FRAME, MAX_FRAMES, MAX_HEADER, MAX_MESSAGE

MORE, LONG, COMMAND = 0x01, 0x02, 0x04
MAX_COMMAND = 1_024
"""Bytes of one command: INITIATE's metadata is the longest."""


class Broken(Exception):
    """The peer is no client of ours, or over a limit."""


class FrameWalk:
    """One connection's frames, from the first one after HELLO on (RFC 37, section "Framing").

    A message has the framing mark, a header and pixel frames; each has its own limit, and so has their sum. The limits
    leave some room over the wire's own, so that a clumsy client gets an error in words and only abuse gets the door.
    """

    def __init__(self) -> None:
        self._left = 0
        self._head = bytearray()
        self._part = 0
        self._message = 0

    def feed(self, data: memoryview) -> None:
        """Look at the next bytes; raises Broken. Costs nothing per byte within a frame."""
        place = 0
        while place < len(data):
            if self._left:
                step = min(self._left, len(data) - place)
                self._left -= step
                place += step
                continue
            # 1 byte of flags, then the size in 1 or 8 bytes.
            wanted = 2 if not self._head or not self._head[0] & LONG else 9
            step = min(wanted - len(self._head), len(data) - place)
            self._head += data[place : place + step]
            place += step
            if len(self._head) == (9 if self._head[0] & LONG else 2):
                self._frame(self._head[0], int.from_bytes(self._head[1:], "big"))
                self._head.clear()

    def _frame(self, flags: int, size: int) -> None:
        if flags & COMMAND:
            if size > MAX_COMMAND:
                raise Broken(f"a command of {size} bytes")
            self._left = size
            return
        limit = (MAX_COMMAND, 2 * MAX_HEADER)[self._part] if self._part < 2 else MAX_FRAME
        if size > limit or self._part >= 2 * (MAX_FRAMES + 2):
            raise Broken(f"part {self._part} of {size} bytes")
        self._message += size
        if self._message > MAX_MESSAGE:
            raise Broken(f"a message of {self._message} bytes")
        self._left = size
        self._part = self._part + 1 if flags & MORE else 0
        if not flags & MORE:
            self._message = 0
