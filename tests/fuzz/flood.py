"""Promise 5: who has no key can't make the daemon hold memory; who has one is cut off over the limits."""

from __future__ import annotations

import contextlib
import itertools
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from s2edit_wire.client import Client
from s2edit_wire.connection import read_connection_file
from s2edit_wire.limits import MAGIC, MAX_FRAME
from s2edit_wire.zmtp import COMMAND, LONG, MORE, command, frame_head, greeting

from tests.crash.figures import Figures
from tests.fakes.daemon import RunningDaemon, finished, submit

STRANGERS = 24
GROWTH_MIB = 20
CHUNK = bytes(256 * 1024)
PATIENCE = 10.0


def check(scale: int, folder: Path, seed: int = 0) -> Figures:
    """Flood the daemon for `scale` seconds as a stranger, then break each limit as one who has the key."""
    with RunningDaemon(folder / "s") as daemon:
        with daemon.client() as client:
            finished(client, submit(client))
        before = daemon.memory_mib()
        peak, sent = _strangers(daemon, scale)
        growth = peak - before
        assert growth < GROWTH_MIB, f"memory grew by {growth:.0f} MiB"
        for name, attack in INSIDERS.items():
            assert _is_cut_off(daemon, attack), f"{name} was let go on"
        with daemon.client() as after:
            assert finished(after, submit(after))["state"] == "done"
    counted = {"s of flood": scale, "MiB sent": sent >> 20, "abuses cut off": len(INSIDERS)}
    return Figures(counted, {"MiB of growth": growth})


def _huge_hello() -> Iterator[bytes]:
    yield greeting() + bytes((COMMAND | LONG,)) + (MAX_FRAME - 1).to_bytes(8, "big")
    yield from itertools.repeat(CHUNK)


def _huge_message() -> Iterator[bytes]:
    yield greeting() + frame_head(MAX_FRAME, MORE)
    yield from itertools.repeat(CHUNK)


def _wrong_then_endless() -> Iterator[bytes]:
    yield greeting() + command(b"HELLO", b"\x06s2edit\x04nope")
    yield from itertools.repeat(frame_head(len(CHUNK), MORE) + CHUNK)


def _endless_greeting() -> Iterator[bytes]:
    yield from itertools.repeat(b"\xff" * 4_096)


_KINDS: tuple[Callable[[], Iterator[bytes]], ...] = (_huge_hello, _huge_message, _wrong_then_endless, _endless_greeting)


def _strangers(daemon: RunningDaemon, seconds: float) -> tuple[float, int]:
    """(the daemon's memory at its peak in MiB, bytes sent) while strangers send all that it takes, again and again."""
    path = read_connection_file(daemon.folder).socket_path
    kinds = itertools.cycle(_KINDS)
    lines: list[tuple[socket.socket, Iterator[bytes]]] = []
    peak, sent = 0.0, 0
    end = time.monotonic() + seconds
    with contextlib.ExitStack() as opened:
        while time.monotonic() < end:
            while len(lines) < STRANGERS:
                line = opened.enter_context(socket.socket(socket.AF_UNIX))
                line.connect(path)
                line.setblocking(False)
                lines.append((line, next(kinds)()))
            for line, data in list(lines):
                try:
                    sent += line.send(next(data))
                except BlockingIOError:
                    continue
                except OSError:
                    line.close()
                    lines.remove((line, data))
            peak = max(peak, daemon.memory_mib())
    return peak, sent


def _endless_parts() -> Iterator[bytes]:
    yield frame_head(len(MAGIC), MORE) + MAGIC
    yield from itertools.repeat(frame_head(len(CHUNK), MORE) + CHUNK)


def _endless_empty_parts() -> Iterator[bytes]:
    yield from itertools.repeat(frame_head(0, MORE) * 1_000)


def _huge_header() -> Iterator[bytes]:
    yield frame_head(len(MAGIC), MORE) + MAGIC + frame_head(MAX_FRAME, 0)
    yield from itertools.repeat(CHUNK)


def _huge_frame() -> Iterator[bytes]:
    yield frame_head(len(MAGIC), MORE) + MAGIC + frame_head(1, MORE) + b"\x80" + frame_head(MAX_FRAME + 1, 0)
    yield from itertools.repeat(CHUNK)


def _huge_command() -> Iterator[bytes]:
    yield bytes((COMMAND | LONG,)) + (1 << 20).to_bytes(8, "big")
    yield from itertools.repeat(CHUNK)


INSIDERS: dict[str, Callable[[], Iterator[bytes]]] = {
    "a message without end": _endless_parts,
    "empty parts without end": _endless_empty_parts,
    "a header of half a gigabyte": _huge_header,
    "a frame over the limit": _huge_frame,
    "a command of a megabyte": _huge_command,
}


def _is_cut_off(daemon: RunningDaemon, attack: Callable[[], Iterator[bytes]]) -> bool:
    """Whether the daemon hangs up on a greeted client that sends this, before it has taken 64 MiB of it."""
    attacker = Client("other", "1", daemon.folder)
    attacker.connect()
    line = attacker._linked()._socket
    line.settimeout(PATIENCE)
    sent = 0
    try:
        for data in attack():
            line.sendall(data)
            sent += len(data)
            if sent > 64 << 20:
                return False
    except ConnectionError:
        return True
    finally:
        attacker.close()
    return False
