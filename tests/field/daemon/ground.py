"""The ground on which the daemon is attacked: its wire, its files and the commands, nothing of how it is made.

So the same attacks can be thrown at an older version: `python -m tests.field.daemon COMMIT`.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from s2edit_wire.client import Client
from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.pack import pack
from s2edit_wire.zmtp import frame_head

from tests.fakes.daemon import RunningDaemon

ROOT = Path(__file__).parents[3]
CODE = {"PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in (".", "server", "installer"))}
"""The environment in which programs are of this folder's version, whichever is installed."""
MORE = 1
SOON = 10.0
"""Seconds within which everything has to be answered, on a loaded machine too; it takes tenths."""
HELD_UP = 1.5
"""Seconds that a ping may take on a loaded machine; the attacks made it 2 to 13 on one that was not."""


def verdict(held: bool, words: str) -> str:
    """What came of an attack."""
    return f"{'held' if held else 'broken'}: {words}"


def state_folder(folder: Path) -> Path:
    """An empty state folder in it, with a folder for weights."""
    state = folder / "s"
    (state / "weights").mkdir(mode=0o700, parents=True)
    state.chmod(0o700)
    return state


def daemon_in(state: Path, *, module: str = "s2edit_server", **more: Any) -> RunningDaemon:
    """A daemon that is not started yet, without the models that other programs have downloaded."""
    nowhere = {"HF_HUB_CACHE": str(state / "hub"), "HF_HOME": str(state / "hf"), "HF_TOKEN": ""}
    more["environment"] = {**CODE, **nowhere, **more.get("environment", {})}
    return RunningDaemon(state, module=module, **more)


@contextlib.contextmanager
def running(daemon: RunningDaemon) -> Iterator[RunningDaemon]:
    """Started; at the end it is gone in any case, politely where that works."""
    try:
        daemon.start()
        yield daemon
        if daemon.process is not None and daemon.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.stop(SOON)
    finally:
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.kill()


def s2edit(state: Path, *arguments: str, cwd: Path | None = None, seconds: float = 60.0, **more: str) -> str:
    """Exit code and words of a command as the user types it; “no answer” when it takes longer."""
    command = [str(Path(sys.executable).parent / "s2edit"), *arguments]
    environment = {**os.environ, **CODE, "S2EDIT_HOME": str(state), **more}
    try:
        ran = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return "no answer"
    return f"exit {ran.returncode}: {' '.join((ran.stdout + ran.stderr).split())}"


def asked(client: Client, op: str, fields: dict[str, Any] | None = None, seconds: float = SOON) -> str:
    """“answered”, the code of the error, or “no answer”."""
    try:
        client.request(op, fields or {}, timeout=seconds)
    except WireError as error:
        return error.code
    except (OSError, Unreachable):
        return "no answer"
    return "answered"


def message(*parts: bytes) -> bytes:
    """A message as it goes over the line."""
    return b"".join(
        frame_head(len(part), MORE if place < len(parts) - 1 else 0) + part for place, part in enumerate(parts)
    )


def request(magic: bytes, **fields: Any) -> bytes:
    """A request as it goes over the line."""
    return message(magic, pack(fields))


def _send(line: Any, data: bytes, stop: threading.Event) -> None:
    """Send it, as far as the daemon takes it, until told to stop."""
    left = memoryview(data)
    while left and not stop.is_set():
        with contextlib.suppress(TimeoutError):
            try:
                left = left[line.send(left[: 1 << 20]) :]
            except ConnectionError:
                return


@contextlib.contextmanager
def sending(daemon: RunningDaemon, peers: Sequence[bytes]) -> Iterator[None]:
    """As many peers that know the key and said hello as there are texts: each sends its own, and reads nothing."""
    stop = threading.Event()
    with contextlib.ExitStack() as opened:
        threads = []
        for data in peers:
            client = opened.enter_context(Client("other", "1", daemon.folder))
            line = client._linked()._socket
            line.settimeout(0.2)
            threads.append(threading.Thread(target=_send, args=(line, data, stop)))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()


@contextlib.contextmanager
def pinging(daemon: RunningDaemon) -> Iterator[list[float]]:
    """Somebody else asks all the while; the seconds that each answer took."""
    took: list[float] = []
    done = threading.Event()

    def ask() -> None:
        with daemon.client() as client:
            while not done.is_set():
                began = time.monotonic()
                with contextlib.suppress(WireError, Unreachable, OSError):
                    client.request("ping", {}, timeout=3 * SOON)
                took.append(time.monotonic() - began)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield took
    finally:
        done.set()
        thread.join()


def stored(folder: Path) -> int:
    """How many pictures are kept anywhere in a state folder."""
    return sum(len(path.name) == 64 for path in folder.rglob("*") if path.is_file())


def catalogue(state: Path, *entries: dict[str, Any]) -> None:
    """The list of models that somebody else has put into the weights folder."""
    whole = {
        "title": "", "purpose": "", "role": "editor", "domain": "any", "native": 1, "memory": 1, "licence": "",
        "repo": "a/b", "revision": "0" * 40, "files": [{"name": "unet/config.json"}],
    }  # fmt: skip
    (state / "weights" / "catalogue.json").write_text(json.dumps({"models": [whole | entry for entry in entries]}))


@contextlib.contextmanager
def another_program(answer: bytes | None) -> Iterator[int]:
    """A program on a port, which says this to whoever connects (None: hangs up; b"": nothing)."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = server.accept()
                    held.append(peer)
                    if answer is None:
                        peer.close()
                    elif answer:
                        peer.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for peer in held:
            peer.close()
