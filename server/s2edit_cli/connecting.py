"""Getting through to the daemon, started when none runs."""

from __future__ import annotations

from importlib.metadata import version

from s2edit_wire import launcher, programs
from s2edit_wire.client import Client


def connect(*, start: bool = True, client_id: str | None = None) -> Client:
    """A greeted client.

    Args:
        start: whether to start a daemon when none runs.
        client_id: the same over reconnects, so that quotas are counted right.
    Raises:
        Unreachable, WireError("unsupported_version").
    """
    client = Client("cli", version("s2edit"), client_id=client_id)
    if start:
        launcher.connect(client, programs.command("daemon"))
    else:
        client.connect()
    return client
