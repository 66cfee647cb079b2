"""A studio of two computers for tests: two addresses of this machine's loopback; Ray, keys, certificates are real."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from s2edit_cluster import membership
from s2edit_wire.client import Client

from tests.fakes.daemon import ROOT, RunningDaemon

HEAD, OTHER = "127.0.0.2", "127.0.0.3"
COMING_S = 90.0


def until(true: Callable[[], object], timeout: float = COMING_S) -> float:
    """Wait for it; returns the seconds that took. AssertionError when that is too long."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < timeout, f"not within {timeout} s"
        time.sleep(0.02)
    return time.monotonic() - begun


def free_ports() -> int:
    """The first of as many free ports as a computer's part takes, below those that the system gives away."""
    for first in range(10_000 + os.getpid() % 200 * 100, 32_000, membership.PORTS):
        try:
            for port in range(first, first + membership.PORTS):
                with socket.socket() as tried:
                    tried.bind(("", port))
        except OSError:
            continue
        return first
    raise AssertionError("no free ports")


class Computer:
    """One computer: its state folder, and `s2edit cluster run` in the foreground."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address
        self.port = free_ports()
        self.environment = {**os.environ, "S2EDIT_HOME": str(folder), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Bring its part up; `wait` says when it is."""
        with (self.folder / "ray.log").open("ab") as log:
            command = [sys.executable, "-m", "s2edit_cli", "cluster", "run"]
            self._process = subprocess.Popen(command, env=self.environment, cwd=ROOT, stdout=log, stderr=log)

    def wait(self) -> None:
        """Until it is up."""
        until((self.folder / "cluster" / "up").exists)

    def processes(self) -> list[int]:
        """All processes of its part, by their state folder; the daemon and its bridge are none of them."""
        wanted = f"S2EDIT_HOME={self.folder}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                    words = (entry / "cmdline").read_bytes()
                    if b"s2edit_server\0" not in words and b"s2edit_cluster" not in words:
                        found.append(int(entry.name))
            except OSError:
                continue
        return found

    def signal(self, number: signal.Signals) -> None:
        """Send all its processes a signal at once: SIGKILL is a power cut, SIGSTOP a cable that was pulled."""
        for pid in self.processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def kill(self) -> None:
        """Cut its power."""
        while self.processes():
            self.signal(signal.SIGKILL)
            if self._process is not None:
                self._process.wait()

    def stop(self) -> None:
        """End it as its owner would; what does not end is killed."""
        try:
            if self._process is not None and self._process.poll() is None:
                self._process.send_signal(signal.SIGTERM)
                self._process.wait(30)
        finally:
            self.kill()

    def ports(self) -> list[int]:
        """Its ports that somebody listens at."""
        listening = set()
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A":
                    listening.add(int(fields[1].rpartition(":")[2], 16))
        return sorted(port for port in listening if self.port <= port < self.port + membership.PORTS)


class Studio:
    """Head and another computer, each with one card, and the daemon on the head."""

    def __init__(self, folder: Path, worker: str | None = "tests.fakes.worker") -> None:
        self.head, self.other = Computer(folder / "a", HEAD), Computer(folder / "b", OTHER)
        self.other.port += membership.PORTS  # the head's are free still
        for computer in (self.head, self.other):
            computer.folder.mkdir(mode=0o700)
        membership.make_head(self.head.folder, HEAD, self.head.port, 1)
        invitation = membership.read_invitation(self.head.folder / "cluster" / membership.JOIN_FILE)
        membership.join(self.other.folder, invitation, OTHER, self.other.port, 1)
        self.daemon = RunningDaemon(self.head.folder, worker=worker)

    def __enter__(self) -> Studio:
        try:
            self.head.start()
            self.head.wait()
            self.other.start()
            self.other.wait()
            self.daemon.start()
            with self.daemon.client() as client:
                until(lambda: len(places(client)) == 2)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self.daemon.process is not None and self.daemon.process.poll() is None:
                self.daemon.stop(30)
        finally:
            self.other.kill()
            self.head.stop()


def places(client: Client) -> dict[str, dict[str, Any]]:
    """The places that the daemon tells, by name."""
    return {place["name"]: place for place in client.request("status").header["status"].get("places", [])}
