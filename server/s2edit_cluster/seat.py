"""One card of a computer of the studio: an actor of Ray, with today's worker process in its hands.

Pixels come and go with the job, and lie on this computer only while it runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
from s2edit_server import worker_link
from s2edit_server.bridge_link import Said, State
from s2edit_server.pool import own_card, seats
from s2edit_server.settings import SettingsFile
from s2edit_server.supervisor import Deadlines, ProcessRunner, WorkerDied
from s2edit_server.weights_desk import WeightsDesk
from s2edit_wire.errors import WireError
from s2edit_wire.paths import state_folder
from s2edit_wire.programs import MODULES

from .node import OWN_THREADS
from .same_weights import Hashes

PULSE_S = 1.0
"""Seconds between two signs of life."""
_encoder = msgspec.msgpack.Encoder()
_runs = msgspec.msgpack.Decoder(worker_link.Run)

Answer = tuple[bytes, list[bytes]]
"""An outcome (`worker_link.Done`, `Failed` or `Cancelled`) as msgpack, and the samples of its frames in their order."""


class Seat:
    """The computer's place with this number; its settings and weights are those of the computer it is on.

    Args:
        number: from 0; worker: module of the worker process.
    """

    def __init__(self, number: int, worker: str) -> None:
        if not os.environ.pop(OWN_THREADS, ""):
            os.environ.pop("OMP_NUM_THREADS", None)  # Ray's doing: one thread for an actor without processors
        self._folder = state_folder()
        self._settings = SettingsFile(self._folder / "settings.json")
        places = seats(self._settings.now)
        self.name, seat = list(places.items())[number]
        self._places, self._worker = len(places), worker
        self._runner = ProcessRunner(
            worker, self._folder, self._folder / "logs" / seat.log, self._deadlines, self._changed, seat.variables
        )
        self._scratch = self._folder / "cluster" / "scratch" / str(number)
        shutil.rmtree(self._scratch, ignore_errors=True)  # of a job that this computer's end cut off
        self._scratch.mkdir(mode=0o700, parents=True)
        self._said: asyncio.Queue[bytes] | None = None
        self._weights: WeightsDesk | None = None
        self._cancelled: set[tuple[str, int]] = set()
        self._hashes = Hashes()

    async def hello(self) -> str:
        """The place's name on its computer."""
        return self.name

    async def reports(self) -> AsyncIterator[list[bytes]]:
        """What happens here, each as msgpack of `Said` or `State`, for as long as the seat is; none is a pulse.

        What came while the last ones were on their way goes together: each way through Ray costs both sides a
        millisecond, and quick steps are quicker than that.
        """
        self._said = asyncio.Queue()
        self._changed()
        while True:
            reports = []
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PULSE_S):
                    reports.append(await self._said.get())
            while not self._said.empty():
                reports.append(self._said.get_nowait())
            yield reports

    async def run(self, order: bytes, pixels: list[bytes], weights: str) -> Answer:
        """Do a job, whose frames are these, with the weights of this hash, or with any where it is "".

        Raises:
            WorkerDied: as `Runner.run`.
        """
        run = _runs.decode(order)
        with tempfile.TemporaryDirectory(dir=self._scratch) as name:
            folder = Path(name)
            try:
                work = asyncio.ensure_future(
                    self._runner.run(await self._here(run, pixels, weights, folder), self._progress)
                )
                await asyncio.sleep(0)
                if (run.job, run.attempt) in self._cancelled:
                    self._runner.cancel(run.job)
                outcome: worker_link.Done | worker_link.Failed | worker_link.Cancelled = await work
            except WireError as error:
                outcome = worker_link.Failed(run.job, error.code, error.message, error.hint)
            frames = outcome.frames if isinstance(outcome, worker_link.Done) else []
            return _encoder.encode(outcome), [_inside(folder, frame.path).read_bytes() for frame in frames]

    async def cancel(self, job: str, attempt: int) -> None:
        """See `Runner.cancel`; a job that is still on its way is stopped once it is here."""
        self._cancelled.add((job, attempt))
        self._runner.cancel(job)

    async def free(self, end: bool) -> None:
        """See `Runner.unload`, with `end` `Runner.stop`."""
        if end:
            await self._runner.stop()
        else:
            self._runner.unload()

    async def keep(self, needed: list[str]) -> None:
        """Delete this computer's identities but these."""
        await self._desk().keep_identities(frozenset(needed))

    async def _here(self, run: worker_link.Run, pixels: list[bytes], weights: str, folder: Path) -> worker_link.Run:
        """The order with this computer's paths and settings; raises WireError: its model is not here."""
        where = f"On the studio's computer {os.uname().nodename}"
        try:
            model = await self._desk().find_model(run.model.id)
        except WireError as error:
            raise WireError(error.code, f"{where}: {error.message}", error.hint) from error
        if weights and await asyncio.to_thread(self._hashes.of, model) != weights:
            # As if it were not there: the job goes to a computer that has it.
            message = f"{where}: the model “{run.model.id}” has other weights than the head's."
            raise WireError("unknown_model", message, "Bring the head's weights there.")
        frames = []
        for number, (frame, data) in enumerate(zip(run.frames, pixels, strict=True)):
            path = folder / f"in-{number}"
            await asyncio.to_thread(path.write_bytes, data)
            frames.append(msgspec.structs.replace(frame, path=str(path)))
        out = folder / "out"
        out.mkdir()
        now = self._settings.now
        return msgspec.structs.replace(
            run,
            model=worker_link.Model(run.model.id, str(model)),
            frames=frames,
            out=str(out),
            threads=now.threads,
            compiled=now.compiled,
            device=own_card(now.device, self._places),
        )

    def _desk(self) -> WeightsDesk:
        if self._weights is None:
            foreign = self._worker != MODULES["worker"]
            self._weights = WeightsDesk(self._folder, lambda: self._settings.now, lambda _: None, foreign=foreign)
        return self._weights

    def _deadlines(self) -> Deadlines:
        now = self._settings.now
        return Deadlines(now.cancel_s, now.pulse_s, now.stall_s)

    def _changed(self) -> None:
        self._say(State("", self._runner.health()))

    def _progress(self, progress: worker_link.Progress) -> None:
        self._say(Said("", progress))

    def _say(self, report: Said | State) -> None:
        if self._said is not None:
            self._said.put_nowait(_encoder.encode(report))


def _inside(folder: Path, path: str) -> Path:
    """The path of a worker's file, which has to be in its folder; raises WorkerDied."""
    found = Path(path)
    if folder not in found.resolve().parents:
        raise WorkerDied("its result is in no folder of its own")
    return found
