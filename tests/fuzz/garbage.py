"""Promise 4: garbage, HTTP and old or unauthenticated ZMTP never become a message."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from pathlib import Path

import msgpack
import pytest
from s2edit_wire.client import new_job_id
from s2edit_wire.connection import read_connection_file
from s2edit_wire.errors import WireError
from s2edit_wire.frames import describe
from s2edit_wire.limits import MAGIC
from s2edit_wire.zmtp import MORE, SIGNATURE, command, frame_head, greeting

from tests.crash.figures import Figures
from tests.fakes.daemon import EDIT, RunningDaemon, finished, submit

GREETING_NULL = SIGNATURE + b"\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(32)
READY = command(b"READY", b"\x0bSocket-Type\0\0\0\x06DEALER")


def check(scale: int, folder: Path, seed: int = 0) -> Figures:
    """Open `scale` connections that are none of ours, each with a whole job in it for whoever is careless."""
    dice = random.Random(seed)
    job = new_job_id()
    header = {"op": "submit", "id": 1, "job": job, "edit": EDIT, "frames": [describe("image", (1, 1, 1))]}
    parts = [MAGIC, msgpack.packb(header), b"p"]
    message = b"".join(frame_head(len(part), MORE) + part for part in parts[:-1]) + frame_head(1, 0) + b"p"
    with RunningDaemon(folder / "s") as daemon:
        path = read_connection_file(daemon.folder).socket_path
        before = daemon.descriptors()
        for _ in range(scale):
            _pour(path, dice.choice(KINDS)(message, dice))
        # Only now: a client that is silent for so long would have been hung up on.
        with daemon.client() as client:
            with pytest.raises(WireError) as caught:
                client.request("show", {"job": job})
            assert caught.value.code == "unknown_job"
            assert client.request("list").header["jobs"] == []
            assert finished(client, submit(client))["state"] == "done"
        assert "Traceback" not in daemon.log() + daemon.errors()
        after = daemon.descriptors()
    assert after <= before + 10, "connections were left open"
    return Figures({"connections": scale}, {"descriptors more": after - before}, "no message got through")


def _random(message: bytes, dice: random.Random) -> bytes:
    return dice.randbytes(dice.randrange(1, 2_000)) + message


def _http(message: bytes, dice: random.Random) -> bytes:
    body = dice.choice((GREETING_NULL, greeting())) + READY + message
    return b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def _zmtp_1(message: bytes, _dice: random.Random) -> bytes:
    return b"\x01\x00" + message


def _zmtp_2(message: bytes, _dice: random.Random) -> bytes:
    return SIGNATURE + b"\x01\x05" + b"\x00\x00" + message


def _null(message: bytes, _dice: random.Random) -> bytes:
    return GREETING_NULL + READY + message


def _no_credentials(message: bytes, _dice: random.Random) -> bytes:
    return greeting() + READY + message


def _wrong_password(message: bytes, dice: random.Random) -> bytes:
    password = dice.choice((b"", b"0" * 64, dice.randbytes(64)))
    hello = command(b"HELLO", b"\x06s2edit" + bytes((len(password),)) + password)
    return greeting() + hello + command(b"INITIATE", b"\x0bSocket-Type\0\0\0\x06DEALER") + message


def _curve(message: bytes, _dice: random.Random) -> bytes:
    return SIGNATURE + b"\x03\x01" + b"CURVE".ljust(20, b"\0") + bytes(32) + message


KINDS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_random, _http, _zmtp_1, _zmtp_2, _null, _no_credentials, _wrong_password, _curve),
)


def _pour(path: str, data: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(10)
        line.connect(path)
        try:
            line.sendall(data)
            line.shutdown(socket.SHUT_WR)
            while line.recv(4_096):
                pass
        except ConnectionError:
            return
