"""Promises 4 to 6: peers that are no clients, peers that send without end, and peers that send nothing."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from s2edit_server.gate import GREETING
from s2edit_wire.auth import plain_credentials
from s2edit_wire.connection import read_connection_file

from tests.crash.daemon_kills import p99
from tests.fakes.daemon import RunningDaemon, finished, submit

GROWTH_MIB = 20.0
HELD_GROWTH_MIB = 900.0
"""A client with the key may send one whole message of the wire's size; more it can't make the daemon hold."""
ENDLESS = struct.Struct(">BQ")
PING_LIMIT_S = 0.1


def garbage(scale: int, folder: Path) -> str:
    """`scale` connections that send garbage, HTTP or old ZMTP; a control job runs all along."""
    dice = random.Random(scale)
    kinds: list[Callable[[], bytes]] = [
        lambda: dice.randbytes(dice.randint(0, 300)),
        lambda: b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9999\r\n\r\n" + dice.randbytes(100),
        lambda: b"\x01\x00" + dice.randbytes(20),  # ZMTP 1.0: an empty identity, then frames
        lambda: b"\xff" + bytes(8) + b"\x7f\x01" + dice.randbytes(20),  # ZMTP 2.0
        lambda: GREETING[:12] + b"NULL".ljust(20, b"\0") + bytes(32) + b"\x04\x05\x05READY",
        lambda: GREETING + b"\x04\x1a\x05HELLO\x06s2edit\x0b" + dice.randbytes(11),
        lambda: GREETING + b"\x00\x05hello" + b"\x01\x04S2E\x01",
    ]
    with RunningDaemon(folder / "s", arguments=["--log-level", "debug"]) as daemon, daemon.client() as client:
        path = str(folder / "s" / "run" / "daemon.sock")
        control = 0
        for number in range(scale):
            with _connected(path) as peer, contextlib.suppress(OSError):
                peer.sendall(kinds[number % len(kinds)]())
                if number % 10 == 0:
                    peer.settimeout(0.2)
                    while peer.recv(4_096):
                        pass
            if number % max(1, scale // 10) == 0:
                assert finished(client, submit(client))["state"] == "done"
                control += 1
        jobs = client.request("list", {"limit": 100}).header["jobs"]
        assert len(jobs) == min(control, 100)
        assert "Traceback" not in daemon.log()
    return f"{scale} connections of {len(kinds)} kinds: none reached a handler, {control} control jobs done"


def floods(scale: int, folder: Path) -> str:
    """Flood for `scale` seconds without the key, then with it, while memory is watched."""
    with RunningDaemon(folder / "s") as daemon, daemon.client() as client:
        finished(client, submit(client))
        path = str(folder / "s" / "run" / "daemon.sock")
        outside = _grown(daemon, scale, lambda: _flood(path, GREETING, _endless_handshake()))
        assert outside < GROWTH_MIB, f"{outside:.0f} MiB without the key"
        hello = _handshake(folder / "s")
        parts = _grown(daemon, scale, lambda: _flood(path, hello, _endless_parts()))
        frames = _grown(daemon, scale, lambda: _flood(path, hello, _endless_frame()))
        assert parts < GROWTH_MIB, f"{parts:.0f} MiB by a message without end"
        assert frames < HELD_GROWTH_MIB, f"{frames:.0f} MiB by huge frames"
        client.request("ping")
        assert finished(client, submit(client))["state"] == "done"
        deadline = time.monotonic() + 10
        while daemon.memory_mib() > 150 and time.monotonic() < deadline:
            time.sleep(0.1)
        after = daemon.memory_mib()
        assert after < 150
    return (
        f"{scale} s each: without the key +{outside:.1f} MiB; with it +{parts:.1f} MiB by endless parts,"
        f" +{frames:.0f} MiB by endless frames (one message's size), {after:.0f} MiB afterwards"
    )


def slow(scale: int, folder: Path) -> str:
    """`scale` silent connections and a twentieth as many that send a byte a second; pings of a real client meanwhile."""
    pings: list[float] = []
    with RunningDaemon(folder / "s") as daemon, daemon.client() as client, contextlib.ExitStack() as stack:
        path = str(folder / "s" / "run" / "daemon.sock")
        peers = [stack.enter_context(_connected(path)) for _ in range(scale)]
        loris = [stack.enter_context(_connected(path)) for _ in range(max(1, scale // 20))]
        end = time.monotonic() + 5
        while time.monotonic() < end:
            if len(pings) % 100 == 0:
                for peer in loris:
                    with contextlib.suppress(OSError):
                        peer.send(GREETING[:1])
            start = time.perf_counter()
            client.request("ping")
            pings.append(time.perf_counter() - start)
            time.sleep(0.01)
        closed = sum(_is_closed(peer) for peer in (*peers, *loris))
        assert closed == len(peers) + len(loris), f"{closed} of {len(peers) + len(loris)} were closed"
        with daemon.client() as late:
            late.request("ping")
    assert sorted(pings)[len(pings) // 2] < PING_LIMIT_S
    return (
        f"{scale} silent and {len(loris)} slow connections, all closed in time; ping p50"
        f" {sorted(pings)[len(pings) // 2] * 1000:.1f} ms, p99 {p99(pings) * 1000:.1f} ms of {len(pings)}"
    )


@contextlib.contextmanager
def _connected(path: str) -> Iterator[socket.socket]:
    peer = socket.socket(socket.AF_UNIX)
    try:
        peer.connect(path)
        yield peer
    finally:
        peer.close()


def _is_closed(peer: socket.socket) -> bool:
    peer.settimeout(5)
    try:
        while peer.recv(4_096):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def _handshake(home: Path) -> bytes:
    """What a client with the key says until it may send messages."""
    name, password = plain_credentials(read_connection_file(home).key)
    body = b"\x05HELLO" + bytes([len(name)]) + name.encode() + bytes([len(password)]) + password.encode()
    ready = b"\x08INITIATE\x0bSocket-Type\x00\x00\x00\x06DEALER"
    return GREETING[:32] + bytes(32) + b"\x04" + bytes([len(body)]) + body + b"\x04" + bytes([len(ready)]) + ready


def _endless_handshake() -> Iterator[bytes]:
    yield ENDLESS.pack(0x06, 512 * 1024 * 1024)
    while True:
        yield bytes(1 << 16)


def _endless_parts() -> Iterator[bytes]:
    yield b"\x01\x04S2E\x01" + b"\x01\x01\x80"
    while True:
        yield b"\x01\x00" * 1_000 + b"\x01\xff" + bytes(255)


def _endless_frame() -> Iterator[bytes]:
    yield b"\x01\x04S2E\x01" + b"\x01\x01\x80"
    while True:
        yield ENDLESS.pack(0x03, 500 * 1024 * 1024)
        for _ in range(500 * 16):
            yield bytes(1 << 16)


def _flood(path: str, opening: bytes, data: Iterator[bytes]) -> None:
    with _connected(path) as peer, contextlib.suppress(OSError):
        peer.settimeout(0.5)
        peer.sendall(opening)
        for chunk in data:
            peer.sendall(chunk)


def _grown(daemon: RunningDaemon, seconds: float, attack: Callable[[], None]) -> float:
    """MiB by which the daemon's memory grew at most while four attackers went on for so many seconds."""
    end = time.monotonic() + seconds
    before = daemon.memory_mib()

    def again() -> None:
        while time.monotonic() < end:
            attack()

    threads = [threading.Thread(target=again, daemon=True) for _ in range(1 if seconds < 1 else 4)]
    for thread in threads:
        thread.start()
    most = before
    while time.monotonic() < end:
        most = max(most, daemon.memory_mib())
        time.sleep(0.02)
    return most - before
