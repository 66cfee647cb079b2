"""Orders in, reports out: does one job at a time and outlives every one of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from s2edit_wire.errors import WireError

from .. import worker_link as link
from .engines import Engines
from .faults import to_wire
from .reporting import Reporter

LOG = logging.getLogger(__name__)


class Service:
    """The worker's main loop.

    Args:
        line: the open line to the daemon.
        state: the daemon's state folder.
    """

    def __init__(self, line: link.WorkerLine, state: Path) -> None:
        self._line = line
        self._engines = Engines(state)
        self._device = ""

    def serve(self) -> None:
        """Take orders until `Exit`."""
        self._line.say(link.Ready(device=""))
        while True:
            order = self._line.next_order()
            if isinstance(order, link.Exit):
                return
            if isinstance(order, link.Unload):
                self._unload()
            else:
                answer = self._answer(order)
                # First, so that the state shown at a job's end is the state at its end.
                self._tell_memory()
                self._line.say(answer)

    def _answer(self, run: link.Run) -> link.Done | link.Failed | link.Cancelled:
        try:
            return self._do(run)
        except Exception as error:  # whatever a job does wrong, the next one has to run
            fault = to_wire(error)
            if fault.code in {"internal", "out_of_memory", "model_failed"}:
                LOG.exception("job %s, attempt %d", run.job, run.attempt)
        if fault.code == "cancelled":
            return link.Cancelled(run.job)
        if fault.code == "out_of_memory":
            # What a broken-off job left on the device must not take the next one's room.
            self._engines.drop()
        return link.Failed(run.job, fault.code, fault.message, fault.hint)

    def _do(self, run: link.Run) -> link.Done:
        started = time.monotonic()
        report = Reporter(self._line, run.job)
        report.step("loading")
        self._name_device(run.device)
        from . import tasks

        if report.cancelled():
            raise WireError("cancelled", "The job was cancelled.")
        task: Callable[[link.Run, Engines, Reporter], tuple[dict[str, Any], list[link.FrameFile]]]
        task = tasks.TASKS[run.edit["kind"]]
        record, frames = task(run, self._engines, report)
        record |= tasks.provenance(run, self._device, time.monotonic() - started)
        return link.Done(run.job, record, frames)

    def _name_device(self, wanted: str) -> None:
        """Tell the daemon where this job computes, if that is news; raises SettingError: there is no such device."""
        from s2edit.model.device import choose_device, device_name

        name = device_name(choose_device(wanted))
        if name != self._device:
            self._device = name
            self._line.say(link.Ready(device=name))

    def _unload(self) -> None:
        self._engines.drop()
        self._tell_memory()

    def _tell_memory(self) -> None:
        self._line.say(self._engines.memory())
