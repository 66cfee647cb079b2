"""One worker process, watched: started when needed, killed when it hangs, replaced when it dies.

The scheduler knows workers only through `Runner` (start, run, cancel, health …), so that several devices or a foreign
engine can stand behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from . import worker_link as link
from .spawn import limit_log, spawn

LOG = logging.getLogger(__name__)
WATCH_INTERVAL = 0.1
START_S = 60.0
"""Seconds that a worker may take to its first word, if `pulse_s` is not more: a cold disk is slow, a pulse is not."""
_KILL = signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL


class WorkerDied(Exception):
    """The worker ended, or was killed, before it answered."""


@dataclass(frozen=True)
class Health:
    """A worker as `status` shows it: state `stopped`, `starting`, `idle` or `busy`; bytes on its device."""

    state: str = "stopped"
    pid: int = 0
    device: str = ""
    model: str = ""
    memory_used: int = 0
    memory_free: int = 0


@dataclass(frozen=True)
class Deadlines:
    """Seconds: for a cancelled step, without a pulse, without progress (see `settings.DaemonSettings`)."""

    cancel_s: float
    pulse_s: float
    stall_s: float


Outcome = link.Done | link.Failed | link.Cancelled


class Runner(Protocol):
    """What the scheduler needs of a worker, wherever it runs."""

    def health(self) -> Health:
        """How it is."""

    async def run(self, order: link.Run, on_progress: Callable[[link.Progress], None]) -> Outcome:
        """Do one job; raises WorkerDied."""

    def cancel(self, job: str) -> None:
        """Stop this job, if it is the running one, within the deadline."""

    def unload(self) -> None:
        """Give the model's memory back."""

    async def stop(self) -> None:
        """End the worker; a later `run` starts it again."""


class ProcessRunner:
    """A worker in a process group of its own, on the other end of a socket pair.

    Args:
        module: what `python -m` runs.
        state_folder: passed on to the worker.
        log_path: where its standard output and error go.
        deadlines: asked for each time, so that changed settings count at once.
        on_change: called after every change of `health`.
        variables: of its environment, beside those that every worker gets.
    """

    def __init__(
        self,
        module: str,
        state_folder: Path,
        log_path: Path,
        deadlines: Callable[[], Deadlines],
        on_change: Callable[[], None] = lambda: None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._variables = variables or {}
        self._module, self._state, self._log_path = module, state_folder, log_path
        self._deadlines, self._on_change = deadlines, on_change
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._health = Health()
        self._heard = self._progressed = 0.0
        self._spoken = False
        self._job = ""
        self._cancel_since = 0.0
        self._step_s = 0.0
        self._outcome: asyncio.Future[Outcome] | None = None
        self._on_progress: Callable[[link.Progress], None] = lambda _: None

    def health(self) -> Health:
        """See `Runner.health`."""
        return self._health

    async def run(self, order: link.Run, on_progress: Callable[[link.Progress], None]) -> Outcome:
        """See `Runner.run`; one job at a time."""
        self._job, self._cancel_since, self._step_s = order.job, 0.0, 0.0
        self._on_progress = on_progress
        self._outcome = asyncio.get_running_loop().create_future()
        try:
            if self._process is None:
                await self._start()
            self._heard = self._progressed = time.monotonic()
            self._set(replace(self._health, state="busy"))
            self._send(order)
            if self._cancel_since:
                # It came while the worker was starting, before there was a job to cancel.
                self._send(link.Cancel(order.job))
            return await self._outcome
        except OSError as error:
            await self._kill()
            raise WorkerDied(f"it could not be started: {error.strerror or error}") from error
        except asyncio.CancelledError:
            # Nobody waits for this job any more, and a busy worker would not hear of it: it has to go.
            self._signal(_KILL)
            raise
        finally:
            # The deadline goes with its job: else the watchdog would kill a worker whose cancelled job has long ended.
            self._job, self._cancel_since = "", 0.0
            self._outcome = None
            if self._process is not None:
                self._set(replace(self._health, state="idle"))

    def cancel(self, job: str) -> None:
        """See `Runner.cancel`."""
        if job == self._job and not self._cancel_since:
            self._cancel_since = time.monotonic()
            self._send(link.Cancel(job))

    def unload(self) -> None:
        """See `Runner.unload`."""
        self._send(link.Unload())

    async def stop(self) -> None:
        """See `Runner.stop`: asks, waits a second, kills."""
        process = self._process
        if process is None:
            return
        self._send(link.Exit())
        deadline = time.monotonic() + 1.0
        while process.poll() is None and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        await self._kill()

    async def _start(self) -> None:
        self._set(replace(self._health, state="starting"))
        self._process, reader, self._writer = await spawn(self._module, self._state, self._log_path, self._variables)
        LOG.info("worker %d started", self._process.pid)
        self._heard, self._spoken = time.monotonic(), False
        self._set(replace(self._health, pid=self._process.pid))
        self._tasks = [
            asyncio.create_task(self._listen(reader), name="worker reports"),
            asyncio.create_task(self._watch(), name="worker watchdog"),
        ]

    def _send(self, order: link.Order) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(link.encode(order))

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                length = link.body_length(await reader.readexactly(4))
                self._take(link.decode_report(await reader.readexactly(length)))
        except (asyncio.IncompleteReadError, link.LinkBroken, OSError) as error:
            reason = str(error) if isinstance(error, link.LinkBroken) else ""
        await self._bury(reason)

    def _take(self, report: link.Report) -> None:
        now = self._heard = time.monotonic()
        self._spoken = True
        if isinstance(report, link.Progress):
            if report.job == self._job:
                elapsed = now - self._progressed
                self._step_s = elapsed if not self._step_s else 0.7 * self._step_s + 0.3 * elapsed
                self._progressed = now
                self._on_progress(report)
        elif isinstance(report, link.Ready):
            self._set(replace(self._health, device=report.device))
        elif isinstance(report, link.Memory):
            memory = replace(self._health, model=report.model, memory_used=report.used, memory_free=report.free)
            self._set(memory)
        elif (
            not isinstance(report, link.Pulse)
            and report.job == self._job
            and self._outcome is not None
            and not self._outcome.done()
        ):
            self._outcome.set_result(report)

    async def _watch(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(WATCH_INTERVAL)
            if time.monotonic() - before > 1.0:
                # This process itself was stopped or starved: the worker's reports are still in the socket.
                self._heard = time.monotonic()
            limit_log(self._log_path)
            reason = self._overdue(time.monotonic())
            if reason:
                LOG.warning("worker killed: %s", reason)
                self._signal(_KILL)
                return

    def _overdue(self, now: float) -> str:
        limits = self._deadlines()
        patience = limits.pulse_s if self._spoken else max(limits.pulse_s, START_S)
        if now - self._heard > patience:
            return f"no sign of life for {patience:g} s"
        if self._cancel_since and now - self._cancel_since > max(limits.cancel_s, 3 * self._step_s):
            return "a cancelled step did not end in time"
        if self._job and now - self._progressed > limits.stall_s:
            return f"no progress for {limits.stall_s:g} s"
        return ""

    async def _bury(self, reason: str) -> None:
        """The line is down: collect the process, tell whoever waits."""
        process = self._process
        if process is None:
            return
        self._signal(_KILL)
        while process.poll() is None:
            await asyncio.sleep(0.005)
        if self._process is not process:
            return  # buried by another call meanwhile; there may be a new worker already
        self._process = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self._tasks = []
        self._health = Health(device=self._health.device)
        self._on_change()
        LOG.info("worker %d ended: %s", process.pid, _ending(process.returncode))
        if self._outcome is not None and not self._outcome.done():
            self._outcome.set_exception(WorkerDied(reason or _ending(process.returncode)))

    async def _kill(self) -> None:
        await self._bury("it was stopped")

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                if sys.platform == "win32":
                    self._process.kill()
                else:
                    os.killpg(self._process.pid, number)

    def _set(self, health: Health) -> None:
        if health != self._health:
            self._health = health
            self._on_change()


def _ending(status: int | None) -> str:
    if status is not None and status < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-status).name}"
    return f"exit status {status}"
