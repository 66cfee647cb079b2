"""Answers about the queue as a whole, and about what the worker holds."""

from __future__ import annotations

from . import jobs, queries
from .broker import Answer, Handler, Request
from .forgetting import forget
from .services import Services


def handlers(services: Services) -> dict[str, Handler]:
    """The handlers of this topic, by `op`."""
    desk, scheduler = services.desk, services.scheduler

    async def changed(request: Request) -> Answer:
        desk.queued.set()
        record = await desk.publish(request.header["job"], viewer=request.owner)
        await desk.publish_places()
        return {"job": record}, ()

    async def move(request: Request) -> Answer:
        await desk.store.call(jobs.move, request.header["job"], request.header.get("before"))
        return await changed(request)

    async def hold(request: Request) -> Answer:
        await desk.store.call(jobs.switch, request.header["job"], "queued", "paused")
        return await changed(request)

    async def release(request: Request) -> Answer:
        await desk.store.call(jobs.switch, request.header["job"], "paused", "queued")
        return await changed(request)

    async def pause_queue(_request: Request) -> Answer:
        return await set_paused(True)

    async def resume_queue(_request: Request) -> Answer:
        return await set_paused(False)

    async def set_paused(paused: bool) -> Answer:
        services.settings.configure({"queue_paused": paused})
        scheduler.paused = paused
        desk.queued.set()
        await services.tell_status("queue")
        return {}, ()

    async def free_memory(request: Request) -> Answer:
        scheduler.unload_when_idle(request.header.get("place", ""))
        return {}, ()

    async def clear_cache(_request: Request) -> Answer:
        await desk.store.call(queries.disown_identities)
        await forget(desk, services.weights, services.pool)
        await services.tell_status()
        return {}, ()

    return {
        "move": move,
        "hold": hold,
        "release": release,
        "pause_queue": pause_queue,
        "resume_queue": resume_queue,
        "free_memory": free_memory,
        "clear_cache": clear_cache,
    }
