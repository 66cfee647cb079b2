"""Answers about weights, and plans for jobs that are not sent yet."""

from __future__ import annotations

from .broker import Answer, Handler, Request
from .painters import seen_by
from .services import Services


def handlers(services: Services) -> dict[str, Handler]:
    """The handlers of this topic, by `op`."""
    weights = services.weights

    async def plan(request: Request) -> Answer:
        return await weights.plan(request.header, services.desk.store, services.health(), seen_by(request.owner)), ()

    async def models(_request: Request) -> Answer:
        return {"models": await weights.models()}, ()

    async def model(request: Request) -> Answer:
        record = await weights.act(request.header["model"], request.header["action"])
        services.desk.events.state("model", model=record)
        return {"model": record}, ()

    async def rescan(_request: Request) -> Answer:
        await weights.rescan()
        return {}, ()

    return {"plan": plan, "models": models, "model": model, "rescan": rescan}
