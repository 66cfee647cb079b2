"""Promises 7 and 12: many clients at once get their own results, pings stay quick, and nothing grows over time."""

from __future__ import annotations

import hashlib
import multiprocessing
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from s2edit_wire.errors import WireError

from tests.crash.daemon_kills import p99
from tests.crash.figures import Figures
from tests.fakes.daemon import RunningDaemon, fake, finished, picture, submit

PICTURES = 20
SIDE = 1_024
PING_S = 0.05
"""What 99 of 100 pings may take, at full length."""
EDIT = fake(steps=1, step_ms=0)
FULL_LENGTH, TWO_HOURS = 10_000, 7_200


class Visitor(threading.Thread):
    """A client with pictures of its own; checks each result by hash."""

    def __init__(self, daemon: RunningDaemon, number: int, pictures: int) -> None:
        super().__init__(daemon=True)
        self._running, self._number, self._pictures = daemon, number, pictures
        self.right = 0
        self.fault: BaseException | None = None

    def run(self) -> None:
        """Send, wait, fetch, compare."""
        try:
            with self._running.client() as client:
                for number in range(self._pictures):
                    image = picture(SIDE, self._number * 1_000 + number)
                    job = self._patiently(client, image)
                    assert finished(client, job, 1_800, every=0.2)["state"] == "done"
                    patch = client.request("result", {"job": job}, timeout=120).frames[0]
                    assert hashlib.sha256(patch).digest() == hashlib.sha256(np.subtract(255, image)).digest()
                    client.request("acknowledge", {"job": job}, timeout=120)
                    self.right += 1
        except BaseException as fault:  # noqa: BLE001 - told by `_crowd`
            self.fault = fault

    @staticmethod
    def _patiently(client: object, image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> str:
        while True:
            try:
                return submit(client, image, EDIT)  # type: ignore[arg-type]
            except WireError as error:
                if error.code != "busy":
                    raise
                time.sleep(error.retry_after or 1.0)


def _crowd(folder: Path, clients: int, pictures: int, answer: Connection) -> None:
    """All visitors; in a process of their own, so that the pings measure the daemon and not Python's lock."""
    visitors = [Visitor(RunningDaemon(folder), number, pictures) for number in range(clients)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    faults = [repr(visitor.fault) for visitor in visitors if visitor.fault is not None]
    answer.send((sum(visitor.right for visitor in visitors), faults))


def _echo(line: Connection) -> None:
    while True:
        line.send_bytes(line.recv_bytes())


def _ask(line: Connection) -> bytes:
    line.send_bytes(b"ping")
    return line.recv_bytes()


def check(scale: int, folder: Path, seed: int = 0) -> Figures:
    """`scale` clients with twenty pictures of 1024 x 1024 each, while one more client pings.

    A process that does nothing but echo is asked in turns with the daemon: what it takes is the machine's doing.
    """
    pings: list[float] = []
    echoes: list[float] = []
    pictures = PICTURES if scale >= PICTURES else 3
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    near, far = context.Pipe()
    echo = context.Process(target=_echo, args=(far,), daemon=True)
    echo.start()
    with RunningDaemon(folder / "s") as daemon, daemon.client() as client:
        crowd = context.Process(target=_crowd, args=(folder / "s", scale, pictures, theirs))
        crowd.start()
        while not ours.poll() and crowd.is_alive():
            pings.append(_seconds(lambda: client.request("ping", timeout=60)))
            echoes.append(_seconds(lambda: _ask(near)))
            time.sleep(0.01)
        right, faults = ours.recv()
        crowd.join()
    echo.kill()
    assert not faults, faults
    assert right == scale * pictures
    if pictures == PICTURES:
        # A machine on which a mere echo takes as long says nothing about the daemon.
        assert p99(pings) < max(PING_S, 4 * p99(echoes))
    pings.sort()
    return Figures(
        {"clients": scale, f"results of {SIDE} px": right, "pings meanwhile": len(pings)},
        {
            "s a ping (p50)": pings[len(pings) // 2],
            "s (p99)": p99(pings),
            "s from a process that only echoes (p99)": p99(echoes),
        },
        "all right by hash",
    )


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def soak(scale: int, folder: Path, seed: int = 0) -> Figures:
    """`scale` jobs one after the other: memory and descriptors stay where they were after the first tenth.

    At full length (10^4 jobs) they are spread over two hours, so that timers, ages and quotas come round too.
    """
    interval = TWO_HOURS / scale if scale >= FULL_LENGTH else 0.0
    with RunningDaemon(folder / "s", {"result_grace_s": 0}) as daemon, daemon.client() as client:
        start = time.monotonic()
        early = (0.0, 0)
        for number in range(scale):
            time.sleep(max(0.0, start + number * interval - time.monotonic()))
            job = submit(client, picture(64, number), EDIT)
            assert finished(client, job)["state"] == "done"
            assert client.request("result", {"job": job}).frames
            client.request("acknowledge", {"job": job})
            client.request("remove", {"job": job})
            if number == max(1, scale // 10):
                early = (daemon.memory_mib(), daemon.descriptors())
        late = (daemon.memory_mib(), daemon.descriptors())
        seconds = time.monotonic() - start
    assert late[0] - early[0] < 20
    assert late[1] - early[1] < 8
    told = f"memory {early[0]:.1f} -> {late[0]:.1f} MiB, descriptors {early[1]} -> {late[1]}"
    return Figures({"jobs": scale, "seconds": round(seconds)}, {}, told)
