"""How long a job would take and how much memory: measured where this machine has done such jobs, else estimated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from s2edit.model.families import FAMILIES, NOTHING_LEARNED
from s2edit.model.instructed import INSTRUCTED, INSTRUCTION
from s2edit.settings import AUTOMATIC, Settings

from .timings import Pace
from .weights.catalogue import CatalogueEntry

BACKWARD = 2
"""A backward pass costs as much as this many forward passes."""
SMALL_FORWARD = 3.0e9
"""The same for the embedded model at 128 × 128, such that a two-core machine's measured times come out."""
SPEED = {"cpu": 6.0e10, "mps": 4.0e12, "cuda": 3.0e13}
"""Operations a second that a usual device of the kind reaches on this work."""
LOADING = {"cartoon": 4.0, "photo": 15.0, "any": 15.0}
"""Seconds to import torch and read the weights."""


@dataclass(frozen=True)
class Forecast:
    """Seconds for a first edit and with a cached identity, bytes at the peak, and whether the times were measured."""

    first_s: float
    next_s: float
    memory: int
    measured: bool


def forecast(
    entry: CatalogueEntry,
    settings: Settings,
    paces: Mapping[str, Pace],
    device: str,
    *,
    pixels: int,
    available: int = 0,
) -> Forecast:
    """What to expect of an edit.

    Args:
        paces: seconds by phase of such jobs on this machine; counts as measured when editing is among them.
        device: as the worker names it; "" is taken for a CPU.
        pixels: height × width that the model works at.
        available: bytes that the device has for the job, what is kept for earlier ones included; 0 when nobody knows.
    """
    if entry.family in INSTRUCTED:
        return _instruction(entry, paces, device, pixels)
    identity, inversion, editing = unet_forwards(settings)
    memory = entry.needs(_level(entry, settings.identity.level, available) if identity else NOTHING_LEARNED)
    if "editing" in paces and (not identity or "identity" in paces):
        next_s = sum(pace.seconds for phase, pace in paces.items() if phase in ("editing", "compositing"))
        return Forecast(sum(pace.seconds for pace in paces.values()), next_s, memory, measured=True)
    small = entry.domain == "cartoon"
    operations = (SMALL_FORWARD if small else FAMILIES[entry.family].operations) * pixels / entry.native**2
    second = operations / SPEED.get(device.split(":", maxsplit=1)[0], SPEED["cpu"])
    rest = editing * second + 1.0
    return Forecast(LOADING[entry.domain] + (identity + inversion) * second + rest, rest, memory, measured=False)


def _instruction(entry: CatalogueEntry, paces: Mapping[str, Pace], device: str, pixels: int) -> Forecast:
    """The same of a model that takes an instruction, and learns nothing."""
    kind, memory = INSTRUCTED[entry.family], entry.needs(INSTRUCTION)
    if "editing" in paces:
        next_s = sum(pace.seconds for phase, pace in paces.items() if phase in ("editing", "compositing"))
        return Forecast(sum(pace.seconds for pace in paces.values()), next_s, memory, measured=True)
    speed = SPEED.get(device.split(":", maxsplit=1)[0], SPEED["cpu"])
    rest = kind.steps * kind.operations * pixels / kind.native**2 / speed + 1.0
    return Forecast(LOADING[entry.domain] + rest, rest, memory, measured=False)


def _level(entry: CatalogueEntry, level: str, available: int) -> str:
    """The level that "auto" will come to: the first that fits, or the smallest, with which the job is tried."""
    if level != "auto" or not available:
        return level
    return next((each for each in AUTOMATIC if entry.needs(each) <= available), AUTOMATIC[-1])


def unet_forwards(settings: Settings) -> tuple[int, int, int]:
    """Forward passes of the U-Net that identity, inversion and editing cost, a backward pass counted as two."""
    steps = settings.inversion.steps
    learning = settings.identity
    identity = learning.steps * learning.rows * (1 + BACKWARD) if learning.enabled else 0
    inversion = steps
    if settings.inversion.mode == "null_text":
        # Per step one conditional pass, at most `inner_steps` trained ones, and one step on with both.
        inversion += steps * (1 + settings.inversion.inner_steps * (1 + BACKWARD) + 2)
    edit = settings.edit
    # The target, its unconditional row while it is guided, and the source: whose way is known but in mode "npi", while
    # something of it is injected.
    injected = 1.0 if settings.inversion.mode == "npi" else max(edit.cross_replace, edit.self_replace)
    # Nobody knows before how often stage 2 is made again: about half of the attempts are.
    made = (1 + settings.attempts) / 2
    if settings.inversion.mode == "flowedit":
        # Nothing is inverted; source and target, each with its unconditional row while it is guided.
        rows = 2 + (edit.source_guidance != 1) + edit.guidance_until
        return identity, 0, round(rows * (1 - edit.skipped) * settings.edited_in * made)
    return identity, inversion, round((1 + edit.guidance_until + injected) * settings.edited_in * made)
