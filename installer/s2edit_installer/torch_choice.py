"""Which PyTorch build fits this machine. Standard library only.

PyTorch publishes one build per kind of GPU: on PyPI the CUDA build for Linux and CPU builds for Windows and macOS, the
others on its own index (pytorch.org, "Start locally"). For 2.13 they are CUDA 12.6, 13.0 (PyPI's, since 2.11), 13.2 and
ROCm 7.2 (RELEASE.md, "Release Compatibility Matrix", by pull request 187075). CUDA 13 needs a driver of series 580
(NVIDIA, "CUDA Compatibility", table 1) and knows no card older than Turing, compute capability 7.5; the build for
CUDA 12.6 still has Maxwell, Pascal and Volta, up to 2.14 (RELEASE.md, "CUDA Support Matrix"; pytorch issue 190355).
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
BUILDS = {"cpu": "cpu", "cuda": "cu130", "older cuda": "cu126", "rocm": "rocm7.2"}
"""Folder per kind of GPU, for the pinned PyTorch; `--torch-index` names another."""
CUDA_13_DRIVER = 580
CUDA_13_CAPABILITY = 7.5


@dataclass(frozen=True)
class Card:
    """An NVIDIA card.

    Args:
        name: its maker's. capability: CUDA's compute capability. driver: the driver's series; 0 where it does not say.
    """

    name: str
    capability: float
    driver: int

    @property
    def runs_cuda_13(self) -> bool:
        """Whether the build on PyPI can use it."""
        return self.capability >= CUDA_13_CAPABILITY and self.driver >= CUDA_13_DRIVER


@dataclass(frozen=True)
class TorchBuild:
    """What to install.

    Args:
        kind: `cpu`, `cuda`, `rocm` or `given`. requirement: for pip. why: in words.
        index: an index to use instead of pip's own, or "".
    """

    kind: str
    requirement: str
    index: str
    why: str


def choose(pinned: str, given: str | None = None, given_index: str | None = None) -> TorchBuild:
    """The build for this machine.

    Args:
        pinned: the requirement in the constraints file, such as `torch==2.13.0`.
        given, given_index: the user's own choice, which wins.
    """
    if given or given_index:
        return TorchBuild("given", given or pinned, given_index or "", "as you asked")
    if sys.platform == "darwin":
        return TorchBuild("cpu", pinned, "", "the build for Macs")
    card = nvidia_card()
    if card and not card.runs_cuda_13:
        return TorchBuild("cuda", pinned, INDEX + BUILDS["older cuda"], f"the build for CUDA 12, for {card.name}")
    if card:
        index = INDEX + BUILDS["cuda"] if platform.system() == "Windows" else ""
        return TorchBuild("cuda", pinned, index, f"the build for CUDA 13, for {card.name}")
    if platform.system() == "Linux" and has_rocm():
        return TorchBuild("rocm", pinned, INDEX + BUILDS["rocm"], "the ROCm build, for an AMD card")
    return TorchBuild("cpu", pinned, "", "the CPU build: no NVIDIA or AMD card was found")


def cpu_from_own_index(pinned: str) -> TorchBuild:
    """The CPU build where pip's own index has only the one for CUDA."""
    return TorchBuild("cpu", pinned, INDEX + BUILDS["cpu"], "the CPU build: no NVIDIA or AMD card was found")


def nvidia_card() -> Card | None:
    """The newest NVIDIA card, which CUDA counts first; None when there is none or its driver does not answer."""
    tool = shutil.which("nvidia-smi")
    cards = [_card(line) for line in _ask(tool, "name,compute_cap,driver_version")] if tool else []
    if tool and not cards:
        # Drivers before series 510 do not know `compute_cap`.
        cards = [Card(name, 0.0, 0) for name in _ask(tool, "name")]
    return max(cards, key=lambda card: card.capability, default=None)


def _ask(tool: str, fields: str) -> list[str]:
    command = [tool, f"--query-gpu={fields}", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in answer.stdout.splitlines() if line.strip()] if answer.returncode == 0 else []


def _card(line: str) -> Card:
    name, capability, driver = (part.strip() for part in line.rsplit(",", 2))
    series = driver.partition(".")[0]
    known = capability.replace(".", "", 1).isdigit()
    return Card(name, float(capability) if known else 0.0, int(series) if series.isdigit() else 0)


def has_rocm() -> bool:
    """Whether AMD's driver and ROCm are there."""
    return Path("/dev/kfd").exists() and (Path("/opt/rocm").exists() or shutil.which("rocminfo") is not None)
