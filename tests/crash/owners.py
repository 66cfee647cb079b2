"""Promise 10: one daemon per user, and nobody else's business; files left by a killed one are recognised."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from s2edit_server.daemon import NO_FOLDER
from s2edit_wire.client import Client
from s2edit_wire.errors import Unreachable

from tests.crash.figures import Figures
from tests.fakes.daemon import RunningDaemon, finished, show, submit

STRANGER = 54_321
"""A user id that nobody has."""
ATTACKS = """
import json, os, socket, sys
home, user = sys.argv[1], int(sys.argv[2])
os.setgroups([]); os.setgid(user); os.setuid(user)
def attempt(name, action):
    try:
        action()
    except PermissionError:
        return None
    return name
def connect(name):
    socket.socket(socket.AF_UNIX).connect(f"{home}/run/{name}")
def squat():
    open(f"{home}/run/other", "w")
tries = {
    "read the key": lambda: open(f"{home}/run/daemon.json"),
    "connect": lambda: connect("daemon.sock"),
    "connect behind the gate": lambda: connect("inner.sock"),
    "list jobs": lambda: os.listdir(home),
    "read jobs": lambda: open(f"{home}/jobs.sqlite3"),
    "put a file beside the socket": squat,
    "remove the socket": lambda: os.unlink(f"{home}/run/daemon.sock"),
    "read the log": lambda: open(f"{home}/logs/daemon.log"),
}
print(json.dumps([name for name, action in tries.items() if attempt(name, action)]))
"""


def check(scale: int, folder: Path, seed: int = 0) -> Figures:
    """Try what another user, a second daemon and a killed one's files could do, `scale` times."""
    # The way to the state folder is open, so that only its own modes are what keeps the stranger out.
    folder.chmod(0o755)
    root = os.getuid() == 0
    for number in range(scale):
        home = folder / f"s{number}"
        daemon = RunningDaemon(home)
        with daemon, daemon.client() as client:
            job = submit(client)
            finished(client, job)
            _modes(home)
            if root:
                code = [sys.executable, "-c", ATTACKS, str(home), str(STRANGER)]
                answer = subprocess.run(code, capture_output=True, check=True, timeout=30)
                assert json.loads(answer.stdout) == [], "another user could do this"
            _second_refuses(home)
            client.request("ping")
            daemon.kill()
            with pytest.raises(Unreachable) as caught:
                Client("other", "test", state_folder=home).connect()
            assert caught.value.message
        with daemon, daemon.client() as client:
            assert show(client, job)["state"] == "done"
        if root:
            _squatted(folder / f"squat{number}")
    who = f"user {STRANGER} was denied, a folder of theirs refused" if root else "modes checked (not root)"
    told = f"{who}; second daemon refused, killed one's socket and file recognised and replaced"
    return Figures({"daemons": scale, "attempts of another user": 8 * scale if root else 0}, {}, told)


def _modes(home: Path) -> None:
    for path in (home, home / "run", home / "logs", home / "blobs"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    for path in (home / "run" / "daemon.json", home / "jobs.sqlite3", home / "logs" / "daemon.log"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def _second_refuses(home: Path) -> None:
    second = RunningDaemon(home)
    second.launch()
    assert second.process is not None
    assert second.process.wait(30) == 1
    assert "running already" in second.errors()


def _squatted(home: Path) -> None:
    """A state folder that somebody else made first is not used."""
    home.mkdir()
    os.chown(home, STRANGER, STRANGER)
    daemon = RunningDaemon(home)
    daemon.launch()
    assert daemon.process is not None
    assert daemon.process.wait(30) == NO_FOLDER
    assert "another user" in daemon.errors()
    assert list(home.iterdir()) == []
