"""A fresh environment for a wheel: everything but S²Edit comes from the tests' own environment, by a path file.

So no gigabyte is fetched or copied. The checkout is not on its path: modules are looked for in the folders that a path
file names, but further path files, such as the one that makes this checkout importable, are not.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path


class Fresh:
    """An environment made for one test.

    Args:
        folder: where; made here.
        run_by: turns a command into one that somebody else runs; None for whoever runs the tests.
    """

    def __init__(self, folder: Path, run_by: Callable[..., list[str]] | None = None) -> None:
        self._run_by = run_by or (lambda *command: list(command))
        self.folder = folder
        self._run(sys.executable, "-m", "venv", "--without-pip", str(folder))
        self.python = folder / "bin" / "python"
        self.command = folder / "bin" / "s2edit"
        (site,) = folder.glob("lib/python3.*/site-packages")
        self._shared = site / "shared.pth"

    def install(self, wheel: Path) -> None:
        """Install, or replace, by pip."""
        # Away meanwhile: pip must not take the tests' own S²Edit for one that is installed here.
        self._shared.unlink(missing_ok=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(self.python)]
        self._run(*pip, "install", "--quiet", "--no-cache-dir", "--no-index", "--no-deps", str(wheel))
        self._shared.write_text("\n".join({sysconfig.get_path(name): "" for name in ("purelib", "platlib")}))

    def _run(self, *command: str) -> None:
        ran = subprocess.run(self._run_by(*command), capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
