"""Promise 6: connections that say nothing, or a byte a second, don't slow down those who talk."""

from __future__ import annotations

import contextlib
import multiprocessing
import resource
import socket
import time
from multiprocessing.connection import Connection
from pathlib import Path

from s2edit_wire.client import Client
from s2edit_wire.connection import read_connection_file
from s2edit_wire.zmtp import greeting

from tests.crash.figures import Figures
from tests.fakes.daemon import RunningDaemon

SECONDS = 5.0
LIMIT_S = 0.1


def check(scale: int, folder: Path, seed: int = 0) -> Figures:
    """Keep `scale` silent connections open, and a twentieth as many that drip, while a client pings."""
    # One client all along: it is the pings of one that talks that count, not the greeting of a new one.
    with RunningDaemon(folder / "s") as daemon, daemon.client() as client:
        calm = _p99(_pings(client, SECONDS / 2))
        # In a process of their own, so that the pings measure the daemon and not Python's lock.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        path = read_connection_file(daemon.folder).socket_path
        crowd = context.Process(target=_crowd, args=(path, scale, theirs), daemon=True)
        crowd.start()
        try:
            while not ours.poll(0.05):
                client.request("ping")
                assert crowd.is_alive()
            spent = _pings(client, SECONDS)
        finally:
            ours.send("end")
            crowd.join()
    # A machine that is busy with other things answers no ping in time, attack or not.
    assert _p99(spent) < max(LIMIT_S, 3 * calm), f"p99 {_p99(spent):.3f} s, without the attack {calm:.3f} s"
    return Figures(
        {"silent connections": scale, "dripping ones": scale // 20, "pings": len(spent)},
        {"s a ping (p99)": _p99(spent), "s without the others": calm},
    )


def _pings(client: Client, seconds: float) -> list[float]:
    spent = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.monotonic()
        client.request("ping")
        spent.append(time.monotonic() - begun)
        time.sleep(0.005)
    return spent


def _crowd(path: str, count: int, caller: Connection) -> None:
    """Silent and dripping connections until `caller` says something; those that the daemon closes are opened again.

    Says "complete" once most of them are there.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 3 * count + 200), hard), hard))
    told = False
    silent: list[socket.socket] = []
    dripping: list[tuple[socket.socket, int]] = []
    with contextlib.ExitStack() as all_of_them:

        def connect() -> socket.socket | None:
            line = socket.socket(socket.AF_UNIX)
            line.setblocking(False)
            try:
                line.connect(path)
            except OSError:  # its queue is full for the moment
                line.close()
                return None
            all_of_them.callback(line.close)
            return line

        while not caller.poll(0.2):
            silent = [line for line in silent if _is_open(line)]
            fresh = [connect() for _ in range(min(count - len(silent), count // 4))]
            silent += [line for line in fresh if line is not None]
            dripping = [(line, sent + 1) for line, sent in dripping if _drip(line, sent)]
            if len(dripping) < count // 20 and (line := connect()) is not None:
                dripping.append((line, 0))
            if not told and len(silent) > 0.9 * count:
                told = True
                caller.send("complete")


def _is_open(line: socket.socket) -> bool:
    try:
        open_still = line.recv(4_096) != b""
    except BlockingIOError:
        return True
    except OSError:
        open_still = False
    if not open_still:
        line.close()
    return open_still


def _drip(line: socket.socket, sent: int) -> bool:
    try:
        line.send(greeting()[sent % 64 : sent % 64 + 1])
    except OSError:
        line.close()
        return False
    return True


def _p99(values: list[float]) -> float:
    return sorted(values)[int(0.99 * (len(values) - 1))]
