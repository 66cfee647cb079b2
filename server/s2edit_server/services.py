"""What handlers work with: everything the daemon is made of, in one record."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from . import queries
from .desk import Desk
from .scheduler import Scheduler
from .settings import SettingsFile
from .supervisor import Runner
from .weights_desk import WeightsDesk


@cache
def version() -> str:
    """S²Edit's version."""
    # Not at import: reading the metadata takes a good part of the second in which the daemon has to answer.
    from importlib import metadata

    try:
        return metadata.version("s2edit")
    except metadata.PackageNotFoundError:
        return "0+source"


@dataclass
class Services:
    """The daemon's parts.

    Args:
        key: this boot's secret; boot: random mark of this start, 32 hexadecimal digits.
        stop: called with True to stop at once, with False to stop when the queue is empty.
        notices: what people have to know since the start, beside `settings.notice`.
        checked_edits: whether `submit` asks `planning` about prompts and masks; not with a foreign worker module.
    """

    key: str
    boot: str
    pid: int
    desk: Desk
    scheduler: Scheduler
    runner: Runner
    settings: SettingsFile
    weights: WeightsDesk
    stop: Callable[[bool], None]
    checked_edits: bool = True
    notices: tuple[str, ...] = ()
    started: float = field(default_factory=time.monotonic)

    async def status(self) -> dict[str, Any]:
        """The record `s2edit_wire.records.STATUS`."""
        cache_bytes, weights_bytes = await self.weights.cache_bytes(), await self.weights.total_bytes()
        counts = await self.desk.store.call(queries.counts)
        # What can change while those are awaited is read last, so that a later answer never tells an older state.
        health = self.runner.health()
        return {
            "version": version(),
            "pid": self.pid,
            "uptime": time.monotonic() - self.started,
            "device": health.device[:200],
            "worker": health.state,
            "worker_pid": health.pid,
            "model": health.model[:100],
            "memory_used": health.memory_used,
            "memory_free": health.memory_free,
            "queue_paused": self.scheduler.paused,
            "jobs": counts,
            "cache_bytes": cache_bytes,
            "result_bytes": self.desk.blobs.total_bytes(),
            "offline": self.settings.now.offline,
            "weights_bytes": weights_bytes,
            "notices": [notice for notice in (self.settings.notice, *self.notices) if notice],
        }
