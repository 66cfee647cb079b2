"""Answers that change a job: handing it in, cancelling, repeating, taking note of its result, deleting it."""

from __future__ import annotations

import logging

from s2edit_wire.limits import MAX_QUEUED_PER_CLIENT

from . import jobs
from .broker import Answer, Handler, Request
from .services import Services

LOG = logging.getLogger(__name__)


def handlers(services: Services) -> dict[str, Handler]:
    """The handlers of this topic, by `op`."""
    desk = services.desk

    async def submit(request: Request) -> Answer:
        edit, session = request.header["edit"], request.known
        if services.checked_edits and await desk.store.call(jobs.find, request.header["job"]) is None:
            await services.weights.check_submit(edit, request.frames)
        job = request.header["job"]
        LOG.debug("job %s from %s: %s", job, session.host, edit)
        return {"job": await desk.submit(job, request.owner, session.client, session.host, edit, request.frames)}, ()

    async def cancel(request: Request) -> Answer:
        return {"job": await services.scheduler.cancel(request.header["job"], request.owner)}, ()

    async def retry(request: Request) -> Answer:
        job = request.header["job"]
        await desk.store.call(jobs.retry, job, MAX_QUEUED_PER_CLIENT)
        desk.queued.set()
        return {"job": await desk.publish(job, viewer=request.owner)}, ()

    async def acknowledge(request: Request) -> Answer:
        job = request.header["job"]
        await desk.store.call(jobs.acknowledge, job)
        return {"job": await desk.publish(job, viewer=request.owner)}, ()

    async def remove(request: Request) -> Answer:
        await desk.remove(request.header["job"])
        return {}, ()

    return {"submit": submit, "cancel": cancel, "retry": retry, "acknowledge": acknowledge, "remove": remove}
