"""A client that works against a daemon that keeps dying, notes every answer, and checks the whole story at the end.

The checks are those of a history checker: what was acknowledged exists, each job has one terminal state and one result
digest for ever, and that result is the right one for its input.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from s2edit_wire.client import new_job_id
from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.records import ENDED

from tests.fakes.daemon import EDIT, RunningDaemon, finished, picture, submit

SIDE = 16
Observation = tuple[str, str]


def expected_digest(image: np.ndarray[Any, Any]) -> str:
    """The digest that the daemon gives the fake worker's result for an RGB picture (`s2edit_server.desk`)."""
    height, width = image.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    mask = ((x / 0.6) ** 2 + (y / 0.6) ** 2 <= 1).astype(np.uint8) * 255
    frames = {"patch": 255 - image, "alpha": mask, "mask": mask}
    lines = "".join(f"{role} {hashlib.sha256(pixels.tobytes()).hexdigest()}\n" for role, pixels in frames.items())
    return hashlib.sha256(lines.encode()).hexdigest()


@dataclass
class History:
    """All that clients were told.

    Args:
        sent: job -> seed of its picture, from before it was sent.
        acknowledged: jobs whose `submit` was answered.
        ended: job -> every (state, digest or error) in which it was seen after its end.
    """

    sent: dict[str, int] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    ended: dict[str, set[Observation]] = field(default_factory=dict)

    def saw(self, record: dict[str, Any]) -> None:
        """Note a job's record."""
        if record["state"] in ENDED:
            seen = (record["state"], record.get("result_sha256", record.get("error", "")))
            self.ended.setdefault(record["job"], set()).add(seen)

    def check(self, allowed: frozenset[str] = frozenset({"done"})) -> None:
        """AssertionError unless the story is one that was promised; all jobs have ended by now."""
        for job in self.acknowledged:
            seen = self.ended.get(job, set())
            assert len(seen) == 1, f"job {job} was seen as {seen}"
            state, digest = next(iter(seen))
            assert state in allowed or digest in allowed, f"job {job} ended {state} ({digest})"
            if state == "done":
                assert digest == expected_digest(picture(SIDE, self.sent[job])), f"job {job} has a wrong result"


class Worker(threading.Thread):
    """A client in a thread: submits, sends again, looks, whatever happens to the daemon."""

    def __init__(self, daemon: RunningDaemon, history: History, seed: int, edit: dict[str, Any] | None = None) -> None:
        super().__init__(daemon=True)
        self._daemon_process, self._history = daemon, history
        self._random = random.Random(seed)
        self._edit = edit or EDIT
        self._stop_asked = threading.Event()
        self._unsure: list[str] = []
        self.fault: BaseException | None = None

    def finish(self) -> None:
        """Stop, and raise what went wrong in the thread."""
        self._stop_asked.set()
        self.join(30)
        if self.fault is not None:
            raise self.fault

    def run(self) -> None:
        """Work until told to stop."""
        try:
            while not self._stop_asked.is_set():
                with contextlib.suppress(Unreachable), self._daemon_process.client() as client:
                    while not self._stop_asked.is_set():
                        self._step(client)
                time.sleep(0.05)
        except BaseException as fault:  # noqa: BLE001 - raised again by `finish`
            self.fault = fault

    def _step(self, client: Any) -> None:
        # A job whose answer never came is sent again under its id: twice the same must be one job.
        job = self._unsure[0] if self._unsure else new_job_id()
        seed = self._history.sent.setdefault(job, self._random.randrange(2**32))
        if not self._unsure:
            self._unsure.append(job)
        try:
            submit(client, picture(SIDE, seed), self._edit, job)
        except WireError as error:
            if error.code not in {"busy", "disk_full"}:
                raise
            time.sleep(0.02)
        else:
            self._history.acknowledged.add(job)
            self._unsure.clear()
        time.sleep(0.01)
        for record in client.request("list", {"limit": 20}, timeout=10).header["jobs"]:
            self._history.saw(record)


def settle(daemon: RunningDaemon, history: History, timeout: float = 120.0) -> None:
    """Wait until every acknowledged job has ended, and look at each a last time."""
    with daemon.client() as client:
        deadline = time.monotonic() + timeout
        for job in sorted(history.acknowledged):
            history.saw(finished(client, job, max(1.0, deadline - time.monotonic())))
