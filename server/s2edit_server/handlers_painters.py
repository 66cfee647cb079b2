"""Answers about painters who share the daemon, for its own user."""

from __future__ import annotations

from .broker import Answer, Handler, Request
from .services import Services


def handlers(services: Services) -> dict[str, Handler]:
    """The handlers of this topic, by `op`."""
    known = services.painters

    async def painters(_request: Request) -> Answer:
        return {"painters": known.names()}, ()

    async def painter(request: Request) -> Answer:
        name, action = request.header["name"], request.header["action"]
        if action == "remove":
            known.remove(name)
            services.desk.events.forget(name)
            return {}, ()
        return {"key": known.add(name) if action == "add" else known.key(name)}, ()

    return {"painters": painters, "painter": painter}
