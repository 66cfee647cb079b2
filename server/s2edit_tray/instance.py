"""One tray app per user and state folder: the first one listens, a later one has it show its window and ends."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from s2edit_wire.paths import run_folder, state_folder

SOCKET_NAME = "tray.sock"
MAX_PATH = 95
"""Bytes: sockaddr_un has room for 103, and Qt makes the socket in a folder beside its place, then moves it there."""
_SHOW, _SHOWN = b"show\n", b"shown\n"
_PATIENCE_MS = 5_000
"""How long one that runs may take to show its window: it may be drawing a large result."""


def address(state: Path) -> str:
    """Where the tray app of a state folder listens: in its run folder, which only this user can enter.

    Where that path is too long for a socket, in the desktop's runtime folder, which Qt checks to be the user's alone.
    On Windows, it is the name of a pipe.
    """
    inside = run_folder(state) / SOCKET_NAME
    if os.name == "posix" and len(os.fsencode(inside)) <= MAX_PATH:
        return str(inside)
    name = f"s2edit-tray-{hashlib.sha256(os.fsencode(state)).hexdigest()[:16]}"
    runtime = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.RuntimeLocation)
    return str(Path(runtime) / name) if os.name == "posix" and runtime else name


class SingleInstance(QObject):
    """The tray app's own socket.

    Signals:
        called: another one was started: show the window, then `answer`.
    """

    called = Signal()

    def __init__(self, state: Path | None = None) -> None:
        super().__init__()
        self._state = state or state_folder()
        self._server = QLocalServer(self)
        self._server.newConnection.connect(self._greet)
        self._callers: list[QLocalSocket] = []

    def call(self) -> bool:
        """Have the one that runs show its window; whether it says that it does."""
        socket = QLocalSocket()
        socket.connectToServer(address(self._state))
        if not socket.waitForConnected(500):
            return False
        socket.write(_SHOW)
        until = time.monotonic() + _PATIENCE_MS / 1000
        said = b""
        while not said.endswith(b"\n") and (left := until - time.monotonic()) > 0:
            if not socket.waitForReadyRead(round(left * 1000)):
                break
            said += socket.readAll().data()
        return said == _SHOWN

    def wait(self, seconds: float) -> bool:
        """The same for one that may be starting only now."""
        until = time.monotonic() + seconds
        while not self.call():
            if time.monotonic() > until:
                return False
            time.sleep(0.1)
        return True

    def listen(self) -> bool:
        """Be the first one. False when nothing can be written there: then no other one finds this."""
        try:
            run_folder(self._state).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            return False
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        # A socket file that a crash left behind would make `listen` fail; nobody answered on it, so it is stale.
        QLocalServer.removeServer(address(self._state))
        return self._server.listen(address(self._state))

    def answer(self) -> None:
        """Tell whoever called that the window is shown."""
        for socket in self._callers:
            socket.write(_SHOWN)
            socket.flush()
            socket.disconnectFromServer()
        self._callers.clear()

    def _greet(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.disconnected.connect(socket.deleteLater)
            socket.readyRead.connect(lambda socket=socket: self._hear(socket))
            if socket.bytesAvailable():
                self._hear(socket)

    def _hear(self, socket: QLocalSocket) -> None:
        if socket in self._callers:
            socket.readAll()
        elif socket.canReadLine():
            if socket.readLine().data() == _SHOW:
                self._callers.append(socket)
                self.called.emit()
        elif socket.bytesAvailable() > len(_SHOW):
            socket.abort()
