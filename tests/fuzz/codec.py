"""What must hold for any bytes taken for a header or for frames: refused in words, or read by both sides alike."""

from __future__ import annotations

import contextlib

from s2edit_server import envelope
from s2edit_server.framewalk import Broken, FrameWalk
from s2edit_wire import pack, schema
from s2edit_wire.errors import ProtocolError, Unreachable, WireError
from s2edit_wire.limits import MAGIC
from s2edit_wire.zmtp import Dealer, greeting


def check(data: bytes) -> None:
    """Raise, if anything goes on at these bytes but what is promised."""
    _header(data)
    _frames(data)


def _header(data: bytes) -> None:
    theirs = None
    with contextlib.suppress(WireError):
        theirs, _ = envelope.decode([memoryview(MAGIC), memoryview(data)])
        schema.check_request(theirs)
    try:
        ours = pack.unpack(data)
    except ProtocolError:
        return
    assert pack.unpack(pack.pack(ours)) == ours
    if isinstance(ours, dict):
        # The plug-ins' codec is the stricter one: what it reads, the daemon's reads, and as the same.
        assert theirs == ours


def _frames(data: bytes) -> None:
    whole, bytewise = FrameWalk(), FrameWalk()
    assert _walks(whole, [data]) == _walks(bytewise, [data[place : place + 1] for place in range(len(data))])
    dealer = Dealer("user", "password")
    with contextlib.suppress(ProtocolError, Unreachable):
        for part in (greeting(), b"\x04\x08\x07WELCOME", data):
            _receive(dealer, part)


def _walks(walk: FrameWalk, chunks: list[bytes]) -> bool:
    try:
        for chunk in chunks:
            walk.feed(memoryview(chunk))
    except Broken:
        return False
    return True


def _receive(dealer: Dealer, data: bytes) -> None:
    while data:
        room = dealer.receive_buffer()
        count = min(len(room), len(data))
        room[:count] = data[:count]
        dealer.received(count)
        data = data[count:]
