"""The doctor on the machine: packages and their versions, the GPU and its driver, free disk."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from s2edit_wire.paths import state_folder
from s2edit_wire.programs import run_python

from . import remedies, torch_choice
from .findings import Finding, ok, warning, wrong

LITTLE = 2 * 2**30
"""Bytes of free disk below which the doctor warns: a job's pictures, the identity cache and logs take their share."""
_NEEDED = ("torch", "diffusers", "transformers", "pyzmq", "msgpack", "pyvips")
_PINS = Path(__file__).resolve().parent.parent / "constraints.txt"
"""Only in a checkout."""
_ASK_TORCH = """
import torch
kind = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else ""
print(torch.version.cuda or torch.version.hip or "-", kind, sep="|")
"""
_TOLD = 5
"""Packages that are named; more are counted."""


def environment() -> Iterator[Finding]:
    """Whether all packages are there, and in the versions that were tested."""
    missing = [name for name in _NEEDED if not _version(name)]
    where = f"Python {sys.version.split()[0]} in {sys.prefix}"
    if missing:
        yield wrong("environment", f"{where} lacks {', '.join(missing)}.", f"Run: {remedies.make_environment()}")
    else:
        yield ok("environment", f"S²Edit {version('s2edit')} with PyTorch {_version('torch')}, {where}.")
    if not _PINS.exists():
        return
    lines = _PINS.read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==", 1) for line in lines if "==" in line and not line.startswith("#"))
    here = {name: _version(name).split("+")[0] for name in pins if _version(name)}
    other = [f"{name} {here[name]} (tested: {pins[name]})" for name in here if here[name] != pins[name].split("+")[0]]
    if other:
        more = f" and {len(other) - _TOLD} more" if len(other) > _TOLD else ""
        words = f"Not the versions that S²Edit was tested with: {', '.join(other[:_TOLD])}{more}."
        yield warning("versions", words, f"If edits fail, run: {remedies.make_environment()}")
    else:
        yield ok("versions", "All packages are in the versions that S²Edit was tested with.")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def gpu() -> Iterator[Finding]:
    """Whether PyTorch uses the GPU that is there; why not otherwise."""
    card = torch_choice.nvidia_card()
    try:
        asked = subprocess.run(  # noqa: S603 - our own Python
            [*run_python(), "-c", _ASK_TORCH], capture_output=True, text=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        yield wrong("GPU", "PyTorch does not load within two minutes.", "Restart the computer, then try again.")
        return
    if asked.returncode:
        reason = (asked.stderr.strip().splitlines() or ["no reason given"])[-1]
        yield wrong("GPU", f"PyTorch does not load: {reason}", f"Run: {remedies.make_environment()}")
        return
    build, kind = asked.stdout.strip().splitlines()[-1].split("|")
    if kind == "mps":
        yield ok("GPU", "This Mac's GPU is used.")
    elif kind:
        name = f"{card.name}, driver {card.driver or 'unknown'}," if card else "A GPU"
        yield ok("GPU", f"{name} is used, by PyTorch's build for {build}.")
    elif card:
        yield _unused(card, build)
    elif torch_choice.has_rocm():
        hint = f"Delete the folder .venv, then run: {remedies.make_environment()}"
        yield wrong("GPU", "There is an AMD card with ROCm, but this PyTorch cannot use it.", hint)
    else:
        yield ok("GPU", "No GPU that PyTorch can use: edits run on the processor. That works, and takes longer.")


def _unused(card: torch_choice.Card, build: str) -> Finding:
    words = f"There is {card.name}, but PyTorch cannot use it"
    if build == "-":
        hint = f"Delete the folder .venv, then run: {remedies.make_environment()}"
        return wrong("GPU", f"{words}: this is its build for processors only.", hint)
    if build.startswith("13") and card.driver < torch_choice.CUDA_13_DRIVER:
        hint = f"Install NVIDIA's driver {torch_choice.CUDA_13_DRIVER} or newer, then restart the computer."
        return wrong("GPU", f"{words}: its build for CUDA {build} needs a newer driver than {card.driver}.", hint)
    return wrong("GPU", f"{words}.", "Restart the computer; if that does not help, install NVIDIA's newest driver.")


def disk() -> Iterator[Finding]:
    """Whether there is room for jobs and weights."""
    state = state_folder()
    place = next(folder for folder in (state, *state.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    words = f"{free / 2**30:.1f} GiB are free where S²Edit keeps jobs and weights ({state})."
    yield ok("disk", words) if free > LITTLE else warning("disk", words, "Free some space, or edits may fail.")
