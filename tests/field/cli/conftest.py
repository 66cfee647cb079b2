"""A screen without a monitor, a home of the test's own, and what is on that screen."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest


def wait_for(condition: Callable[[], object], what: str, timeout: float = 90) -> None:
    """Look until it holds; AssertionError when that takes so long that it never will."""
    until = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < until, f"{what}: it did not happen"
        time.sleep(0.1)


@dataclass(frozen=True)
class Desktop:
    """A user's home with a screen.

    Args:
        home: the home folder. environment: what programs of this user are started with.
    """

    home: Path
    environment: dict[str, str]

    @property
    def state(self) -> Path:
        """The state folder."""
        return Path(self.environment["S2EDIT_HOME"])

    def windows(self) -> list[str]:
        """Titles of the windows that can be seen."""
        names = ["xdotool", "search", "--onlyvisible", "--name", "S²Edit$", "getwindowname", "%@"]
        found = subprocess.run(names, env=self.environment, capture_output=True, text=True, check=False)
        return found.stdout.splitlines()

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a program of this user to its end."""
        return subprocess.run(
            command, env=self.environment | more, capture_output=True, text=True, timeout=120, check=False
        )


@pytest.fixture
def screen() -> Iterator[str]:
    """The name of a screen without a monitor."""
    read, write = os.pipe()
    # As small as a screen at two dots to the pixel is. Not reset when its last program leaves: another may be coming.
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1024x768x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as said:
        number = said.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


@pytest.fixture
def desk(screen: str) -> Iterator[Desktop]:
    with tempfile.TemporaryDirectory(prefix="s2f") as name:
        home = Path(name)
        environment = {
            "HOME": str(home),
            "S2EDIT_HOME": str(home / "s"),
            "DISPLAY": screen,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "OMP_NUM_THREADS": "1",
        }
        made = Desktop(home, environment)
        yield made
        made.run(sys.executable, "-P", "-m", "s2edit_cli", "daemon", "stop")
        for entry in Path("/proc").glob("[0-9]*/environ"):
            # Whatever runs in this home was started by this test, by way of a desktop's file.
            with suppress(OSError):
                if f"S2EDIT_HOME={home / 's'}".encode() in entry.read_bytes().split(b"\0"):
                    os.kill(int(entry.parent.name), 15)
