"""Which PyTorch build fits this machine. Standard library only.

PyTorch publishes one build per kind of GPU: on PyPI the CUDA build for Linux and CPU builds for Windows and macOS, the
others on its own index (pytorch.org, "Start locally").
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

INDEX = "https://download.pytorch.org/whl/"
"""PyTorch's own index; a folder below it per kind of build."""
BUILDS = {"cpu": "cpu", "cuda": "cu130", "rocm": "rocm7.1"}
"""Folder per kind of GPU; `--torch-index` names another when these are outdated."""


@dataclass(frozen=True)
class Choice:
    """What to install.

    Args:
        kind: `cpu`, `cuda`, `rocm` or `given`. requirement: for pip. why: in words.
        index: an index to use instead of pip's own, or "".
    """

    kind: str
    requirement: str
    index: str
    why: str


def choose(pinned: str, given: str | None = None, given_index: str | None = None) -> Choice:
    """The build for this machine.

    Args:
        pinned: the requirement in the constraints file, such as `torch==2.13.0`.
        given, given_index: the user's own choice, which wins.
    """
    if given or given_index:
        return Choice("given", given or pinned, given_index or "", "as you asked")
    if sys.platform == "darwin":
        return Choice("cpu", pinned, "", "the build for Macs")
    card = nvidia_card()
    if card:
        index = INDEX + BUILDS["cuda"] if platform.system() == "Windows" else ""
        return Choice("cuda", pinned, index, f"the CUDA build, for {card}")
    if platform.system() == "Linux" and has_rocm():
        return Choice("rocm", pinned, INDEX + BUILDS["rocm"], "the ROCm build, for an AMD card")
    return Choice("cpu", pinned, "", "the CPU build: no NVIDIA or AMD card was found")


def cpu_from_own_index(pinned: str) -> Choice:
    """The CPU build where pip's own index has only the one for CUDA."""
    return Choice("cpu", pinned, INDEX + BUILDS["cpu"], "the CPU build: no NVIDIA or AMD card was found")


def nvidia_card() -> str:
    """The first NVIDIA card's name, or "" when its driver does not answer."""
    tool = shutil.which("nvidia-smi")
    if not tool:
        return ""
    try:
        answer = subprocess.run(  # noqa: S603 - found on the path
            [tool, "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip().splitlines()[0] if answer.returncode == 0 and answer.stdout.strip() else ""


def has_rocm() -> bool:
    """Whether AMD's driver and ROCm are there."""
    return Path("/dev/kfd").exists() and (Path("/opt/rocm").exists() or shutil.which("rocminfo") is not None)
