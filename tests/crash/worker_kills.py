"""Promise 2: the worker may be killed, stopped or segfault in any step; the daemon stays, and every job ends."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

from s2edit_wire.client import Client

from tests.crash.figures import Figures
from tests.crash.history import SIDE, History, settle
from tests.fakes.daemon import RunningDaemon, fake, finished, picture, submit

PULSE_S = 2.0
SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP)
"""A stopped worker is noticed only after `pulse_s`, so that fewer of them keep the test short."""


def check(scale: int, folder: Path, seed: int = 0) -> Figures:
    """Hurt the worker `scale` times in mid-step."""
    dice = random.Random(seed)
    history = History()
    hurt: Counter[str] = Counter()
    with RunningDaemon(folder / "s", {"pulse_s": PULSE_S}) as daemon, daemon.client() as client:
        assert daemon.process is not None
        pid = daemon.process.pid
        while hurt.total() < scale:
            while len(_open_jobs(client)) < 4:
                seed = len(history.sent)
                job = submit(client, picture(SIDE, seed), fake(steps=40, step_ms=5))
                history.sent[job] = seed
                history.acknowledged.add(job)
            time.sleep(dice.uniform(0, 0.25))
            status = client.request("status").header["status"]
            number = SIGNALS[hurt.total() % len(SIGNALS)]
            # One that is stopped before its first word, here its memory, is given the time of a start, which is long.
            if (
                status["worker_pid"]
                and status["worker"] == "busy"
                and (number != signal.SIGSTOP or status["memory_used"])
            ):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(status["worker_pid"], number)
                    hurt[number.name] += 1
                if number == signal.SIGSTOP:
                    time.sleep(PULSE_S)
        settle(daemon, history)
        history.check(frozenset({"done", "worker_crashed"}))
        assert finished(client, submit(client))["state"] == "done"
        assert client.request("status").header["status"]["pid"] == pid
    ends = Counter(next(iter(seen))[0] for seen in history.ended.values())
    ended = {"jobs done": ends["done"], "jobs worker_crashed": ends["failed"]}
    return Figures(dict(sorted(hurt.items())) | ended, {}, "the daemon stayed")


def _open_jobs(client: Client) -> list[object]:
    jobs: list[object] = client.request("list", {"states": ["queued", "running"]}).header["jobs"]
    return jobs


def memory(scale: int, folder: Path, seed: int = 0) -> Figures:
    """Promise 11: out of memory is retried once lower, then told with figures; the next job runs."""
    with RunningDaemon(folder / "s") as daemon, daemon.client() as client:
        for _ in range(scale):
            lower = submit(client, edit=fake(fault="oom_full"))
            never = submit(client, edit=fake(fault="oom"))
            after = submit(client)
            record = finished(client, lower)
            assert (record["state"], record["attempt"]) == ("done", 2)
            assert client.request("result", {"job": lower}).header["record"]["lower"] is True
            record = finished(client, never)
            assert (record["error"], record["attempt"]) == ("out_of_memory", 2)
            assert "GiB" in record["message"]
            assert finished(client, after)["state"] == "done"
    told = f"done at the lower level, or told as “{record['message']}”; the next job ran"
    return Figures({"jobs out of memory": 2 * scale}, {}, told)
