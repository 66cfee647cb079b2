"""The places where jobs run: on this computer one worker per card, or one on the processor.

With one place all is as without a pool: no variable is set, and the worker chooses its device itself.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from .placement import Place, QueuedJob
from .settings import DaemonSettings
from .supervisor import Deadlines, ProcessRunner, Runner, WorkerDied
from .worker.processors import physical_cores

LOG = logging.getLogger(__name__)
LOOK_S = 10.0
"""Seconds that the driver may take to name its cards: without a program that keeps it awake, it takes some."""
REMEMBERED = 200
"""Identities that are expected to lie on a host; to believe one too many costs one first edit's time."""
_CARD = re.compile(r"UUID:\s((?:GPU|MIG)-[0-9A-Za-z/-]+)\)")


class SeatLost(WorkerDied):
    """The place's host is gone; that is no death of the job."""


class Pool(Protocol):
    """Where jobs run, however it comes about."""

    @property
    def notice(self) -> str:
        """What people have to know of it, or ""."""

    async def open(self, settings: DaemonSettings) -> None:
        """Make the places that there are; others may come later."""

    def places(self) -> list[Place]:
        """All places as they are now."""

    def runner(self, place: str) -> Runner:
        """The place's worker; raises KeyError."""

    def job(self, place: str) -> QueuedJob | None:
        """What runs there."""

    def device(self, wanted: str) -> str:
        """What a worker of this pool is to compute on, for the setting `device`."""

    def begin(self, place: str, job: QueuedJob, now: float) -> None:
        """The job is started there."""

    def end(self, place: str, now: float, *, learned: bool) -> None:
        """The place is free again; `learned`: the job is done, and its identity lies there now."""

    def keep(self, needed: frozenset[str]) -> None:
        """No identity lies on any computer any more but these (`identities.digest`), nor in a worker's memory."""

    async def stop(self) -> None:
        """End all workers."""


class FixedPool:
    """A pool of these runners.

    Args:
        runners: by the place's name.
        hosts: by the place's name; what is learned lies on all places of a host. Without, all are on one.

    Attributes:
        notice: see `Pool.notice`.
    """

    def __init__(self, runners: Mapping[str, Runner], hosts: Mapping[str, str] | None = None) -> None:
        self._runners, self._hosts = dict(runners), dict(hosts or {})
        self._jobs: dict[str, QueuedJob] = {}
        self._holds: dict[str, dict[str, float]] = {}
        self._last: dict[str, str] = {}
        self.notice = ""

    async def open(self, settings: DaemonSettings) -> None:
        """See `Pool.open`."""

    def places(self) -> list[Place]:
        """See `Pool.places`."""
        found = []
        for name, runner in self._runners.items():
            held = self._held(name)
            place = Place(name, self._hosts.get(name, ""), model=runner.health().model, holds=held)
            job = self._jobs.get(name)
            if job is not None:
                holds = {**held, job.holds: job.since} if job.holds else held
                place = replace(place, job=job.id, model=place.model or job.model, holds=holds)
            found.append(place)
        return found

    def runner(self, place: str) -> Runner:
        """See `Pool.runner`."""
        return self._runners[place]

    def job(self, place: str) -> QueuedJob | None:
        """See `Pool.job`."""
        return self._jobs.get(place)

    def device(self, wanted: str) -> str:
        """See `Pool.device`."""
        return own_card(wanted, len(self._runners))

    def begin(self, place: str, job: QueuedJob, now: float) -> None:
        """See `Pool.begin`."""
        self._jobs[place] = job
        if job.holds:
            self._last[place] = job.holds
        if job.holds in self._held(place):
            self._held(place)[job.holds] = now

    def end(self, place: str, now: float, *, learned: bool) -> None:
        """See `Pool.end`."""
        job = self._jobs.pop(place)
        if learned and job.holds:
            held = self._held(place)
            held[job.holds] = now
            if len(held) > REMEMBERED:
                del held[min(held, key=held.__getitem__)]

    def keep(self, needed: frozenset[str]) -> None:
        """See `Pool.keep`; the files are whose computer it is to remove."""
        for held in self._holds.values():
            for holds in held.keys() - needed:
                del held[holds]
        for place, holds in list(self._last.items()):
            if holds not in needed:
                del self._last[place]
                self._runners[place].unload()  # right after the job that may run

    async def stop(self) -> None:
        """See `Pool.stop`."""
        await asyncio.gather(*(runner.stop() for runner in self._runners.values()))

    def _held(self, place: str) -> dict[str, float]:
        """The identities of the place's host, each with the time of its last use."""
        return self._holds.setdefault(self._hosts.get(place, ""), {})


class LocalPool(FixedPool):
    """The workers of this computer. It has no place before `open` has found the cards.

    Args:
        module, folder, deadlines, on_change: as `ProcessRunner` takes them.
    """

    def __init__(
        self, module: str, folder: Path, deadlines: Callable[[], Deadlines], on_change: Callable[[], None]
    ) -> None:
        super().__init__({})
        self._module, self._folder, self._deadlines, self._on_change = module, folder, deadlines, on_change

    async def open(self, settings: DaemonSettings) -> None:
        """Make the places that these settings and this computer's cards give; started are they when they are needed."""
        for name, seat in (await asyncio.to_thread(seats, settings)).items():
            self._runners[name] = ProcessRunner(
                self._module,
                self._folder,
                self._folder / "logs" / seat.log,
                self._deadlines,
                self._on_change,
                seat.variables,
            )
        LOG.info("places: %s", ", ".join(self._runners))


@dataclass(frozen=True)
class Seat:
    """One place of this computer: variables of its worker's environment, and the name of its log."""

    variables: Mapping[str, str]
    log: str


def seats(settings: DaemonSettings) -> dict[str, Seat]:
    """The places that these settings and this computer's cards give, by name; the cores are shared out."""
    cards = wanted_cards(settings)
    variables = {f"card {number}": {"CUDA_VISIBLE_DEVICES": card} for number, card in cards}
    if not cards:
        variables = {f"worker {number}": {} for number in range(settings.workers)}
    elif len(cards) == 1 and (settings.cards == "all" or not cards[0][1]):
        # The worker finds it by itself, as it does where nobody can name it.
        variables = {"card 0": {}}
    if len(variables) == 1:
        return {name: Seat(own, "worker.log") for name, own in variables.items()}
    share = {"OMP_NUM_THREADS": str(max(1, physical_cores() // len(variables)))}
    return {name: Seat(own | share, f"worker-{name.replace(' ', '-')}.log") for name, own in variables.items()}


def own_card(device: str, places: int) -> str:
    """What a worker is to compute on for the setting `device`: of several places each sees its own card only."""
    return "cuda" if places > 1 and device.startswith("cuda:") else device


def wanted_cards(settings: DaemonSettings) -> list[tuple[int, str]]:
    """(number, name for CUDA_VISIBLE_DEVICES) of the cards to work on; none where the processor works."""
    if settings.device not in {"auto", "cuda"}:
        # One that `device` names is the worker's to find.
        return [] if settings.device == "cpu" else [(0, "")]
    cards = list(enumerate(present_cards(os.environ)))
    if settings.cards != "all":
        numbers = {int(number) for number in settings.cards.split(",")}
        chosen = [card for card in cards if card[0] in numbers]
        if len(chosen) < len(numbers):
            LOG.warning("of the cards %s in the settings, this computer has %d", settings.cards, len(chosen))
        return chosen or cards[:1]
    return cards


def present_cards(environment: Mapping[str, str]) -> list[str]:
    """Names of this computer's cards.

    Asked is the driver's own `nvidia-smi`: it is there wherever the driver is, tells only what a container may use and
    names the parts of a divided card (MIG), and neither torch nor a worker has to be started to know how many workers
    there are. AMD's cards stand in Linux's own list. What the user has restricted to stays restricted.
    """
    for variable in ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"):
        if variable in environment:
            return [name.strip() for name in environment[variable].split(",") if name.strip() not in {"", "-1"}]
    program = shutil.which("nvidia-smi")
    if program is not None:
        try:
            told = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=LOOK_S, check=True)  # noqa: S603 - the driver's own program
            return named_cards(told.stdout)
        except (OSError, subprocess.SubprocessError) as error:
            LOG.warning("the driver does not name its cards: %s", error)
    return [str(number) for number in range(amd_cards(Path("/sys/class/kfd/kfd/topology/nodes")))]


def named_cards(listing: str) -> list[str]:
    """The cards in the output of `nvidia-smi -L`; of a divided one its parts, since nothing runs on the whole."""
    cards: list[str] = []
    for name in _CARD.findall(listing):
        if name.startswith("MIG") and cards and cards[-1].startswith("GPU"):
            cards.pop()
        cards.append(name)
    return cards


def amd_cards(nodes: Path) -> int:
    """How many of the kernel's compute nodes are cards: a processor has no SIMD units there."""
    try:
        listed = [(node / "properties").read_text(encoding="ascii").splitlines() for node in nodes.iterdir()]
    except OSError:
        return 0
    return sum(any(_counts_simd(line.split()) for line in lines) for lines in listed)


def _counts_simd(fields: Sequence[str]) -> bool:
    return len(fields) == 2 and fields[0] == "simd_count" and fields[1] != "0"
