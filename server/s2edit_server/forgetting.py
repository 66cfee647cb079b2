"""Takes identities away that no job needs any more, wherever they lie: they hold a likeness.

Asked is never for one to go, but told which are to stay: so a computer that was away while a job was removed, and a
daemon that was killed at that moment, are right again with the next word.
"""

from __future__ import annotations

import logging
import sqlite3

from s2edit_wire.errors import WireError

from . import queries
from .desk import JobDesk
from .pool import Pool
from .weights_desk import WeightsDesk

LOG = logging.getLogger(__name__)


async def serve(desk: JobDesk, weights: WeightsDesk, pool: Pool) -> None:
    """Forget at once, then whenever `JobDesk.unneeded` says so, until cancelled."""
    desk.unneeded.set()
    while True:
        await desk.unneeded.wait()
        desk.unneeded.clear()
        try:
            await forget(desk, weights, pool)
        except (OSError, sqlite3.Error, WireError):
            # The next job that is removed brings it up again.
            LOG.exception("identities that no job needs could not be removed")


async def forget(desk: JobDesk, weights: WeightsDesk, pool: Pool) -> None:
    """Keep what jobs need, here and on all computers of the pool, and nothing else."""
    needed = await desk.store.call(queries.identities)
    # Before anything else is awaited: a job that is begun after this was not asked about.
    pool.keep(needed)
    await weights.keep_identities(needed)
