"""Starts a worker process and lays the line to it: a socket pair, or on Windows a loopback connection with a token."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from s2edit_wire.programs import run_python

from . import worker_link as link

CONNECT_TIMEOUT = 30.0
"""Seconds until a worker has to have connected, where it connects by itself."""
MAX_LOG = 8 * 1024 * 1024
"""Bytes after which the worker's output begins anew; what was there is kept beside, once."""

Worker = tuple[subprocess.Popen[bytes], asyncio.StreamReader, asyncio.StreamWriter]


async def spawn(module: str, state_folder: Path, log_path: Path, variables: Mapping[str, str]) -> Worker:
    """Run `python -m module` as a worker with these variables too; raises OSError when that is impossible."""
    if os.name == "posix":
        ours, theirs = socket.socketpair()
        with theirs:
            process = _start(
                module,
                state_folder,
                log_path,
                {**variables, link.FD_VARIABLE: str(theirs.fileno())},
                (theirs.fileno(),),
            )
        return process, *await asyncio.open_connection(sock=ours)
    return await _spawn_over_loopback(module, state_folder, log_path, variables)


def _start(
    module: str, state_folder: Path, log_path: Path, line: dict[str, str], descriptors: tuple[int, ...] = ()
) -> subprocess.Popen[bytes]:
    environment = os.environ | line | {link.STATE_VARIABLE: str(state_folder), "PYTHONFAULTHANDLER": "1"}
    # The worker never fetches anything: weights are the daemon's business, and offline means offline.
    environment |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    # For the compilers that torch starts: they too look into no folder that somebody happens to be in.
    environment["PYTHONSAFEPATH"] = "1"
    # Torch's default lies in a folder that everybody may write to, and what lies there is run.
    environment.setdefault("TORCHINDUCTOR_CACHE_DIR", str(state_folder / "compiled"))
    log_path.parent.mkdir(parents=True, exist_ok=True)
    limit_log(log_path)
    with log_path.open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own interpreter, a module named on our own command line
            [*run_python(), "-m", module],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            pass_fds=descriptors,
            start_new_session=True,
        )


def limit_log(path: Path) -> None:
    """Begin a log anew that has become too long, also while a worker writes to it (it appends, wherever the end is)."""
    with contextlib.suppress(OSError):  # a full disk, or no log yet: the next look comes
        if path.stat().st_size > MAX_LOG:
            shutil.copyfile(path, path.with_suffix(".1.log"))
            os.truncate(path, 0)


async def _spawn_over_loopback(module: str, state_folder: Path, log_path: Path, variables: Mapping[str, str]) -> Worker:
    token = secrets.token_bytes(32)
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0), backlog=1) as server:
        server.setblocking(False)
        line = {**variables, link.PORT_VARIABLE: str(server.getsockname()[1]), link.TOKEN_VARIABLE: token.hex()}
        process = _start(module, state_folder, log_path, line)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                while True:
                    connection, _ = await loop.sock_accept(server)
                    reader, writer = await asyncio.open_connection(sock=connection)
                    if hmac.compare_digest(await reader.readexactly(len(token)), token):
                        return process, reader, writer
                    writer.close()
        except (TimeoutError, asyncio.IncompleteReadError) as error:
            process.kill()
            raise OSError("the worker did not connect") from error
