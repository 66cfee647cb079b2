"""A throwaway desk for one test: an empty HOME, the Debian 13 tree with the editors, and the real daemon outside it.

The daemon runs from this project's environment; editors run by chroot in a private mount namespace, which shares the
network, /tmp (so X and ipc sockets pass) and the process ids. Everything started is ended again, by process group.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from s2edit_wire.client import Client
from s2edit_wire.errors import Unreachable

from .provision import STABLE, SUITE, provision

PROJECT = Path(__file__).resolve().parents[2]
ARTIFACTS = PROJECT / ".ci" / "artifacts"
T = TypeVar("T")
BUSY = 3

_ENTER = """
set -e
for d in proc sys dev dev/shm dev/pts tmp; do mkdir -p "$0/$d"; mount --bind /$d "$0/$d"; done
exec chroot "$0" /usr/bin/env -C "$1" "${@:2}"
"""


class Lab:
    """One test's desk; use it as a context manager.

    Args:
        name: names the folder of screenshots and kept logs below `.ci/artifacts/`.
    """

    def __init__(self, name: str) -> None:
        self.root = provision()
        # Short, since a Unix socket's path may have 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="s2-", dir="/tmp"))
        # Beside, not instead of, the pictures of the editors that CI runs.
        self.artifacts = ARTIFACTS / (name if SUITE == STABLE else f"{name}-{SUITE}")
        shutil.rmtree(self.artifacts, ignore_errors=True)
        self.artifacts.mkdir(parents=True)
        self.home, self.state = self.folder / "home", self.folder / "state"
        for folder in (self.home, self.state, self.folder / "xdg"):
            folder.mkdir(mode=0o700)
        self.env = {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "XDG_DATA_HOME": str(self.home / ".local/share"),
            "XDG_RUNTIME_DIR": str(self.folder / "xdg"),
            "S2EDIT_HOME": str(self.state),
            "LC_ALL": "C.UTF-8",
            "NO_AT_BRIDGE": "1",
            "OMP_NUM_THREADS": "1",
            "TMPDIR": str(self.folder),
        }
        self._running: list[subprocess.Popen[bytes]] = []
        self.daemon: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """The desk itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what runs, keep the logs, delete the rest."""
        if error is not None and "S2EDIT_LAB_KEEP" in os.environ:
            print(f"kept: {self.folder}")
        for process in reversed(self._running):
            end_group(process)
        self._end_stray_daemon()
        for log in [*self.folder.glob("*.log"), *self.state.glob("logs/*")]:
            shutil.copy(log, self.artifacts / log.name)
        if "S2EDIT_LAB_KEEP" not in os.environ:
            shutil.rmtree(self.folder, ignore_errors=True)

    def inside(self, *command: str) -> list[str]:
        """The command line that runs `command` where the editors are, in the desk's folder."""
        if self.root == Path("/"):
            return ["env", "-C", str(self.folder), *command]
        enter = ["unshare", "--mount", "--propagation", "private", "/bin/bash", "-c", _ENTER]
        return [*([] if os.geteuid() == 0 else ["sudo", "-E"]), *enter, str(self.root), str(self.folder), *command]

    def start(self, name: str, *command: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start `command` where the editors are, output to NAME.log, in a process group of its own."""
        return self._spawn(name, self.inside(*command), {**self.env, **(env or {})})

    def run(self, *command: str, timeout: float = 60, check: bool = True) -> bytes:
        """Run `command` where the editors are and return what it wrote to stdout."""
        done = subprocess.run(self.inside(*command), env=self.env, capture_output=True, timeout=timeout, check=False)
        if check and done.returncode:
            raise AssertionError(f"{command} ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
        return done.stdout

    def start_daemon(self, *, fake: bool = True, step_ms: int = 3, offline: bool = True) -> None:
        """Start the daemon and wait until it can be reached; `fake` gives it a worker without a model."""
        options, variables = self._daemon_command(fake=fake, step_ms=step_ms, offline=offline)
        self.daemon = self._spawn("daemon", options, variables)
        wait_for(self.connection_file.exists, "the daemon's connection file", 20)

    def stop_daemon(self) -> None:
        """End it in order, whoever started it."""
        with Client("other", "0", self.state) as client:
            client.request("shutdown", {"when": "now"})
        wait_for(lambda: not self.daemon_answers(), "the daemon to end", 20)

    def kill_daemon(self) -> None:
        """kill -9, the worker goes with it."""
        assert self.daemon is not None
        self.daemon.kill()
        self.daemon.wait(10)

    def write_launcher(self, *, fake: bool = True, step_ms: int = 3, offline: bool = True) -> None:
        """What the installer writes, so that a plug-in can start the daemon itself; the command leaves the chroot."""
        command, variables = self._daemon_command(fake=fake, step_ms=step_ms, offline=offline)
        command = ["env", *(f"{name}={value}" for name, value in variables.items()), *command]
        if self.root != Path("/"):
            command = ["nsenter", f"--target={os.getpid()}", "--mount", "--root", "--wd=/", *command]
        path = self.state / "launcher.json"
        path.write_text(json.dumps({"command": command, "version": "0.1.0"}), encoding="utf-8")
        path.chmod(0o600)

    def jobs(self, states: list[str], *, acknowledged: bool) -> list[dict[str, Any]]:
        """The daemon's jobs in these states whose result has, or has not, been taken."""
        with Client("other", "0", self.state) as client:
            found = client.request("list", {"states": states}).header["jobs"]
        return [job for job in found if job["acknowledged"] == acknowledged]

    def let_jobs_start(self, start: bool) -> None:
        """Stop the queue, or let it go on: so that a painter's hand is faster than any job."""
        with Client("other", "0", self.state) as client:
            client.request("resume_queue" if start else "pause_queue")

    def record(self, job: str) -> dict[str, Any]:
        """How a finished job came about."""
        with Client("other", "0", self.state) as client:
            record: dict[str, Any] = client.request("result", {"job": job}).header["record"]
        return record

    def daemon_answers(self) -> bool:
        """Whether the daemon, whoever started it, can be reached."""
        try:
            self.jobs([], acknowledged=False)
        except Unreachable:
            return False
        return True

    def model(self, name: str) -> dict[str, Any]:
        """The daemon's record of a model."""
        with Client("other", "0", self.state) as client:
            models = client.request("models").header["models"]
        return next(model for model in models if model["id"] == name)

    def sent(self, job: str) -> list[dict[str, Any]]:
        """The frames that a job came with, as its header described them, each with the digest of its pixels."""
        # The wire hands out results only; what the daemon keeps of the inputs is in its store.
        with closing(sqlite3.connect(f"file:{self.state / 'jobs.sqlite3'}?mode=ro", uri=True)) as db:
            wanted = "SELECT entry, sha256 FROM frames WHERE job = ? AND side = 'in' ORDER BY place"
            return [json.loads(entry) | {"sha256": digest} for entry, digest in db.execute(wanted, (job,))]

    @property
    def connection_file(self) -> Path:
        """Where the daemon says how to reach it."""
        return self.state / "run" / "daemon.json"

    def _daemon_command(self, *, fake: bool, step_ms: int, offline: bool = True) -> tuple[list[str], dict[str, str]]:
        variables = {**self.env, "PYTHONPATH": str(PROJECT), "S2EDIT_FAKE_STEP_MS": str(step_ms)}
        for name in ("S2EDIT_PORTRAITS",):
            if name in os.environ:
                variables[name] = os.environ[name]
        worker = ["--worker-module", "tests.fakes.worker"] if fake else []
        return [sys.executable, "-m", "s2edit_server", *(["--offline"] if offline else []), *worker], variables

    def _spawn(self, name: str, command: list[str], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
            )
        self._running.append(process)
        return process

    def _end_stray_daemon(self) -> None:
        """A daemon that a plug-in started is nobody's child here: its connection file says who it is."""
        try:
            pid = int(json.loads(self.connection_file.read_text())["pid"])
            os.kill(pid, signal.SIGTERM)
        except (OSError, ValueError, KeyError):
            return
        wait_for(lambda: not Path(f"/proc/{pid}").exists(), "the daemon to end", 10)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that `Lab.start` started, with all its children."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            continue
    process.poll()


def wait_for(probe: Callable[[], T | None], what: str, timeout: float = 30, every: float = 0.1) -> T:
    """The first true value of `probe`, asked `every` so many seconds; AssertionError naming `what` when there is none.

    `timeout` is plenty on a quiet machine; a busy one is given `BUSY` times as long.
    """
    end = time.monotonic() + BUSY * timeout
    while time.monotonic() < end:
        value = probe()
        if value:
            return value
        time.sleep(every)
    raise AssertionError(f"Waited {BUSY * timeout:g} s for {what}.")
