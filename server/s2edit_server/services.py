"""What handlers work with: everything the daemon is made of, in one record."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from s2edit_wire.auth import USERNAME

from . import queries
from .desk import JobDesk
from .painters import Painters, seen_by
from .placement import Place, worth_telling
from .pool import Pool
from .scheduler import Scheduler
from .settings import SettingsFile
from .supervisor import Health
from .weights_desk import WeightsDesk

MAX_PLACES = 64
"""Of a status, as its record allows."""
KEPT_BACK = {"proxy", "mirror"}
"""Settings that painters don't see: addresses may hold passwords."""


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
        painters: who is let in; boot: random mark of this start, 32 hexadecimal digits.
        stop: called with True to stop at once, with False to stop when the queue is empty.
        notices: what people have to know since the start, beside `settings.notice`.
        checked_edits: whether `submit` asks `planning` about prompts and masks; not with a foreign worker module.
    """

    painters: Painters
    boot: str
    pid: int
    desk: JobDesk
    scheduler: Scheduler
    pool: Pool
    settings: SettingsFile
    weights: WeightsDesk
    stop: Callable[[bool], None]
    checked_edits: bool = True
    notices: tuple[str, ...] = ()
    started: float = field(default_factory=time.monotonic)

    def told_settings(self, viewer: str) -> dict[str, Any]:
        """The settings as this user sees them."""
        hidden = KEPT_BACK if viewer != USERNAME else ()
        return {name: value for name, value in self.settings.as_map().items() if name not in hidden}

    async def tell_status(self, kind: str = "status") -> None:
        """Tell everybody who listens how things are."""
        for viewer in self.desk.events.listening():
            self.desk.events.of(viewer).state(kind, status=await self.status(viewer))

    async def status(self, viewer: str = USERNAME) -> dict[str, Any]:
        """The record `s2edit_wire.records.STATUS` as this user sees it."""
        cache_bytes, weights_bytes = await self.weights.cache_bytes(), await self.weights.total_bytes()
        counts = await self.desk.store.call(queries.counts, seen_by(viewer))
        # What can change while those are awaited is read last, so that a later answer never tells an older state.
        health = self.health()
        told = (self.settings.notice, self.painters.notice, self.pool.notice, *self.notices)
        status: dict[str, Any] = {
            "version": version(),
            "pid": self.pid,
            "uptime": time.monotonic() - self.started,
            **_worker(health),
            "queue_paused": self.scheduler.paused,
            "jobs": counts,
            "cache_bytes": cache_bytes,
            "result_bytes": self.desk.blobs.total_bytes(),
            "offline": self.settings.now.offline,
            "weights_bytes": weights_bytes,
            "notices": [notice for notice in told if notice] if viewer == USERNAME else [],
        }
        places = self.pool.places()
        if worth_telling(places):
            status["places"] = [self._place(place, viewer) for place in places[:MAX_PLACES]]
        return status

    def health(self) -> Health:
        """The worker for those who know one only: one that is busy, else one with a model, else the first."""
        workers = [self.pool.runner(place.name).health() for place in self.pool.places()]
        return max(workers, key=lambda one: (one.state == "busy", bool(one.model)), default=Health())

    def _place(self, place: Place, viewer: str) -> dict[str, Any]:
        health = self.pool.runner(place.name).health()
        told = {"name": place.name, **_worker(health)}
        job = self.pool.job(place.name)
        return told | ({"job": job.id} if job is not None and viewer in {USERNAME, job.painter} else {})


def _worker(health: Health) -> dict[str, Any]:
    """What a status tells of one worker."""
    return {
        "device": health.device[:200],
        "worker": health.state,
        "worker_pid": health.pid,
        "model": health.model[:100],
        "memory_used": health.memory_used,
        "memory_free": health.memory_free,
    }
