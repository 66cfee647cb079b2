"""A studio of two computers for tests, on one machine (`network`); Ray, keys, certificates are real."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from s2edit_cluster import membership, node
from s2edit_wire.client import Client

from tests.cluster import network
from tests.fakes.daemon import ROOT, RunningDaemon

HEAD, OTHER = network.made().addresses
AT_HEAD, AT_OTHER = f"{HEAD} worker 0", f"{OTHER} worker 0"
WITHOUT_TLS = Path(__file__).parent / "without_tls"
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
    """One computer: its state folder, and `s2edit cluster run` in the foreground.

    Args:
        prefix: what a command is run by on this computer; path: for PYTHONPATH.
    """

    def __init__(self, folder: Path, address: str, prefix: Sequence[str], path: str) -> None:
        self.folder, self.address, self.prefix = folder, address, list(prefix)
        self.port = free_ports()
        self.environment = {**os.environ, "S2EDIT_HOME": str(folder), "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Bring its part up; `wait` says when it is."""
        with (self.folder / "ray.log").open("ab") as log:
            command = [*self.prefix, sys.executable, "-m", "s2edit_cli", "cluster", "run"]
            self._process = subprocess.Popen(command, env=self.environment, cwd=ROOT, stdout=log, stderr=log)

    def wait(self) -> None:
        """Until it is up."""
        until((self.folder / "cluster" / "up").exists)

    def processes(self) -> list[int]:
        """All processes of its part, by their state folder; the daemon and its bridge are none of them."""
        wanted = f"S2EDIT_HOME={self.folder}".encode()
        found, children = set(), dict[int, list[int]]()
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if not entry.name.isdigit():
                    continue
                pid = int(entry.name)
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(pid)
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    words = (entry / "cmdline").read_bytes()
                    if b"s2edit_server\0" not in words and b"s2edit_cluster" not in words:
                        found.add(pid)
        # Ray's own write their title over their environment.
        below = list(found)
        while below:
            new = set(children.get(below.pop(), ())) - found
            found |= new
            below += new
        return sorted(found)

    def ray_folder(self) -> Path:
        """Where its Ray keeps what is its own; an earlier one's processes may still be about to end."""
        found: set[str] = set()

        def only_one() -> bool:
            found.clear()
            for pid in self.processes():
                with contextlib.suppress(OSError):  # one that has just ended
                    found.update(re.findall(rf"/tmp/{node.PREFIX}\w+", Path(f"/proc/{pid}/cmdline").read_text()))
            return len(found) == 1

        until(only_one)
        return Path(*found)

    def signal(self, number: signal.Signals) -> None:
        """Send all its processes a signal at once: SIGKILL is a power cut, SIGSTOP hangs it without a word."""
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

    def listening(self, *processes: int) -> set[tuple[str, int]]:
        """(address, "" for all, and port) of each socket that its part, and these processes, listen at."""
        found = set()
        for pid in (*self.processes(), *processes):
            with contextlib.suppress(OSError):  # one that has just ended
                own = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
                for table in ("tcp", "tcp6"):
                    for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
                        fields = line.split()
                        address, _, port = fields[1].partition(":")
                        if fields[3] == "0A" and f"socket:[{fields[9]}]" in own:
                            where = socket.inet_ntoa(bytes.fromhex(address)[::-1]) if address.strip("0") else ""
                            found.add((where, int(port, 16)))
        return found


class Studio:
    """Head and another computer, each with one card, and the daemon on the head.

    Args:
        worker: module of the workers, None for the real one.
        tls: False to do without, as nothing but a test can.
    """

    def __init__(self, folder: Path, worker: str | None = "tests.fakes.worker", *, tls: bool = True) -> None:
        self.network = network.made()
        path = str(ROOT) if tls else f"{WITHOUT_TLS}:{ROOT}"
        self.head = Computer(folder / "a", HEAD, self.network.prefix(network.HEAD), path)
        self.other = Computer(folder / "b", OTHER, self.network.prefix(network.OTHER), path)
        self.other.port += membership.PORTS  # the head's are free still
        for computer in (self.head, self.other):
            computer.folder.mkdir(mode=0o700)
        membership.make_head(self.head.folder, HEAD, self.head.port, 1)
        invitation = membership.read_invitation(self.head.folder / "cluster" / membership.JOIN_FILE)
        membership.join(self.other.folder, invitation, OTHER, self.other.port, 1)
        self.daemon = RunningDaemon(self.head.folder, worker=worker, environment={"PYTHONPATH": path})
        self.daemon.prefix = self.head.prefix

    def __enter__(self) -> Studio:
        try:
            self.network.__enter__()
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
            self.network.__exit__(None, None, None)

    def silence(self, *, on: bool) -> None:
        """Have the other hang, without a word, or go on."""
        self.other.signal(signal.SIGSTOP if on else signal.SIGCONT)

    def cut(self, *, on: bool) -> None:
        """Pull the other's cable, or put it back; only where `network.CABLES`."""
        assert isinstance(self.network, network.Namespaces)
        self.network.plug(network.OTHER, pulled=on)


def places(client: Client) -> dict[str, dict[str, Any]]:
    """The places that the daemon tells, by name."""
    return {place["name"]: place for place in client.request("status").header["status"].get("places", [])}
