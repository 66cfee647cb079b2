"""The places of a studio: one for each card of its hosts, reached through a bridge process, which alone knows Ray.

Ray's library takes over signals, and its crash ends its process: that costs the attempts under way, and not the daemon.
The queue stays here; nothing over there is needed to know what was asked for and what has come of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec

from . import bridge_link as link
from . import worker_link
from .placement import Place
from .pool import FixedPool, SeatLost
from .settings import DaemonSettings
from .spawn import spawn
from .supervisor import Health, Outcome, WorkerDied

LOG = logging.getLogger(__name__)
MODULE = "s2edit_cluster"
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0
"""Seconds between two starts of the bridge."""
END_S = 5.0
"""Seconds that the bridge gets to take its seats down."""
LACKING_S = 60.0
"""Seconds for which a computer is believed to lack a model: somebody may bring it there."""
AWAY = "No computer of the studio answers; jobs wait. Run on this one: s2edit cluster start"


class SeatRunner:
    """One seat as the scheduler sees a worker.

    Args:
        send: hands an order to the bridge; False while there is none.
    """

    def __init__(self, name: str, send: Callable[[link.Order], bool]) -> None:
        self._name, self._send = name, send
        self._health = Health()
        self._job, self._attempt = "", 0
        self._outcome: asyncio.Future[Outcome] | None = None
        self._on_progress: Callable[[worker_link.Progress], None] = lambda _: None

    def health(self) -> Health:
        """See `Runner.health`."""
        return self._health

    async def run(self, order: worker_link.Run, on_progress: Callable[[worker_link.Progress], None]) -> Outcome:
        """See `Runner.run`."""
        self._job, self._attempt, self._on_progress = order.job, order.attempt, on_progress
        self._outcome = asyncio.get_running_loop().create_future()
        try:
            if not self._send(link.Do(self._name, order)):
                raise SeatLost("the studio does not answer")
            return await self._outcome
        except asyncio.CancelledError:
            self._send(link.Free(self._name, end=True))
            raise
        finally:
            self._job, self._outcome = "", None

    def cancel(self, job: str) -> None:
        """See `Runner.cancel`; the seat's own watch keeps the deadline."""
        if job == self._job:
            self._send(link.Stop(self._name, job, self._attempt))

    def unload(self) -> None:
        """See `Runner.unload`."""
        self._send(link.Free(self._name))

    async def stop(self) -> None:
        """See `Runner.stop`."""
        self._send(link.Free(self._name, end=True))

    def tell(self, report: link.State | link.Said | link.Ended | link.Failure) -> None:
        """Take what the bridge says of this seat; what is of an older job is dropped."""
        if isinstance(report, link.State):
            self._health = report.health
        elif isinstance(report, link.Said):
            if report.progress.job == self._job:
                self._on_progress(report.progress)
        elif report.job == self._job and self._outcome is not None and not self._outcome.done():
            if isinstance(report, link.Ended):
                self._outcome.set_result(report.outcome)
            else:
                self._outcome.set_exception((SeatLost if report.lost else WorkerDied)(report.why))

    def lose(self, why: str) -> None:
        """The seat is gone, and with it what it did."""
        self._health = Health(device=self._health.device)
        if self._outcome is not None and not self._outcome.done():
            self._outcome.set_exception(SeatLost(why))


class BridgePool(FixedPool):
    """The seats of all hosts.

    Args:
        module: of the workers; folder: the state folder.
        on_change: called whenever places or their workers change.
        on_places: called when a place may have come: jobs may go there, and it has to be told which identities to keep.
    """

    def __init__(self, module: str, folder: Path, on_change: Callable[[], None], on_places: Callable[[], None]) -> None:
        super().__init__({})
        self._module, self._folder, self._on_change, self._on_places = module, folder, on_change, on_places
        self._present: set[str] = set()
        self._lacks: dict[str, dict[str, float]] = {}
        self._seats: dict[str, SeatRunner] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def open(self, settings: DaemonSettings) -> None:  # noqa: ARG002 - a protocol's
        """See `Pool.open`: the seats come as their hosts do."""
        self._keeping = asyncio.create_task(self._keep(), name="bridge")

    def places(self) -> list[Place]:
        """See `Pool.places`; a host that is gone has none."""
        here = [place for place in super().places() if place.name in self._present]
        return [replace(place, lacks=self._lacking(place.host)) for place in here]

    def device(self, wanted: str) -> str:
        """See `Pool.device`: each host has settings of its own for that."""
        return wanted

    def keep(self, needed: frozenset[str]) -> None:
        """See `Pool.keep`; the hosts' caches are told, too, and those that are away once they are back."""
        super().keep(needed)
        self._send(link.Keep(sorted(needed)))

    async def stop(self) -> None:
        """See `Pool.stop`."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        self._hang_up()
        process = self._process
        if process is not None:
            try:
                await asyncio.to_thread(process.wait, END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                await asyncio.to_thread(process.wait)

    async def _keep(self) -> None:
        """Have a bridge, and another one whenever it ends."""
        pause = FIRST_PAUSE
        log = self._folder / "logs" / "bridge.log"
        while True:
            try:
                variables = {"S2EDIT_BRIDGE_WORKER": self._module}
                self._process, reader, self._writer = await spawn(MODULE, self._folder, log, variables)
                pause = await self._listen(reader, pause)
            except OSError as error:
                LOG.warning("the bridge can't be started: %s", error)
            self._hang_up()
            self._take(link.Places([], AWAY))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _listen(self, reader: asyncio.StreamReader, pause: float) -> float:
        """Until the bridge ends; returns the pause before the next one."""
        while True:
            try:
                report = link.reports.decode(await link.receive(reader))
            except (worker_link.LinkBroken, msgspec.MsgspecError) as error:
                LOG.warning("the bridge to the studio's hosts is gone (%s); see logs/bridge.log", error)
                return pause
            if isinstance(report, link.Places):
                pause = FIRST_PAUSE
            self._take(report)

    def _take(self, report: link.Report) -> None:
        if isinstance(report, link.Places):
            self._settle(report)
        elif (seat := self._seats.get(report.seat)) is not None:
            seat.tell(self._elsewhere(report) if isinstance(report, link.Ended) else report)
        if not isinstance(report, link.Said):
            self._on_change()

    def _elsewhere(self, report: link.Ended) -> link.Ended | link.Failure:
        """The end of a job as it is; for want of its model it is none, as long as another computer may have that."""
        outcome, job = report.outcome, self.job(report.seat)
        if not isinstance(outcome, worker_link.Failed) or outcome.code != "unknown_model" or job is None:
            return report
        LOG.warning("job %s: %s", report.job, outcome.message)
        self._lacks.setdefault(self._hosts[report.seat], {})[job.model] = time.monotonic()
        if all(job.model in place.lacks for place in self.places()):
            self._lacks.clear()
            return report
        asyncio.get_running_loop().call_later(LACKING_S, self._on_places)
        return link.Failure(report.seat, report.job, outcome.message, lost=True)

    def _lacking(self, host: str) -> frozenset[str]:
        """Models that were not there a moment ago."""
        since = time.monotonic() - LACKING_S
        return frozenset(model for model, when in self._lacks.get(host, {}).items() if when > since)

    def _settle(self, report: link.Places) -> None:
        self.notice = report.notice
        now = {place.name: place.host for place in report.places}
        for name in self._present - now.keys():
            self._seats[name].lose("its computer does not answer")
        for name, host in now.items():
            if name not in self._seats:
                self._seats[name] = self._runners[name] = SeatRunner(name, self._send)
                self._hosts[name] = host
        self._present = set(now)
        self._on_places()

    def _send(self, order: link.Order) -> bool:
        if self._writer is None or self._writer.is_closing():
            return False
        self._writer.write(link.encode(order))
        return True

    def _hang_up(self) -> None:
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.close()
            self._writer = None
