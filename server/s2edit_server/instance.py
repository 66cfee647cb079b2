"""One daemon per user: the state folder, the lock that proves it, the endpoint, and clearing up after a killed one."""

from __future__ import annotations

import os
from pathlib import Path

from filelock import FileLock, Timeout
from s2edit_wire.living import LOCK

MAX_IPC_PATH = 100
"""Bytes; sockaddr_un has room for 103 (macOS) or 107 (Linux) and a terminator."""
SOCKET_NAME = "daemon.sock"
INNER_NAME = "inner.sock"


class AlreadyRunning(Exception):
    """Another daemon of this user holds the state folder."""


def private_folder(path: Path) -> Path:
    """The folder, made if need be, for its owner's eyes only; raises PermissionError when it is somebody else's."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name == "posix":
        state = path.lstat()
        if state.st_uid != os.getuid():
            raise PermissionError(
                f"{path} belongs to another user. Remove it, or set S2EDIT_HOME to a folder of yours."
            )
        if state.st_mode & 0o077:
            path.chmod(0o700)
    return path


def lock(run_folder: Path) -> FileLock:
    """Take the lock that makes this process the only daemon; held until the process ends, however it ends.

    Clients tell by it whether a daemon lives (`s2edit_wire.living`).

    Raises:
        AlreadyRunning: soon, when another one holds it.
    """
    held = FileLock(run_folder / LOCK, mode=0o600)
    try:
        # Not the first try only: a program that looks whether a daemon lives has the lock for a moment.
        held.acquire(timeout=0.3, poll_interval=0.02)
    except Timeout as error:
        raise AlreadyRunning("S²Edit's daemon is running already. Stop it with: s2edit daemon stop") from error
    return held


def socket_path(run_folder: Path) -> Path | None:
    """Where to listen; call with the lock held, since a socket left by a killed daemon is removed here.

    None, for a loopback port, on Windows or when the folder's path is too long for a Unix socket.
    """
    path = run_folder / SOCKET_NAME
    if os.name != "posix" or len(os.fsencode(path)) > MAX_IPC_PATH:
        return None
    path.unlink(missing_ok=True)
    return path


def inner_endpoint(run_folder: Path) -> str:
    """Where libzmq listens, behind the front door: as `socket_path`, a Unix socket or a loopback port.

    No folder for temporary files is used: what a killed daemon left there would stay.
    """
    path = run_folder / INNER_NAME
    if os.name != "posix" or len(os.fsencode(path)) > MAX_IPC_PATH:
        return "tcp://127.0.0.1:*"
    path.unlink(missing_ok=True)
    return f"ipc://{path}"


def remove_sockets(run_folder: Path) -> None:
    """Leave no sockets behind at a clean end; call with the lock held."""
    for name in (SOCKET_NAME, INNER_NAME):
        (run_folder / name).unlink(missing_ok=True)
