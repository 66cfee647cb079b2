"""The virtual environment beside the checkout: made, kept up to date, removed. Standard library only."""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from . import locking
from .pip_run import pip
from .torch_choice import TorchBuild, choose, cpu_from_own_index
from .words import Trouble, say

_HASHED = ["--require-hashes", "--no-deps"]
"""Each file that is fetched has to have one of the digests in `locked/`, and nothing else is."""
NEEDED = {"cpu": 3, "given": 3, "cuda": 10, "rocm": 18}
"""GiB of free disk that an environment with each PyTorch build takes, downloads included."""


class Environment:
    """`.venv` in a checkout.

    Args:
        root: the checkout.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        scripts = "Scripts" if os.name == "nt" else "bin"
        self.python = self.folder / scripts / ("python.exe" if os.name == "nt" else "python")
        self._stamp = self.folder / "s2edit-stamp.json"

    def make(self, extras: tuple[str, ...], options: argparse.Namespace) -> None:
        """Make it so that it has these extras; does nothing when it already has. Raises Trouble.

        Args:
            extras: of pyproject.toml.
            options: `torch`, `torch_index`, `constraints` of the quickstart.
        """
        constraints = (options.constraints or self.root / "installer" / "constraints.txt").resolve()
        if not constraints.is_file():
            raise Trouble(f"There is no file {constraints}.")
        digest, known = self._read_stamp()
        wanted, now = sorted({*extras, *known}), self._digest(constraints, options)
        if (digest, known) == (now, wanted) and self._works():
            say(f"Environment: ready ({self.folder})")
            return
        self._check_tools()
        choice = choose(_pinned(constraints), options.torch, options.torch_index)
        self._check_space(choice)
        self._create()
        self._stamp.unlink(missing_ok=True)
        pip(self.python, ["--upgrade", "pip"], "Preparing", raw=False, constraints=constraints)
        choice = self._without_needless_gigabytes(choice, constraints)
        say(f"PyTorch: {choice.why}")
        locked = locking.files(self.root, wanted) if options.constraints is None and choice.kind != "given" else []
        self._fetch_torch(choice, constraints, locked=bool(locked))
        what = f"{self.root}[{','.join(wanted)}]"
        if locked:
            pip(self.python, [*_HASHED, *(f"--requirement={path}" for path in locked)], "Fetching the rest")
            pip(self.python, ["--no-deps", "--no-build-isolation", "--editable", what], "Installing S²Edit")
        else:
            others = self._constraints_without_torch(constraints) if choice.kind == "given" else constraints
            pip(self.python, ["--editable", what], "Fetching the rest", constraints=others)
        self._stamp.write_text(json.dumps({"digest": now, "extras": wanted}), encoding="utf-8")

    def _fetch_torch(self, choice: TorchBuild, constraints: Path, *, locked: bool) -> None:
        """First and alone: together with the rest, another index's CUDA build could win over this machine's."""
        if locked and not choice.index and not (choice.kind == "cpu" and sys.platform == "linux"):
            pip(self.python, [*_HASHED, f"--requirement={locking.torch_file(self.root)}"], "Fetching PyTorch")
            return
        index = ["--index-url", choice.index] if choice.index else []
        pinned = constraints if choice.kind != "given" else None
        pip(self.python, [choice.requirement, *index], "Fetching PyTorch", constraints=pinned)

    def remove(self) -> None:
        """Delete it."""
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _read_stamp(self) -> tuple[str, list[str]]:
        """(digest, extras) of what is installed; empty when that is not known."""
        try:
            stamp = json.loads(self._stamp.read_text(encoding="utf-8"))
            return str(stamp["digest"]), [str(extra) for extra in stamp["extras"]]
        except (OSError, ValueError, KeyError, TypeError):
            return "", []

    def _digest(self, constraints: Path, options: argparse.Namespace) -> str:
        content = [constraints.read_bytes(), (self.root / "pyproject.toml").read_bytes()]
        content += [repr((options.torch, options.torch_index, sys.version_info[:3], str(self.root))).encode()]
        return hashlib.sha256(b"\0".join(content)).hexdigest()

    def _works(self) -> bool:
        if not self.python.exists():
            return False
        return _run([str(self.python), "-c", "import s2edit_wire"]).returncode == 0

    def _check_tools(self) -> None:
        if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            raise Trouble(
                "This Python cannot make environments: its venv module is not installed.\n"
                f"On Debian and Ubuntu: sudo apt install python{version}-venv\nThen run this again."
            )

    def _check_space(self, choice: TorchBuild) -> None:
        # What an earlier run has put there already needs no room again.
        kept = sum(path.lstat().st_size for path in self.folder.rglob("*")) if self.folder.is_dir() else 0
        for place, needed in ((self.root, NEEDED[choice.kind] - kept / 2**30), (Path(tempfile.gettempdir()), 1)):
            free = shutil.disk_usage(place).free / 2**30
            if free < needed:
                words = f"S²Edit needs about {needed:.0f} GiB in {place}; {free:.1f} GiB are free."
                raise Trouble(words + " Free some space, then run this again.")

    def _create(self) -> None:
        if self.python.exists() and _run([str(self.python), "-P", "-m", "pip", "--version"]).returncode == 0:
            return
        say(f"Making the environment in {self.folder} …")
        made = _run([sys.executable, "-P", "-m", "venv", "--clear", str(self.folder)])
        if made.returncode:
            raise Trouble(f"The environment could not be made:\n{made.stdout}{made.stderr}")

    def _without_needless_gigabytes(self, choice: TorchBuild, constraints: Path) -> TorchBuild:
        """On Linux without a GPU: the CPU build from PyTorch's index if pip's own would bring CUDA along."""
        if choice.kind != "cpu" or sys.platform != "linux":
            return choice
        command = [
            str(self.python),
            "-P",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--dry-run",
            "--ignore-installed",
            "--report",
            "-",
        ]
        asked = _run([*command, "-c", str(constraints), choice.requirement])
        if asked.returncode:
            # The installation that follows says what is wrong.
            return choice
        report = json.loads(asked.stdout[asked.stdout.index("{") :])
        names = [str(item["metadata"]["name"]) for item in report["install"]]
        return cpu_from_own_index(choice.requirement) if any(name.startswith("nvidia-") for name in names) else choice

    def _constraints_without_torch(self, constraints: Path) -> Path:
        lines = constraints.read_text(encoding="utf-8").splitlines(keepends=True)
        path = self.folder / "constraints-own-torch.txt"
        path.write_text("".join(line for line in lines if not line.startswith("torch==")), encoding="utf-8")
        return path


def _pinned(constraints: Path) -> str:
    for line in constraints.read_text(encoding="utf-8").splitlines():
        if line.startswith("torch=="):
            return line.strip()
    return "torch"


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own Pythons
