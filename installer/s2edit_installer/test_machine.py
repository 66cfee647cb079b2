"""What the tests need beyond Python: a virtual screen, Qt's libraries, the real editors. Standard library only."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from .environment import Environment
from .words import Trouble, say

PACKAGES = (
    "xvfb",
    "xauth",
    "xdotool",
    "openbox",
    "dbus",
    "x11-utils",
    "imagemagick",
    "appstream",
    "libimage-exiftool-perl",
    "openssh-client",
    "openssh-server",
    "libegl1",
    "libgl1",
    "libxkbcommon0",
    "libxkbcommon-x11-0",
    "libdbus-1-3",
    "libfontconfig1",
    "fonts-dejavu-core",
    "libxcb-cursor0",
    "libxcb-icccm4",
    "libxcb-image0",
    "libxcb-keysyms1",
    "libxcb-randr0",
    "libxcb-render-util0",
    "libxcb-shape0",
)
"""Debian's names; PySide6 needs the libraries, the window tests the rest; two read marks on their own."""


def provision(environment: Environment, root: Path, *, editors: bool = True) -> None:
    """Install what is missing; Trouble says what cannot be had.

    Args:
        environment: with the tests' dependencies.
        root: the checkout.
        editors: GIMP and Krita too, which the lane “quick” does without.
    """
    if shutil.which("apt-get") is None:
        raise Trouble(
            "The tests run on Debian or Ubuntu: they need apt-get for a virtual screen and the real editors.\n"
            "Elsewhere, run those that need no editor:  .venv/bin/python installer/check.py --quick"
        )
    missing = [name for name in PACKAGES if not _installed(name)]
    if missing:
        say(f"Installing for the tests: {' '.join(missing)}")
        apt = [*_as_root(missing), "apt-get"]
        settings = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        _run([*apt, "update", "-qq"], settings, "apt-get update failed. Check the network, then run this again.")
        install = [*apt, "install", "-y", "-qq", "--no-install-recommends", *missing]
        _run(install, settings, f"apt-get could not install {' '.join(missing)}. Install them, then run this again.")
    if editors:
        say("The real editors (two minutes the first time) …")
        command = [str(environment.python), "-m", "tests.hosts.provision"]
        _run(command, dict(os.environ), "The real editors could not be installed; see above.", cwd=root)


def _installed(package: str) -> bool:
    asked = subprocess.run(  # noqa: S603
        ["dpkg-query", "-W", "-f", "${Status}", package],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout == "install ok installed"


def _as_root(missing: list[str]) -> list[str]:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        raise Trouble(f"The tests need these packages:\n    apt-get install {' '.join(missing)}\nInstall them as root.")
    return ["sudo"]


def _run(command: list[str], environment: dict[str, str], trouble: str, cwd: Path | None = None) -> None:
    if subprocess.run(command, env=environment, cwd=cwd, check=False).returncode:  # noqa: S603
        raise Trouble(trouble)
