"""A daemon process for tests: started with the fake worker, stopped, killed, and talked to.

with RunningDaemon(folder) as daemon, daemon.client() as client:
    job = submit(client, picture())
    finished(client, job)
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pytest
from s2edit_wire.client import Client, new_job_id
from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.frames import describe
from s2edit_wire.records import ENDED

ROOT = Path(__file__).parents[2]
FAKE_WORKER = "tests.fakes.worker"
GREETED_WITHIN = 60.0
"""Seconds; where no daemon listens, a client knows at once."""
EDIT: dict[str, Any] = {
    "kind": "edit",
    "model": "portraits",
    "profile": "fast",
    "source": "a portrait of a woman with a hat",
    "target": "a portrait of a woman with a crown",
    "objects": [{"word": "hat", "masked": False}],
    "seed": 1,
}


class RunningDaemon:
    """One daemon process.

    Args:
        folder: its state folder; a short path, so that its socket fits.
        settings: written to its settings file first.
        worker: worker module; None for the real one.
        module: what `python -m` runs.
        environment: added to this process's own.
    """

    def __init__(
        self,
        folder: Path,
        settings: dict[str, object] | None = None,
        worker: str | None = FAKE_WORKER,
        module: str = "s2edit_server",
        arguments: Sequence[str] = (),
        environment: dict[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self._command = [sys.executable, "-m", module, *(["--worker-module", worker] if worker else []), *arguments]
        self._environment = {
            **os.environ,
            "S2EDIT_HOME": str(folder),
            "PYTHONPATH": f"{ROOT}",
            "OMP_NUM_THREADS": "1",
            **(environment or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.ready_cpu_s = 0.0
        self.prefix: list[str] = []
        """What the command is run by: `strace`, `unshare` …"""
        if settings:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / "settings.json").write_text(json.dumps(settings))

    def start(self, environment: dict[str, str] | None = None, timeout: float = 120.0) -> float:
        """Start it and wait until it answers; returns the seconds that took. RuntimeError with its words if it ends."""
        self.launch(environment)
        return self.wait_ready(timeout)

    def launch(self, environment: dict[str, str] | None = None) -> None:
        """Start it without waiting."""
        self._launched = time.monotonic()
        environment = {**self._environment, **(environment or {})}
        with (self.folder.parent / f"{self.folder.name}.err").open("ab") as errors:
            self.process = subprocess.Popen(
                [*self.prefix, *self._command],
                env=environment,
                stderr=errors,
                cwd=ROOT,
            )

    def wait_ready(self, timeout: float = 120.0) -> float:
        """Wait until it answers a ping; see `start`."""
        assert self.process is not None
        while time.monotonic() - self._launched < timeout:
            if self.process.poll() is not None:
                raise RuntimeError(f"the daemon ended: {self.errors()}")
            with contextlib.suppress(Unreachable), self.client() as client:
                client.request("ping", {}, timeout=GREETED_WITHIN)
                ready = time.monotonic() - self._launched
                self.ready_cpu_s = self.cpu_s()
                return ready
            time.sleep(0.01)
        raise RuntimeError(f"the daemon did not get ready: {self.errors()}")

    def cpu_s(self) -> float:
        """Processor seconds it has used."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mib(self) -> float:
        """Memory it holds, in MiB."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def descriptors(self) -> int:
        """How many descriptors it has open."""
        assert self.process is not None
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def errors(self) -> str:
        """What it wrote to its standard error."""
        return (self.folder.parent / f"{self.folder.name}.err").read_text()

    def log(self) -> str:
        """Its log so far."""
        path = self.folder / "logs" / "daemon.log"
        return path.read_text() if path.exists() else ""

    @contextlib.contextmanager
    def client(self, host: str = "other", client_id: str | None = None) -> Iterator[Client]:
        """A connected client."""
        client = Client(host, "test", state_folder=self.folder, client_id=client_id)
        try:
            client.connect(timeout=GREETED_WITHIN)
            yield client
        finally:
            client.close()

    def kill(self) -> None:
        """SIGKILL it, and wait until it is gone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, timeout: float = 15.0) -> int:
        """SIGTERM it; returns its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def __enter__(self) -> RunningDaemon:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
                raise


def picture(size: int = 16, seed: int = 0) -> np.ndarray[Any, Any]:
    """Random pixels: size x size, RGB, uint8."""
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)


def fake(**settings: object) -> dict[str, Any]:
    """An edit with settings for the fake worker (`fault`, `steps`, `step_ms`, `held` …)."""
    return {**EDIT, "settings": {f"fake.{name}": value for name, value in settings.items()}}


def submit(
    client: Client,
    image: np.ndarray[Any, Any] | None = None,
    edit: dict[str, Any] | None = None,
    job: str | None = None,
) -> str:
    """Hand a job in; returns its id once it is accepted."""
    job = job or new_job_id()
    image = picture() if image is None else image
    fields = {"job": job, "edit": edit or EDIT, "frames": [describe("image", image.shape)]}
    client.request("submit", fields, [memoryview(image.tobytes())])
    return job


def show(client: Client, job: str) -> dict[str, Any]:
    """The job's record."""
    record: dict[str, Any] = client.request("show", {"job": job}).header["job"]
    return record


def code_of(client: Client, op: str, **fields: object) -> str:
    """The code of the error that a request gets, whose words must be fit for painters."""
    with pytest.raises(WireError) as caught:
        client.request(op, fields)
    assert "/" not in caught.value.message, "no path in words for painters"
    return caught.value.code


def wait_until(client: Client, job: str, *states: str, timeout: float = 60.0, every: float = 0.01) -> dict[str, Any]:
    """The job's record once it is in one of these states; AssertionError when that takes too long."""
    deadline = time.monotonic() + timeout
    while True:
        record = show(client, job)
        if record["state"] in states:
            return record
        assert time.monotonic() < deadline, f"job still {record['state']} after {timeout} s"
        time.sleep(every)


def finished(client: Client, job: str, timeout: float = 60.0, every: float = 0.01) -> dict[str, Any]:
    """The job's record once it has ended."""
    return wait_until(client, job, *ENDED, timeout=timeout, every=every)
