"""Promise 8: the disk may be full at any write; that is told, nothing acknowledged is lost, it goes on by itself."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from s2edit_wire.client import Client
from s2edit_wire.errors import WireError

from tests.crash.figures import Figures
from tests.crash.history import SIDE, History, settle
from tests.fakes.daemon import RunningDaemon, finished, picture, submit
from tests.fakes.faulty_daemon import FULL_POINTS, VARIABLE

FAILURES = 3
JOBS = 4
TMPFS_MIB = 24


def check(scale: int, folder: Path, seed: int = 0) -> Figures:
    """Fail each kind of write, at each of the first `scale` times it happens, three times in a row."""
    told: Counter[str] = Counter()
    tried = 0
    for point in FULL_POINTS:
        for first in range(1, scale + 1):
            told += _failing_writes(folder / f"{point}{first}", f"full:{point}:{first}:{first + FAILURES - 1}")
            tried += 1
    real = _small_disk(folder / "disk")
    counted = {"failing writes": tried * FAILURES, "submits refused": told["refused"], "jobs failed": told["failed"]}
    return Figures({**counted, "jobs done": told["done"]}, {}, f"all as disk_full, nothing acknowledged lost; {real}")


def _failing_writes(folder: Path, fault: str) -> Counter[str]:
    history, told = History(), Counter[str]()
    daemon = RunningDaemon(folder, module="tests.fakes.faulty_daemon", environment={VARIABLE: fault})
    daemon.launch()
    try:
        daemon.wait_ready()
    except RuntimeError:
        # The very first writes are those of the start: without them there is no daemon, and that is said.
        assert "no room" in daemon.errors() or "disk is full" in daemon.errors(), daemon.errors()
        daemon.start({VARIABLE: ""})
    with daemon.client() as client:
        for seed in range(JOBS):
            job = _accepted(client, seed, told)
            history.sent[job] = seed
            history.acknowledged.add(job)
        settle(daemon, history)
    daemon.stop()
    history.check(frozenset({"done", "disk_full"}))
    told["failed"] = sum(state == "failed" for seen in history.ended.values() for state, _ in seen)
    told["done"] = len(history.ended) - told["failed"]
    return told


def _accepted(client: Client, seed: int, told: Counter[str]) -> str:
    for _ in range(20):
        try:
            return submit(client, picture(SIDE, seed))
        except WireError as error:
            assert error.code == "disk_full", error.message
            told["refused"] += 1
            time.sleep(0.05)
    raise AssertionError("it did not recover")


def _small_disk(folder: Path) -> str:
    """The same on a file system that is really full."""
    folder.mkdir()
    with _tmpfs(folder) as mounted:
        if not mounted:
            return "no real full disk: mounting one takes root"
        with RunningDaemon(folder / "s") as daemon, daemon.client() as client:
            kept = submit(client)
            finished(client, kept)
            with (folder / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
                while True:
                    filler.write(bytes(1 << 16))
            refused = 0
            for seed in range(3):
                with contextlib.suppress(WireError):
                    submit(client, picture(512, seed))
                    continue
                refused += 1
            assert refused == 3
            assert client.request("result", {"job": kept}).frames
            (folder / "filler").unlink()
            assert finished(client, submit(client))["state"] == "done"
    return f"on a really full disk {refused} of 3 refused, older results readable, on again once there was room"


@contextlib.contextmanager
def _tmpfs(folder: Path) -> Iterator[bool]:
    options = ["-t", "tmpfs", "-o", f"size={TMPFS_MIB}m", "s2edit-test", str(folder)]
    mounted = os.getuid() == 0 and subprocess.run(["mount", *options], check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
