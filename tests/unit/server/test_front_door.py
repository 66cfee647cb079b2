"""The front door: frames are followed however they are cut, and stopped where there are too many.

A crowd holds up nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from s2edit_server.framewalk import COMMAND, LONG, MAX_COMMAND, MORE, Broken, FrameWalk
from s2edit_server.front_door import CHUNK, SMALL, FrontDoor, _Out, _pass_out
from s2edit_server.painters import only
from s2edit_wire.limits import MAX_FRAME, MAX_FRAMES, MAX_HEADER

CROWD = 50
"""Connections that wait when the door opens."""


def frame(size: int, flags: int = 0, *, body: bool = True) -> bytes:
    head = bytes([flags | LONG]) + size.to_bytes(8, "big") if size > 255 else bytes([flags, size])
    return head + (bytes(size) if body else b"")


def message(*sizes: int) -> bytes:
    return b"".join(frame(size, MORE if place < len(sizes) - 1 else 0) for place, size in enumerate(sizes))


PING = b"\x04\x0e\x04PING\0\x64context"
GOOD = frame(300, COMMAND) + PING + message(4, 1_000) + frame(20, COMMAND) + message(4, 70, 5_000, 3) + message(4, 2)


@given(st.lists(st.integers(1, len(GOOD)), max_size=20))
def test_good_traffic_passes_however_it_is_cut(cuts: list[int]) -> None:
    walk, passed = FrameWalk(), b""
    places = sorted({0, *cuts, len(GOOD)})
    for start, end in itertools.pairwise(places):
        passed += b"".join(walk.feed(memoryview(GOOD)[start:end]))
    assert passed == GOOD.replace(PING, b"") and walk.between
    assert walk.pings == [b"context"]
    walk.feed(memoryview(message(4, 1)))


@pytest.mark.parametrize(
    "data",
    [
        frame(MAX_COMMAND + 1, COMMAND, body=False),
        frame(MAX_COMMAND + 1, MORE, body=False),
        frame(4, MORE) + frame(2 * MAX_HEADER + 1, body=False),
        frame(4, MORE) + frame(9, MORE) + frame(MAX_FRAME + 1, body=False),
        frame(4, MORE) + frame(0, MORE) * (2 * MAX_FRAMES + 8),
        frame(4, MORE) * 1_000,
        frame(0, MORE) * 1_000,
        b"\xff" * 9,
    ],
)
def test_too_much_is_stopped_at_its_announcement(data: bytes) -> None:
    with pytest.raises(Broken):
        FrameWalk().feed(memoryview(data))


def test_the_sum_of_a_messages_frames_is_limited() -> None:
    walk = FrameWalk()
    chunk = memoryview(bytes(1 << 20))
    walk.feed(memoryview(frame(4, MORE) + frame(9, MORE) + frame(MAX_FRAME, MORE, body=False)))
    for _ in range(MAX_FRAME >> 20):
        walk.feed(chunk)
    with pytest.raises(Broken, match="a message of"):
        walk.feed(memoryview(frame(MAX_FRAME, body=False)))


@given(st.binary(max_size=2_000))
def test_any_bytes_are_followed_or_stopped(data: bytes) -> None:
    try:
        FrameWalk().feed(memoryview(data))
    except Broken:
        return


def test_a_connection_gives_its_large_buffer_back_once_the_picture_is_through(monkeypatch: pytest.MonkeyPatch) -> None:
    head = frame(4, MORE) + frame(9, MORE) + frame(SMALL - 26 + 2 * CHUNK, body=False)
    assert len(head) == 26
    counts = iter([SMALL, CHUNK, CHUNK, 2, 2, 0])
    sizes: list[int] = []

    async def receive(_: socket.socket, view: memoryview) -> int:
        sizes.append(len(view))
        view[:2] = b"\0\0"
        if len(sizes) == 1:
            view[: len(head)] = head
        return next(counts)

    async def send(_: socket.socket, data: memoryview) -> None:
        assert len(data) <= sizes[-1]

    async def run() -> None:
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "sock_recv_into", receive)
        monkeypatch.setattr(loop, "sock_sendall", send)
        near, far = socket.socketpair()
        with near, far:
            await _pass_out(near, _Out(far))

    asyncio.run(run())
    assert sizes == [SMALL, CHUNK, CHUNK, SMALL, SMALL, SMALL]


def test_a_crowd_at_the_door_leaves_the_loop_its_turns() -> None:
    async def turns(folder: Path) -> int:
        door = FrontDoor(only("user", "password"), f"ipc://{folder}/inner")
        door.bind(folder / "s")
        with contextlib.ExitStack() as opened:
            for _ in range(CROWD):
                opened.enter_context(socket.socket(socket.AF_UNIX)).connect(str(folder / "s"))
            door.start()
            count = 0
            while door.connections.half_open < CROWD:
                await asyncio.sleep(0)
                count += 1
            await door.stop()
        return count

    # A short path: a socket's may have at most 103 bytes.
    with tempfile.TemporaryDirectory(prefix="s2g-") as folder:
        assert asyncio.run(turns(Path(folder))) >= CROWD


def initiate(*properties: tuple[bytes, bytes]) -> bytes:
    metadata = b"".join(bytes([len(name)]) + name + len(value).to_bytes(4, "big") + value for name, value in properties)
    body = b"\x08INITIATE" + metadata
    return bytes([COMMAND, len(body)]) + body


DEALER = (b"Socket-Type", b"DEALER")


@pytest.mark.parametrize(
    ("first", "fine"),
    [
        (initiate(DEALER), True),
        (initiate(DEALER, (b"Identity", b"")), True),
        (initiate(), True),
        (initiate(DEALER, (b"Identity", b"\0\x80\0\0\x01")), False),
        (initiate((b"Identity", b""), DEALER, (b"iDENTITY", b"mine")), False),
        (initiate(DEALER)[:-1], None),
        (bytes([COMMAND, 16]) + b"\x08INITIATE\x01I\xff\xff\xff\xffx", False),
        (bytes([COMMAND, 8]) + b"\x08INITIAT", False),
        (bytes([COMMAND, 7]) + b"\x04PING\0\0", False),
        (bytes([0, 9]) + b"\x08INITIATE", False),
        (bytes([COMMAND, 11]) + b"\x08INITIATE\x09I", False),
    ],
)
def test_a_clients_first_command_leaves_its_routing_id_to_libzmq(first: bytes, fine: bool | None) -> None:
    walk = FrameWalk(client=True)
    if fine is False:
        with pytest.raises(Broken):
            walk.feed(memoryview(first))
    else:
        assert b"".join(walk.feed(memoryview(first))) == (first if fine else b"")
