"""Promise 9: a cancel is seen at the next step, a hung step is ended, and no other job is ever touched."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from s2edit_wire.client import Client
from s2edit_wire.records import ENDED

from tests.crash.daemon_kills import p99
from tests.crash.figures import Figures
from tests.crash.history import SIDE, History, settle
from tests.fakes.daemon import RunningDaemon, fake, finished, picture, show, submit, wait_until

STEP_S = 0.01
CANCEL_S = 0.5
HANGS = 3
STEPS = 22
"""Steps of the raced edit in all its phases."""


def check(scale: int, folder: Path, seed: int = 0) -> Figures:
    """Race `scale` cancels with jobs that start, run and end; then cancel steps that hang."""
    dice = random.Random(seed)
    waits: list[float] = []
    history = History()
    with RunningDaemon(folder / "s", {"cancel_s": CANCEL_S}) as daemon, daemon.client() as client:
        edit = fake(steps=12, step_ms=STEP_S * 1_000)
        finished(client, submit(client))
        slowness = _slowness(client, edit)
        for number in range(scale):
            job = _sent(client, history, number, edit)
            neighbour = _sent(client, history, number, fake(steps=1, step_ms=1))
            time.sleep(dice.uniform(0, 0.25))
            start = time.monotonic()
            running = client.request("cancel", {"job": job}).header["job"]["state"] == "running"
            record = _ended(client, job)
            history.saw(record)
            if record["state"] == "cancelled" and running:
                waits.append(time.monotonic() - start)
            assert finished(client, neighbour)["state"] == "done", "a neighbour was hit"
        hung = [_hung(client) for _ in range(HANGS)]
        assert finished(client, submit(client))["state"] == "done"
        settle(daemon, history)
        slowness = max(slowness, _slowness(client, edit))
    history.check(frozenset({"done", "cancelled"}))
    assert max(hung) < CANCEL_S + 2 * slowness, f"a hung step ended after {max(hung):.2f} s, slowness {slowness:.1f}"
    median = sorted(waits)[len(waits) // 2]
    assert median < (STEP_S + 0.1) * slowness, f"a cancel took {median:.3f} s (median), slowness {slowness:.1f}"
    cancelled = sum(state == "cancelled" for seen in history.ended.values() for state, _ in seen)
    return Figures(
        {"races": scale, "cancelled": cancelled, "done first": scale - cancelled},
        {
            "s until a running job has ended (median)": median,
            "s (p99)": p99(waits),
            f"s for hung steps, their deadline being {CANCEL_S} s": max(hung),
            f"times {STEP_S * 1000:.0f} ms a step at this load": slowness,
        },
        "no neighbour was hit",
    )


def _slowness(client: Client, edit: dict[str, Any]) -> float:
    """How much longer than its steps alone a job takes: 1 on an idle machine, more when others want the processor."""
    begun = time.monotonic()
    finished(client, submit(client, edit=edit))
    return max(1.0, (time.monotonic() - begun) / (STEPS * STEP_S))


def _sent(client: Client, history: History, seed: int, edit: dict[str, Any]) -> str:
    job = submit(client, picture(SIDE, seed), edit)
    history.sent[job] = seed
    history.acknowledged.add(job)
    return job


def _ended(client: Client, job: str) -> dict[str, Any]:
    while (record := show(client, job))["state"] not in ENDED:
        time.sleep(0.001)
    return record


def _hung(client: Client) -> float:
    job = submit(client, edit=fake(fault="hang", steps=2))
    wait_until(client, job, "running")
    while show(client, job)["phase"] != "editing":
        time.sleep(0.005)
    time.sleep(0.05)
    start = time.monotonic()
    client.request("cancel", {"job": job})
    assert _ended(client, job)["state"] == "cancelled"
    return time.monotonic() - start
