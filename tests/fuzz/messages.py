"""Promise 3: spoiled headers and frames, sent by a client that has the key, harm nobody."""

from __future__ import annotations

import random
import socket
import time
from pathlib import Path

from s2edit_wire.client import Client
from s2edit_wire.errors import Unreachable
from s2edit_wire.limits import MAGIC
from s2edit_wire.zmtp import MORE, frame_head

from tests.fakes.daemon import RunningDaemon, fake, finished, submit

from . import mutation

WINDOW = 32
"""Messages sent before their answers are awaited."""
CONTROL_EVERY = 40
"""Windows between two control jobs."""
GROWTH_MIB = 50


def check(scale: int, folder: Path) -> str:
    """Send `scale` spoiled headers, and a tenth as many connections full of spoiled frames."""
    with RunningDaemon(folder / "s") as daemon, daemon.client() as control:
        _headers(daemon, control, WINDOW * 5, seed=0)  # warm: what a daemon takes once is no growth
        before = daemon.memory_mib()
        jobs = _headers(daemon, control, scale, seed=1)
        jobs += _frames(daemon, control, scale // 10)
        growth = daemon.memory_mib() - before
        assert daemon.process is not None and daemon.process.poll() is None
        assert "Traceback" not in daemon.log() + daemon.errors(), "no message may reach code that doesn't expect it"
    assert growth < GROWTH_MIB, f"memory grew by {growth:.0f} MiB"
    return f"{scale} headers and {scale // 10} streams of frames, {jobs} control jobs done, memory +{growth:.0f} MiB"


def _headers(daemon: RunningDaemon, control: Client, count: int, seed: int) -> int:
    dice = random.Random(seed)
    jobs = 0
    with daemon.client() as attacker:
        for window in range(0, count, WINDOW):
            if window // WINDOW % CONTROL_EVERY == 0:
                _control_job(control)
                jobs += 1
            if not attacker.ready:
                attacker.connect()
            _send_window(attacker, [mutation.header(window + number + 1_000, dice) for number in range(WINDOW)], dice)
    return jobs


def _send_window(attacker: Client, headers: list[bytes], dice: random.Random) -> None:
    """Send these headers and wait until each is answered, or the daemon hangs up."""
    answered = 0
    deadline = time.monotonic() + 20
    try:
        for header in headers:
            frames = [dice.randbytes(dice.randrange(300)) for _ in range(dice.choice((0, 0, 0, 1, 2, 8)))]
            attacker._linked().send([MAGIC, header, *frames])
        while answered < len(headers):
            answered += sum(incoming.op != "event" for incoming in attacker.pump())
            assert time.monotonic() < deadline, f"{len(headers) - answered} messages were never answered"
            attacker._linked().wait(0.1)
    except Unreachable:
        attacker.close()  # a header over its limit costs the connection


def _frames(daemon: RunningDaemon, control: Client, count: int) -> int:
    dice = random.Random(count)
    attacker = Client("other", "1", daemon.folder)
    jobs = 0
    for number in range(count):
        if number % 100 == 0:
            _control_job(control)
            jobs += 1
        attacker.connect()
        link = attacker._linked()
        _pour(link._socket, _stream(dice))
        attacker.close()
    return jobs


def _stream(dice: random.Random) -> bytes:
    """A few messages as they lie on the line, then spoiled."""
    stream = b""
    for number in range(dice.randrange(1, 4)):
        parts = [MAGIC, mutation.header(number + 1, dice), *[dice.randbytes(9)] * dice.randrange(4)]
        for part in parts[:-1]:
            stream += frame_head(len(part), MORE) + part
        stream += frame_head(len(parts[-1]), 0) + parts[-1]
    return mutation.spoil_bytes(stream, dice)


def _pour(line: socket.socket, stream: bytes) -> None:
    """Send all of it, say that it was all, and read until the daemon hangs up."""
    line.settimeout(5)
    try:
        line.sendall(stream)
        line.shutdown(socket.SHUT_WR)
        while line.recv(65_536):
            pass
    except (ConnectionError, BrokenPipeError):
        return


def _control_job(control: Client) -> None:
    """A job that has to work all along."""
    assert finished(control, submit(control, edit=fake(steps=1)))["state"] == "done"
