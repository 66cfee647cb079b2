"""This computer's processes of Ray: started, kept up, and ended; those and no others (`ray stop` ends everybody's).

`run` stays in the foreground, as a service wants it: systemd's `ExecStart=s2edit cluster run`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

from filelock import FileLock, Timeout
from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.programs import run_python

from . import membership
from .membership import Studio

LOCK, PID = "run.lock", "run.pid"
PREFIX = "s2edit-ray-"
ALIVE = "alive.lock"
"""In Ray's folder; held for as long as who made it lives."""
YOUNG_S = 60.0
"""Seconds for which a folder without that may still be about to get it."""
SEAT = "s2edit_seat"
"""The resource that a computer offers, one for each of its cards."""
START_S = 60.0
"""Seconds until a computer's part has to answer."""
END_S = 20.0
HEAD_S = 10.0
"""Seconds until the head has to take a connection."""
PAUSE = 2.0
"""Seconds between two starts, where Ray ended by itself."""
SHORT = "/tmp"  # noqa: S108 - a folder of our own in it, made by mkdtemp; a socket's path has at most 107 bytes
OWN_THREADS = "S2EDIT_OWN_OMP"
"""Says that OMP_NUM_THREADS was set by this computer's people: Ray sets it, too."""


class _End(Exception):
    """SIGTERM."""


def command(studio: Studio, folder: Path) -> list[str]:
    """How Ray is started here; `folder` is its own, open to nobody else."""
    member = studio.member
    first = member.port
    role = ["--head", f"--port={first}"] if studio.is_head else [f"--address={member.head}:{member.head_port}"]
    return [
        *run_python(),
        *("-c", "from ray.scripts.scripts import main; main()", "start", *role, "--block"),
        f"--node-ip-address={member.address}",
        f"--node-manager-port={first + 1}",
        f"--object-manager-port={first + 2}",
        f"--runtime-env-agent-port={first + 3}",
        f"--min-worker-port={first + 10}",
        f"--max-worker-port={first + membership.PORTS - 1}",
        *(["--include-dashboard=false"] if studio.is_head else []),
        "--disable-usage-stats",
        f"--temp-dir={folder}",
        f"--object-spilling-directory={_fresh(studio.folder / 'spill')}",
        "--num-cpus=0",
        "--num-gpus=0",
        f'--resources={{"{SEAT}": {member.seats}}}',
    ]


def run(state: Path) -> int:
    """Keep this computer's part up until SIGTERM; returns the exit status. Raises WireError."""
    studio = membership.found_studio(state)
    os.umask(0o077)
    lock = _held(studio)
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    (studio.folder / PID).write_text(str(os.getpid()), encoding="ascii")
    try:
        while True:
            _once(studio)
            time.sleep(PAUSE)
    except _End:
        return 0
    finally:
        (studio.folder / PID).unlink(missing_ok=True)
        lock.release()


def start(state: Path) -> None:
    """Have `run` in the background; returns once this computer is there. Raises WireError, Unreachable."""
    studio = membership.found_studio(state)
    if runs(studio):
        return
    _refuse_without_head(studio)
    _log(studio).parent.mkdir(mode=0o700, exist_ok=True)
    with _log(studio).open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - ours
            [*run_python(), "-m", "s2edit_cli", "cluster", "run"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ | {"S2EDIT_HOME": str(state)},
            start_new_session=True,
        )
    until = time.monotonic() + START_S
    while not is_up(studio):
        if process.poll() is not None or time.monotonic() > until:
            end(studio)
            raise WireError(
                "internal",
                "This computer's part of the studio did not start.",
                f"See {_log(studio)}; is the head up, and can its ports be reached from here?",
            )
        time.sleep(0.2)


def end(studio: Studio) -> None:
    """End this computer's part, and wait for that; raises WireError."""
    until = time.monotonic() + END_S
    with contextlib.suppress(OSError, ValueError):
        os.kill(int((studio.folder / PID).read_text(encoding="ascii")), signal.SIGTERM)
    while runs(studio):
        if time.monotonic() > until:
            raise WireError("internal", "This computer's part of the studio does not end.", f"See {_log(studio)}")
        time.sleep(0.1)


def runs(studio: Studio) -> bool:
    """Whether `run` is at work here."""
    try:
        FileLock(studio.folder / LOCK).acquire(timeout=0).lock.release()
    except Timeout:
        return True
    return False


def is_up(studio: Studio) -> bool:
    """Whether Ray here has started."""
    return (studio.folder / "up").exists()


def _log(studio: Studio) -> Path:
    return studio.folder.parent / "logs" / "studio.log"


def _refuse_without_head(studio: Studio) -> None:
    """Ray itself would wait for a head that is not there for minutes; raises Unreachable."""
    member = studio.member
    if studio.is_head:
        return
    try:
        socket.create_connection((member.head, member.head_port), HEAD_S).close()
    except OSError as error:
        raise Unreachable(
            f"The studio's head doesn't answer at {member.head}, port {member.head_port}: {error.strerror or error}.",
            "See there that `s2edit cluster status` says it is up, and that its firewall lets this computer in.",
        ) from error


def _once(studio: Studio) -> None:
    """Ray from its start to its end; its folder goes with it."""
    sweep(Path(SHORT))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=SHORT))
    alive = FileLock(folder / ALIVE)
    alive.acquire(timeout=0)
    own = folder / "ray"  # Ray opens its own folder to everybody; nobody gets through the one around it
    up = studio.folder / "up"
    environment = os.environ | studio.environment()
    if "OMP_NUM_THREADS" in environment:
        environment[OWN_THREADS] = "1"
    process = subprocess.Popen(command(studio, own), env=environment, start_new_session=True)  # noqa: S603 - ours
    try:
        while process.poll() is None:
            if not up.exists() and any(own.glob("session_latest/sockets/raylet")):
                up.touch()
            time.sleep(0.1)
        sys.stderr.write(f"ray ended, exit status {process.returncode}\n")
    finally:
        up.unlink(missing_ok=True)
        _end_group(process)
        shutil.rmtree(studio.folder / "scratch", ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        alive.release()


def sweep(parent: Path) -> None:
    """Remove this user's folders of Ray whose makers are gone without a word, of whatever studio and state folder."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # another may sweep, too
            if folder.lstat().st_uid == os.getuid() and folder.is_dir() and not folder.is_symlink():
                alive = folder / ALIVE
                if not alive.exists() and time.time() - folder.stat().st_mtime < YOUNG_S:
                    continue
                with contextlib.suppress(Timeout), FileLock(alive, timeout=0):
                    shutil.rmtree(folder, ignore_errors=True)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End Ray and all that it started here: they are in the session that was made for it."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _held(studio: Studio) -> FileLock:
    lock = FileLock(studio.folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise WireError("wrong_state", "This computer's part of the studio is up already.") from error
    return lock


def _fresh(folder: Path) -> Path:
    """An empty folder for what does not fit into memory: nothing of an earlier run stays."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def _end(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once: what is being taken down has to come to its end
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise _End
