"""Keeps the store within its bounds: results that were taken, results that are old, results over the quota."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence

from s2edit_wire.errors import WireError

from . import queries
from .desk import JobDesk
from .settings import DaemonSettings

LOG = logging.getLogger(__name__)
INTERVAL = 60.0
"""Seconds between two looks."""
DAY = 86_400.0


MAX_ENDED = 10_000
"""Ended jobs that are remembered, however young: lists, start-up and memory are in proportion to them."""
MAX_PICTURED = 1_000
"""Newest jobs whose small pictures are kept: 100 KB each, in the database, where no quota counts them."""
JUMP = SETTLING = 3_600.0
"""Seconds by which the clock has to be off, all at once, to be doubted, and for which it then is."""
GAP, LONG_SETTLING = DAY, 4 * 3_600.0
"""The same at a start, where the last sign of life is all there is to compare with."""
PAUSE = 1.0
"""Seconds at least between two looks at the quota, which is looked at whenever something was stored."""


class Calendar:
    """Tells whether ages can be believed: a wrongly set clock must not throw a week of results away.

    A machine that slept looks the same from here; its jobs are then looked at an hour later, which does no harm.

    Args:
        last: when anything last happened, by the wall clock of then; None when nothing ever has.
        wall, steady: `time.time` and `time.monotonic`.
    """

    def __init__(
        self,
        last: float | None = None,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._steady = wall, steady
        self._offset = wall() - steady()
        self._doubted_until = steady()
        if last is not None and not -JUMP < wall() - last < GAP:
            LOG.warning("nothing is deleted for its age yet: the last job was %.0f s ago", wall() - last)
            self._doubted_until += LONG_SETTLING

    def is_sure(self) -> bool:
        """False for hours after the wall clock has jumped; to be asked every few minutes."""
        offset, now = self._wall() - self._steady(), self._steady()
        if abs(offset - self._offset) > JUMP:
            jumped = offset - self._offset
            LOG.warning("the clock jumped by %.0f s: nothing is deleted for its age until it has settled", jumped)
            self._doubted_until = now + SETTLING
        self._offset = offset
        return now >= self._doubted_until


async def serve(desk: JobDesk, settings: Callable[[], DaemonSettings]) -> None:
    """Tidy at once, then every minute and when the quota is passed, until cancelled."""
    last = None
    with contextlib.suppress(WireError, sqlite3.Error):
        last = await desk.store.call(queries.last_change)
    calendar = Calendar(last, time.time, time.monotonic)
    while True:
        try:
            await tidy(desk, settings(), by_age=calendar.is_sure())
        except Exception:
            # Tidying is for later; the jobs are for now.
            LOG.exception("tidying failed; it is tried again")
        await _until_due(desk, settings)


async def _until_due(desk: JobDesk, settings: Callable[[], DaemonSettings]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(INTERVAL):
            while True:
                await asyncio.sleep(PAUSE)
                await desk.grown.wait()
                desk.grown.clear()
                if desk.blobs.total_bytes() > settings().result_quota:
                    return


async def tidy(desk: JobDesk, settings: DaemonSettings, *, by_age: bool = True) -> None:
    """Drop what may go, then delete the files that nothing names any more.

    Args:
        by_age: whether ages count; the quotas do in any case.
    """
    if by_age:
        now = time.time()
        pixels, old = await desk.store.call(
            queries.expired, now - settings.result_grace_s, now - settings.result_days * DAY
        )
        await _remove(desk, old)
        for job in pixels:
            await desk.store.call(queries.drop_frames, job)
    await _remove(desk, await desk.store.call(queries.surplus, MAX_ENDED))
    await desk.store.call(queries.drop_old_thumbnails, MAX_PICTURED)
    await _sweep(desk)
    while (excess := desk.blobs.total_bytes() - settings.result_quota) > 0:
        candidates = await desk.store.call(queries.droppable)
        if not candidates:
            return
        for job, size in candidates:
            LOG.info("stored results are over their quota: the pixels of job %s go", job)
            await desk.store.call(queries.drop_frames, job)
            excess -= size
            if excess <= 0:
                break
        # Pixels that another job names, too, are still there: then it goes on with the next ones.
        await _sweep(desk)


async def _remove(desk: JobDesk, jobs: Sequence[str]) -> None:
    for job in jobs:
        try:
            await desk.remove(job)
        except WireError as error:
            # A client may have removed it, or queued it again, this very moment.
            if error.code not in {"unknown_job", "wrong_state"}:
                raise


async def _sweep(desk: JobDesk) -> None:
    loop = asyncio.get_running_loop()

    def referenced() -> set[str]:
        return asyncio.run_coroutine_threadsafe(desk.store.call(queries.referenced), loop).result()

    await asyncio.to_thread(desk.blobs.sweep, referenced)
