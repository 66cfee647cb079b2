"""Answers about the daemon itself: the greeting, its state, its settings, its end."""

from __future__ import annotations

from collections.abc import Callable

from s2edit_wire import PROTOCOL_VERSION
from s2edit_wire.auth import daemon_proof
from s2edit_wire.errors import WireError

from . import logs
from .broker import Answer, Handler, Request, Session
from .services import Services, version

CAPABILITIES = ["previews", "queue", "thumbnails", "models", "settings", "edit", "compose", "mask", "caption"]


def handlers(services: Services, greet: Callable[[Session], None]) -> dict[str, Handler]:
    """The handlers of this topic, by `op`; `greet` remembers a connection whose `hello` was right."""

    async def hello(request: Request) -> Answer:
        header = request.header
        lowest, highest = header["protocol"]
        if not lowest <= PROTOCOL_VERSION <= highest:
            older = "plug-in" if highest < PROTOCOL_VERSION else "daemon"
            raise WireError(
                "unsupported_version",
                f"The plug-in speaks protocol {lowest} to {highest}, S²Edit {version()} speaks {PROTOCOL_VERSION}.",
                f"Update the {older}: run `s2edit install` and restart the editor."
                if older == "plug-in"
                else "Update S²Edit, then run: s2edit daemon stop",
            )
        greet(Session(request.identity, request.owner, header["client_id"], header["client"]))
        answer: dict[str, object] = {
            "version": version(),
            "protocol": PROTOCOL_VERSION,
            "proof": daemon_proof(services.painters.key(request.owner), header["nonce"]),
            "boot": services.boot,
            "capabilities": CAPABILITIES,
        }
        return answer, ()

    async def ping(_request: Request) -> Answer:
        return {}, ()

    async def status(request: Request) -> Answer:
        return {"status": await services.status(request.owner)}, ()

    async def settings(request: Request) -> Answer:
        return {"settings": services.told_settings(request.owner)}, ()

    async def configure(request: Request) -> Answer:
        changes = request.header["settings"]
        services.settings.configure(changes)
        if "log_level" in changes:
            logs.set_level(services.settings.now.log_level)
        if "queue_paused" in changes:
            services.scheduler.paused = services.settings.now.queue_paused
            services.desk.queued.set()
        await services.tell_status()
        return {"settings": services.settings.as_map()}, ()

    async def shutdown(request: Request) -> Answer:
        services.stop(request.header["when"] == "now")
        return {}, ()

    return {
        "hello": hello,
        "ping": ping,
        "status": status,
        "settings": settings,
        "configure": configure,
        "shutdown": shutdown,
    }
