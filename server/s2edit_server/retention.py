"""Keeps the store within its bounds: results that were taken, results that are old, results over the quota."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from . import queries
from .desk import Desk
from .settings import Settings

LOG = logging.getLogger(__name__)
INTERVAL = 60.0
"""Seconds between two looks."""
DAY = 86_400.0


async def serve(desk: Desk, settings: Callable[[], Settings]) -> None:
    """Tidy at once and then every minute, until cancelled."""
    while True:
        try:
            await tidy(desk, settings())
        except Exception:
            # Tidying is for later; the jobs are for now.
            LOG.exception("tidying failed; it is tried again")
        await asyncio.sleep(INTERVAL)


async def tidy(desk: Desk, settings: Settings) -> None:
    """Drop what may go, then delete the files that nothing names any more."""
    now = time.time()
    pixels, old = await desk.store.call(
        queries.expired, now - settings.result_grace_s, now - settings.result_days * DAY
    )
    for job in old:
        await desk.remove(job)
    for job in pixels:
        await desk.store.call(queries.drop_frames, job)
    await _sweep(desk)
    while desk.blobs.total_bytes() > settings.result_quota:
        candidates = await desk.store.call(queries.droppable)
        if not candidates:
            return
        LOG.info("stored results are over their quota: the pixels of job %s go", candidates[0])
        await desk.store.call(queries.drop_frames, candidates[0])
        await _sweep(desk)


async def _sweep(desk: Desk) -> None:
    loop = asyncio.get_running_loop()

    def referenced() -> set[str]:
        return asyncio.run_coroutine_threadsafe(desk.store.call(queries.referenced), loop).result()

    await asyncio.to_thread(desk.blobs.sweep, referenced)
