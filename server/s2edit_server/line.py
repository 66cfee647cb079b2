"""In the daemon's place when edits are computed on another computer: keeps a line to the daemon there.

It holds the lock that says that a daemon lives, and writes the connection file that every program here reads: with the
near end of a socket that OpenSSH forwards. All of them speak to the far daemon then without knowing it. When the line
breaks, that file is taken away and `no_line` tells why; the line is made again until this process ends.
"""

from __future__ import annotations

import logging
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO

from s2edit_wire import line_rate, no_line, remote
from s2edit_wire.client import Client
from s2edit_wire.connection import Connection, remove_connection_file, write_connection_file
from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.no_line import NoLine
from s2edit_wire.paths import run_folder

from . import logs
from .instance import MAX_IPC_PATH

LOG = logging.getLogger(__name__)
NEAR = "far.sock"
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between two tries."""
GRACE = 60.0
"""Seconds for which a far daemon that ended is waited for, before this ends too: it may be on its way up again."""
OPEN_PATIENCE = 20.0
"""Seconds that ssh gets to open the near end."""
_PLAIN = re.compile(r"/[A-Za-z0-9._/ @+=,-]*\Z")
"""Paths in which ssh finds no colon, variable or token to replace (ssh_config, "TOKENS")."""


class _End(Exception):
    """SIGTERM."""


def serve(state: Path, target: str, version: str) -> int:
    """Keep the line until told to end; call with the lock held. Returns the exit status."""
    logs.start(state / "logs", "info")
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    line = RemoteLine(state, target, version)
    try:
        line.keep()
    except _End:
        pass
    finally:
        line.close()
        no_line.forget(state)
    return 0


def _end(_number: int, _frame: FrameType | None) -> None:
    raise _End


class RemoteLine:
    """The line to one computer.

    Args:
        state: this computer's state folder; target: `user@host`; version: of S²Edit here.
    """

    def __init__(self, state: Path, target: str, version: str) -> None:
        self._state, self._target, self._version = state, target, version
        self._ssh: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._forwarded = ""
        self._near = ""
        self._boot = ""
        self._slow = False

    def keep(self) -> None:
        """Make the line, and make it again whenever it breaks; returns when no daemon runs there any more."""
        pause, start, stopped_since = FIRST_PAUSE, True, 0.0
        no_line.forget(self._state)
        while True:
            try:
                far, rate = remote.ask_and_measure(self._target, start=start)
                self._slow = rate is not None and rate < line_rate.SLOW
                if rate is not None:
                    LOG.info("%.0f Mbit/s: %s", rate * 8e-6, "compressed" if self._slow else "as the user has set it")
                with self._greeted(far) as client:
                    LOG.info("the line to %s stands", self._target)
                    pause, start, stopped_since = FIRST_PAUSE, False, 0.0
                    self._hold(client)
            except WireError as error:
                trouble = NoLine(error.message, error.hint, lasting=True)
            except NoLine as error:
                trouble = error
            except Unreachable:
                trouble = self._broken()
            self._hide()
            no_line.note(self._state, trouble)
            LOG.warning("no line: %s", trouble.message)
            if trouble.stopped:
                stopped_since = stopped_since or time.monotonic()
                if time.monotonic() - stopped_since > GRACE:
                    return
            time.sleep(LONGEST_PAUSE if trouble.lasting else pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def close(self) -> None:
        """Take the line down."""
        self._hide()
        self._hang_up()

    def _greeted(self, far: Connection) -> Client:
        """A client that has greeted the far daemon over the line, which everybody here finds from now on."""
        self._forward(far)
        path = write_connection_file(
            self._state, endpoint=self._near, key=far.key, version=far.version, boot=far.boot, user=far.user
        )
        self._boot = far.boot
        client = Client("other", self._version, self._state)
        try:
            client.connect(OPEN_PATIENCE)
        except BaseException:
            client.close()
            path.unlink(missing_ok=True)
            raise
        no_line.forget(self._state)
        return client

    def _hold(self, client: Client) -> None:
        """Until the line breaks; raises Unreachable then."""
        while True:
            client.wait(1.0)
            client.pump()

    def _forward(self, far: Connection) -> None:
        """Have ssh forward the far daemon's socket, unless it does; raises NoLine."""
        wanted = far.endpoint
        if self._ssh is not None and self._ssh.poll() is None and self._forwarded == wanted:
            return
        self._hang_up()
        port = far.tcp_port
        if port is None and not _PLAIN.match(far.socket_path):
            raise NoLine(
                f"S²Edit's folder on {self._target} has a name that SSH can't forward.",
                "Set S2EDIT_HOME there to a path of letters and digits.",
                lasting=True,
            )
        near, self._near = self._near_end()
        there = far.socket_path if port is None else f"127.0.0.1:{port}"
        self._said = tempfile.TemporaryFile(dir=run_folder(self._state))  # noqa: SIM115 - open for as long as ssh runs
        options = (
            "-o",
            "ExitOnForwardFailure=yes",
            "-o",
            "StreamLocalBindUnlink=yes",
            "-o",
            "StreamLocalBindMask=0177",
            *(("-o", "Compression=yes") if self._slow else ()),
        )
        try:
            self._ssh = subprocess.Popen(  # noqa: S603 - every part was checked by `checked`, `_PLAIN`, or is ours
                [*remote.ssh(), *options, "-N", "-L", f"{near}:{there}", "--", remote.checked(self._target)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
            )
        except OSError as error:
            raise remote.no_ssh() from error
        self._forwarded = wanted
        self._await_near()

    def _near_end(self) -> tuple[str, str]:
        """(the near end as ssh's -L wants it, as an endpoint): a socket in our own folder, or a free port."""
        path = run_folder(self._state) / NEAR
        if sys.platform != "win32" and _PLAIN.match(str(path)) and len(str(path)) <= MAX_IPC_PATH:
            return str(path), f"ipc://{path}"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        return f"127.0.0.1:{port}", f"tcp://127.0.0.1:{port}"

    def _await_near(self) -> None:
        until = time.monotonic() + OPEN_PATIENCE
        while not self._is_open():
            assert self._ssh is not None
            if self._ssh.poll() is not None or time.monotonic() > until:
                raise self._broken()
            time.sleep(0.05)

    def _is_open(self) -> bool:
        kind, _, place = self._near.partition("://")
        with socket.socket(socket.AF_UNIX if kind == "ipc" else socket.AF_INET) as tried, suppress(OSError):
            tried.settimeout(1.0)
            tried.connect(place if kind == "ipc" else ("127.0.0.1", int(place.rpartition(":")[2])))
            return True
        return False

    def _broken(self) -> NoLine:
        """Why the line broke: ssh's own reason when it has ended, else the far daemon's."""
        if self._ssh is not None and self._ssh.poll() is not None:
            assert self._said is not None
            self._said.seek(0)
            said = self._said.read(remote.MAX_SAID).decode("utf-8", "replace")
            code = self._ssh.returncode
            self._hang_up()
            return remote.explained(self._target, 255 if code < 0 else code, said)
        return NoLine(f"The line to S²Edit on {self._target} broke; it is being made again.")

    def _hide(self) -> None:
        """Take the connection file away, if it is ours."""
        if self._boot:
            remove_connection_file(self._state, self._boot)
            self._boot = ""

    def _hang_up(self) -> None:
        if self._ssh is not None:
            self._ssh.terminate()
            try:
                self._ssh.wait(5)
            except subprocess.TimeoutExpired:
                self._ssh.kill()
                self._ssh.wait()
            self._ssh = None
        if self._said is not None:
            self._said.close()
            self._said = None
        (run_folder(self._state) / NEAR).unlink(missing_ok=True)
