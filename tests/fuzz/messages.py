"""Promise 3: spoiled headers and frames, sent by a client that has the key, harm nobody."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from s2edit_wire.client import Client
from s2edit_wire.errors import Unreachable
from s2edit_wire.limits import MAGIC
from s2edit_wire.zmtp import MORE, frame_head

from tests.crash.figures import Figures
from tests.fakes.daemon import RunningDaemon, fake, finished, submit

from . import mutation

WINDOW = 96
"""Messages sent before their answers are awaited."""
CONTROL_EVERY = 40
"""Windows between two control jobs, at least."""
CONTROL_JOBS = 50
"""Control jobs among the headers, and as many among the frames, at most: each waits for the disk several times."""
GROWTH_MIB = 50
ANSWER_S = 120.0
_EVENT = b"\xa2op\xa5event"
"""How an event's header goes on after its first byte; all else that arrives is an answer."""


def check(scale: int, folder: Path, seed: int = 0) -> Figures:
    """Send `scale` spoiled headers and as many spoiled frames."""
    with RunningDaemon(folder / "s") as daemon:
        _headers(daemon, WINDOW * 5, random.Random(0))  # warm: what a daemon takes once is no growth
        before = daemon.memory_mib()
        jobs = _headers(daemon, scale, random.Random(seed))
        frames, streams, more = _frames(daemon, scale, random.Random(seed))
        growth = daemon.memory_mib() - before
        assert daemon.process is not None and daemon.process.poll() is None
        assert "Traceback" not in daemon.log() + daemon.errors(), "no message may reach code that doesn't expect it"
    assert growth < GROWTH_MIB, f"memory grew by {growth:.0f} MiB"
    counted = {
        "headers": scale,
        "frames": frames,
        "broken streams among them": streams,
        "control jobs done": jobs + more,
    }
    return Figures(counted, {"MiB of growth": growth})


class Attacker:
    """A client that has the key and sends what it likes; connects anew whenever the daemon hangs up."""

    def __init__(self, daemon: RunningDaemon) -> None:
        self._client = Client("other", "1", daemon.folder)

    def exchange(self, messages: Sequence[Sequence[bytes]]) -> None:
        """Send all of these and wait until each is answered, or the daemon has hung up."""
        if not self._client.ready:
            self._client.connect(timeout=ANSWER_S)
        link = self._client._linked()
        link._dealer.to_send().append(memoryview(b"".join(_framed(parts) for parts in messages)))
        answered = 0
        deadline = time.monotonic() + ANSWER_S
        try:
            while answered < len(messages):
                link.pump()
                while link.messages:
                    header = link.messages.popleft()[1]
                    answered += bytes(header[1 : 1 + len(_EVENT)]) != _EVENT
                assert time.monotonic() < deadline, f"{len(messages) - answered} messages were never answered"
                if answered < len(messages):
                    link.wait(1.0)
        except Unreachable:
            self._client.close()  # what is over a limit costs the connection

    def pour(self, stream: bytes) -> None:
        """Send this, say that it was all, and read until the daemon hangs up."""
        self._client.connect(timeout=ANSWER_S)
        line = self._client._linked()._socket
        line.settimeout(ANSWER_S)
        try:
            line.sendall(stream)
            line.shutdown(1)
            while line.recv(65_536):
                pass
        except ConnectionError:
            pass
        finally:
            self._client.close()

    def close(self) -> None:
        """Hang up."""
        self._client.close()


def _headers(daemon: RunningDaemon, count: int, dice: random.Random) -> int:
    """Send so many spoiled headers; returns how many control jobs were done meanwhile."""
    attacker = Attacker(daemon)
    jobs = 0
    for window, first in enumerate(range(0, count, WINDOW)):
        jobs += _control_job(daemon, window, count)
        numbers = range(first + 1_000, 1_000 + min(first + WINDOW, count))
        attacker.exchange([[MAGIC, mutation.header(number, dice), *_pixels(dice)] for number in numbers])
    attacker.close()
    return jobs


def _frames(daemon: RunningDaemon, count: int, dice: random.Random) -> tuple[int, int, int]:
    """Send at least so many frames of spoiled messages and streams; returns (frames, streams, control jobs)."""
    attacker = Attacker(daemon)
    window = frames = jobs = 0
    while frames < count:
        jobs += _control_job(daemon, window, count)
        window += 1
        messages = [_spoiled_parts(dice) for _ in range(WINDOW)]
        attacker.exchange(messages)
        attacker.close()
        # Framing that is broken itself ends a connection, so that each such stream takes one of its own.
        stream = [_spoiled_parts(dice) for _ in range(dice.randrange(1, 4))]
        attacker.pour(mutation.spoil_bytes(b"".join(map(_framed, stream)), dice))
        frames += sum(map(len, messages)) + sum(map(len, stream))
    return frames, window, jobs


def _pixels(dice: random.Random) -> list[bytes]:
    return [dice.randbytes(dice.randrange(300)) for _ in range(dice.choice((0, 0, 0, 1, 2, 8)))]


def _framed(parts: Sequence[bytes]) -> bytes:
    """A message as it lies on the line."""
    last = len(parts) - 1
    return b"".join(frame_head(len(part), MORE * (place < last)) + part for place, part in enumerate(parts))


def _spoiled_parts(dice: random.Random) -> list[bytes]:
    """A message whose framing is right and whose parts are too many, too few, in disorder, or of wrong sizes."""
    header = mutation.header(dice.randrange(1, 1 << 50), dice)
    parts = [MAGIC, header, *[dice.randbytes(dice.choice((0, 1, 3, 12, 300))) for _ in range(dice.randrange(8))]]
    dice.choice(SPOILERS)(parts, dice)
    return parts


def _drop(parts: list[bytes], dice: random.Random) -> None:
    del parts[dice.randrange(len(parts))]


def _double(parts: list[bytes], dice: random.Random) -> None:
    parts.insert(dice.randrange(len(parts)), dice.choice(parts))


def _disorder(parts: list[bytes], dice: random.Random) -> None:
    dice.shuffle(parts)


def _resize(parts: list[bytes], dice: random.Random) -> None:
    place = dice.randrange(len(parts))
    parts[place] = parts[place][: dice.randrange(4)] if dice.random() < 0.5 else parts[place] + dice.randbytes(9)


def _fill(parts: list[bytes], dice: random.Random) -> None:
    parts += [b""] * dice.randrange(1, 16 - len(parts))


SPOILERS: tuple[Callable[[list[bytes], random.Random], None], ...] = (_drop, _double, _disorder, _resize, _fill)


def _control_job(daemon: RunningDaemon, window: int, count: int) -> int:
    """In some windows a job that has to work, all along; returns how many were done.

    Args:
        window: which one this is; count: of messages in all windows.
    """
    if window % max(CONTROL_EVERY, count // (WINDOW * CONTROL_JOBS)):
        return 0
    # Connected anew each time: between two jobs nobody answers the daemon's heartbeat.
    with daemon.client() as control:
        assert finished(control, submit(control, edit=fake(steps=1)), timeout=ANSWER_S)["state"] == "done"
    return 1
