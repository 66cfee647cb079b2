"""A real OpenSSH server on a port of 127.0.0.1, run as this user with a host key of its own, and a line to be cut.

`s2edit` runs there in a state folder of its own, as on another computer. Its clients' `ssh` is the real one with a
configuration of the test's: nothing of the user's own is read or written.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import queue
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[2]
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "/usr/sbin/sshd"


class Relay:
    """A line between ssh and sshd that counts bytes and can be cut.

    Args:
        port: where sshd listens.

    Attributes:
        up, down: bytes that went to and came from the server.
        cut_after: cut the line once when so many bytes have gone up in all; 0 for never.
        cuts: how often that was done.
        rate: bytes a second that one connection lets through each way, 0 for as many as come.
        delay: seconds for which each byte is held back then.
    """

    def __init__(self, port: int) -> None:
        self._far = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.up = self.down = self.cut_after = self.cuts = 0
        self.rate = self.delay = 0.0
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def cut(self) -> None:
        """End all connections, as a broken line does."""
        with self._lock:
            for one in self._open:
                _end(one)

    def close(self) -> None:
        """End all, and take no more."""
        _end(self._listener)
        self.cut()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(near,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self._far)) as far:
            with self._lock:
                self._open += [near, far]
            down = threading.Thread(target=self._pass, args=(far, near, False))
            down.start()
            self._pass(near, far, True)
            down.join()
            with self._lock:
                self._open = [one for one in self._open if one not in (near, far)]

    def _pass(self, one: socket.socket, other: socket.socket, upward: bool) -> None:
        slow = _Slowly(other, self.rate, self.delay) if self.rate else contextlib.nullcontext(other.sendall)
        with contextlib.suppress(OSError), slow as send:
            while data := one.recv(16_384):
                send(data)
                if not upward:
                    self.down += len(data)
                    continue
                self.up += len(data)
                if self.cut_after and self.up > self.cut_after:
                    self.cut_after = 0
                    self.cuts += 1
                    self.cut()
        _end(one)
        _end(other)


class _Slowly:
    """Sends as over a line of this rate and delay, from a thread of its own."""

    def __init__(self, target: socket.socket, rate: float, delay: float) -> None:
        self._target, self._rate, self._delay = target, rate, delay
        self._held: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        self._free = time.monotonic()
        self._thread = threading.Thread(target=self._deliver)

    def __enter__(self) -> Callable[[bytes], None]:
        self._thread.start()
        return self._send

    def __exit__(self, *_: object) -> None:
        self._held.put((0.0, b""))
        self._thread.join()

    def _send(self, data: bytes) -> None:
        self._free = max(self._free, time.monotonic()) + len(data) / self._rate
        self._held.put((self._free + self._delay, data))
        # Not read ahead: what the line can't take yet waits where it comes from, as it does on a real one.
        time.sleep(max(0.0, self._free - time.monotonic()))

    def _deliver(self) -> None:
        with contextlib.suppress(OSError):
            while (held := self._held.get())[1]:
                time.sleep(max(0.0, held[0] - time.monotonic()))
                self._target.sendall(held[1])


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


class OtherComputer:
    """sshd, and the computer that it lets in to.

    Args:
        folder: for keys, logs and both `bin` folders.
        home: the state folder of `s2edit` there.
    """

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.home = folder, home
        self.target = f"{getpass.getuser()}@studio"
        self._process: subprocess.Popen[bytes] | None = None
        for name in ("bin", "far"):
            (folder / name).mkdir(parents=True)
        for name in ("host", "other_host", "mine", "other"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(command, check=True)
        self.install()
        self.let_in("mine")
        self.port = _free_port()
        self.relay = Relay(self.port)
        self.know("host")
        self._configure("mine")
        _script(folder / "bin" / "ssh", f'exec {shutil.which("ssh")} -F {folder}/ssh_config "$@"')

    @property
    def environment(self) -> dict[str, str]:
        """What makes a program here find that ssh."""
        return {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}

    def install(self, *, listens: bool = True) -> None:
        """Have `s2edit` there; `listens`: False for one that does not measure the line."""
        script = f'exec {shlex.quote(sys.executable)} -m s2edit_cli "$@"'
        _script(self.folder / "far" / "s2edit", script if listens else f"{script} </dev/null")

    def uninstall(self) -> None:
        """Have it there no more."""
        (self.folder / "far" / "s2edit").unlink()

    def configure(self, *lines: str) -> None:
        """Add lines to the clients' ssh_config."""
        with (self.folder / "ssh_config").open("a") as file:
            file.writelines(f" {line}\n" for line in lines)

    def let_in(self, key: str) -> None:
        """Have this key let in, and no other."""
        (self.folder / "authorized").write_bytes((self.folder / f"{key}.pub").read_bytes())

    def know(self, host: str = "") -> None:
        """Have the clients know this host key as the server's, or none."""
        words = (self.folder / f"{host}.pub").read_text().split()[:2] if host else []
        line = " ".join([f"[studio]:{self.relay.port}", *words]) + "\n" if words else ""
        (self.folder / "known").write_text(line)

    def _configure(self, key: str) -> None:
        folder = self.folder
        (folder / "ssh_config").write_text(
            f"Host *\n HostName 127.0.0.1\n HostKeyAlias [studio]:{self.relay.port}\n Port {self.relay.port}\n"
            f" IdentityFile {folder}/{key}\n IdentitiesOnly yes\n IdentityAgent none\n"
            f" UserKnownHostsFile {folder}/known\n GlobalKnownHostsFile /dev/null\n StrictHostKeyChecking ask\n"
        )
        (folder / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1:{self.port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
            "PidFile none\nStrictModes no\nUsePAM no\nKbdInteractiveAuthentication no\nPasswordAuthentication yes\n"
            f"SetEnv S2EDIT_HOME={self.home} PYTHONPATH={ROOT} OMP_NUM_THREADS=1"
            f" PATH={folder / 'far'}:/usr/bin:/bin\n"
        )

    def __enter__(self) -> OtherComputer:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        log = (self.folder / "sshd.log").open("wb")
        with log:
            command = [SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")]
            self._process = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL)
        while True:
            assert self._process.poll() is None, (self.folder / "sshd.log").read_text()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.relay.close()
        assert self._process is not None
        self._process.terminate()
        self._process.wait()


def _script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
