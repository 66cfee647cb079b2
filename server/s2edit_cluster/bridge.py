"""Between the daemon and the studio's computers: the only driver of Ray, in a process that may crash.

Seats are made for every computer that has joined, and made again when it comes back. One that gives no sign of life for
`SILENT_S` is given up, with what it does: a late result finds the job's attempt over and is dropped.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from s2edit_server import bridge_link as link
from s2edit_server.supervisor import WorkerDied
from s2edit_server.worker_link import FD_VARIABLE, STATE_VARIABLE, Cancelled, Done, Failed, FrameFile, LinkBroken, Run
from s2edit_wire.programs import MODULES

from s2edit.errors import CheckpointError

from . import membership
from .node import SEAT
from .node import start as bring_up
from .same_weights import Hashes

LOG = logging.getLogger(__name__)
LOOK_S = 1.0
"""Seconds between two looks at which computers there are."""
SILENT_S = 8.0
"""Seconds without a sign of life after which a seat is given up."""
MAKE_S = 60.0
"""Seconds that a seat may take to its first word."""
CALLS = 16
"""Calls that a seat takes at a time: a job, its cancel, what it tells."""
ALONE = "No computer of the studio has a card to compute on. Run on those that have: s2edit cluster join FILE"
_outcomes: msgspec.msgpack.Decoder[Done | Failed | Cancelled] = msgspec.msgpack.Decoder(Done | Failed | Cancelled)
_reports: msgspec.msgpack.Decoder[link.Said | link.State] = msgspec.msgpack.Decoder(link.Said | link.State)
_encoder = msgspec.msgpack.Encoder()


@dataclass
class Seated:
    """A seat that answers."""

    name: str
    node: str
    host: str
    actor: Any


class Bridge:
    """Takes orders of the daemon to seats, and what they say back to it.

    Args:
        studio: this computer's part; worker: module of the seats' workers.
    """

    def __init__(self, studio: membership.Studio, worker: str) -> None:
        self._studio, self._worker = studio, worker
        self._seats: dict[str, Seated] = {}
        self._making: set[tuple[str, int]] = set()
        self._made: dict[tuple[str, int], str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._told: link.Places | None = None
        self._hashes = Hashes()

    async def serve(self, line: socket.socket) -> None:
        """Work until the daemon hangs up."""
        import ray

        reader, self._writer = await asyncio.open_connection(sock=line)
        member = self._studio.member
        # After this computer was restarted nobody may have brought its part up.
        await asyncio.to_thread(bring_up, self._studio.folder.parent)
        await asyncio.to_thread(
            ray.init,
            address=f"{member.head}:{member.head_port}",
            _node_ip_address=member.address,
            log_to_driver=False,
            configure_logging=False,
        )
        self._begin(self._look(), "look")
        while True:
            try:
                order = link.orders.decode(await link.receive(reader))
            except LinkBroken:
                return
            self._obey(order)

    def _obey(self, order: link.Order) -> None:
        if isinstance(order, link.Keep):
            for seat in {seat.host: seat for seat in self._seats.values()}.values():
                seat.actor.keep.remote(order.needed)
            return
        found = self._seats.get(order.seat)
        if isinstance(order, link.Do):
            if found is None:
                self._say(link.Failure(order.seat, order.order.job, "its computer does not answer", lost=True))
            else:
                self._begin(self._do(found, order), f"job {order.order.job}")
        elif found is not None and isinstance(order, link.Stop):
            found.actor.cancel.remote(order.job, order.attempt)
        elif found is not None and isinstance(order, link.Free):
            found.actor.free.remote(order.end)

    async def _do(self, seat: Seated, order: link.Do) -> None:
        import ray

        run = order.order
        try:
            pixels = await asyncio.to_thread(lambda: [Path(frame.path).read_bytes() for frame in run.frames])
            weights = await self._weights(run)
            body, results = await seat.actor.run.remote(_encoder.encode(run), pixels, weights)
            outcome = _outcomes.decode(body)
            if isinstance(outcome, Done):
                outcome = await asyncio.to_thread(_kept, outcome, results, Path(run.out))
        except ray.exceptions.RayTaskError as error:
            LOG.warning("job %s: %s", run.job, error)
            why = str(error.cause) if isinstance(error.cause, WorkerDied) else "its seat failed; see bridge.log"
            self._say(link.Failure(seat.name, run.job, why, lost=False))
        except ray.exceptions.RayError as error:
            self._give_up(seat, f"its computer does not answer ({type(error).__name__})")
        except (OSError, ValueError, CheckpointError) as error:
            LOG.exception("job %s", run.job)
            self._say(link.Failure(seat.name, run.job, str(error), lost=False))
        else:
            if self._seats.get(seat.name) is seat:  # else the job may be at its next attempt, at this name's next seat
                self._say(link.Ended(seat.name, run.job, outcome))

    async def _weights(self, run: Run) -> str:
        """Hash of the head's own weights, which the seat's have to be; "" where a worker has none."""
        if self._worker != MODULES["worker"]:
            return ""
        return await asyncio.to_thread(self._hashes.of, Path(run.model.path))

    async def _look(self) -> None:
        """Have a seat for every card of every computer, for ever."""
        import ray

        while True:
            nodes = await asyncio.to_thread(ray.nodes)
            alive = {one["NodeID"]: one for one in nodes if one["Alive"]}
            for seat in [one for one in self._seats.values() if one.node not in alive]:
                self._give_up(seat, "its computer is gone")
            for name, told in alive.items():
                for number in range(int(told["Resources"].get(SEAT, 0))):
                    if (name, number) not in self._made and (name, number) not in self._making:
                        self._making.add((name, number))
                        self._begin(self._make(name, told["NodeManagerAddress"], number), "seat")
            self._tell()
            await asyncio.sleep(LOOK_S)

    async def _make(self, node: str, host: str, number: int) -> None:
        """Make one seat, and hear what it says until it is gone."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        from .seat import Seat

        place = NodeAffinitySchedulingStrategy(node, soft=False)
        remote = ray.remote(Seat).options(
            num_cpus=0, resources={SEAT: 1}, max_concurrency=CALLS, scheduling_strategy=place
        )
        seat = None
        try:
            actor = remote.remote(number, self._worker)
            async with asyncio.timeout(MAKE_S):
                name = f"{host} {await actor.hello.remote()}"
            seat = self._seats[name] = Seated(name, node, host, actor)
            self._made[node, number] = name
            self._tell()
            await self._hear(seat)
        except (ray.exceptions.RayError, TimeoutError, StopAsyncIteration) as error:
            LOG.warning("a seat on %s is gone: %s", host, type(error).__name__)
        finally:
            if seat is not None:
                self._give_up(seat, "its computer does not answer")
            self._made.pop((node, number), None)
            self._making.discard((node, number))

    async def _hear(self, seat: Seated) -> None:
        """Until it is silent (TimeoutError) or gone (RayError)."""
        told = aiter(seat.actor.reports.options(num_returns="streaming").remote())
        while True:
            async with asyncio.timeout(SILENT_S):
                bodies = await (await anext(told))
            for body in bodies:
                report = _reports.decode(body)
                report.seat = seat.name
                self._say(report)

    def _give_up(self, seat: Seated, why: str) -> None:
        import ray

        if self._seats.get(seat.name) is not seat:
            return
        del self._seats[seat.name]
        LOG.warning("%s: %s", seat.name, why)
        # What it did is over with that, for the daemon too.
        self._tell()
        ray.kill(seat.actor, no_restart=True)

    def _tell(self) -> None:
        places = [
            link.SeatAddress(seat.name, seat.host) for seat in sorted(self._seats.values(), key=lambda one: one.name)
        ]
        now = link.Places(places, "" if places or self._making else ALONE)
        if now != self._told:
            self._told = now
            self._say(now)

    def _say(self, report: link.Report) -> None:
        self._writer.write(link.encode(report))

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            LOG.critical("“%s” ended by itself", task.get_name(), exc_info=error)
            os._exit(1)  # the daemon starts another bridge


def _kept(done: Done, results: list[bytes], out: Path) -> Done:
    """The outcome with its samples in files of this computer, whole; the daemon flushes what it takes over."""
    frames: list[FrameFile] = []
    for number, (frame, data) in enumerate(zip(done.frames, results, strict=True)):
        path = out / f"{number}.raw"
        with path.open("xb") as file:
            file.write(data)
        frames.append(msgspec.structs.replace(frame, path=str(path)))
    return msgspec.structs.replace(done, frames=frames)


def main() -> int:
    """Be the daemon's bridge; returns the exit status."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if FD_VARIABLE not in os.environ:
        sys.stderr.write("The bridge is started by the daemon, not by hand. Run: s2edit daemon start\n")
        return 2
    studio = membership.found(Path(os.environ[STATE_VARIABLE]))
    if studio is None:
        return 2
    # Before Ray is imported: it reads them once.
    os.environ.update(studio.environment())
    line = socket.socket(fileno=int(os.environ.pop(FD_VARIABLE)))
    bridge = Bridge(studio, os.environ["S2EDIT_BRIDGE_WORKER"])
    try:
        asyncio.run(bridge.serve(line))
    except Exception:
        LOG.exception("no bridge")
    finally:
        # Ray's own end waits for computers that may not answer; those see this process gone and end what is its.
        os._exit(0)
