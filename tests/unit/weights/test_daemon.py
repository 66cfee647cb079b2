"""Downloads through a real daemon, which is killed in the middle."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from s2edit_server.weights.catalogue import CatalogueEntry
from s2edit_wire.client import Client
from s2edit_wire.errors import WireError

from tests.fakes.daemon import RunningDaemon
from tests.fakes.hub import FakeHub
from tests.fakes.hub_model import FILES, WEIGHTS, daemon_with
from tests.fakes.until import until


@pytest.fixture
def daemon(hub: FakeHub, entry: CatalogueEntry) -> Iterator[RunningDaemon]:
    with tempfile.TemporaryDirectory(prefix="s2e") as name, daemon_with(Path(name) / "s", hub, entry) as running:
        yield running


def act(client: Client, action: str) -> dict[str, Any]:
    record: dict[str, Any] = client.request("model", {"model": "model", "action": action}, timeout=30).header["model"]
    return record


def model(client: Client) -> dict[str, Any]:
    models = client.request("models", {}, timeout=30).header["models"]
    return next(record for record in models if record["id"] == "model")


def test_killed_in_the_middle_and_done_after_the_restart(daemon: RunningDaemon, hub: FakeHub) -> None:
    target = daemon.folder / "weights" / "model" / "0123456789ab" / WEIGHTS
    hub.faults.slow = 0.05
    with daemon.client() as client:
        with pytest.raises(WireError) as failure:
            act(client, "download")
        assert failure.value.code == "licence_required"
        act(client, "accept_licence")
        assert act(client, "download")["state"] == "downloading"
        until(lambda: model(client)["present"] > 500_000)
    daemon.kill()
    assert not target.exists()
    hub.faults.slow = 0
    daemon.start()
    with daemon.client() as client:
        until(lambda: model(client)["state"] == "ready")
        assert target.read_bytes() == FILES[WEIGHTS]
        assert act(client, "verify")["state"] == "ready"
    resumed = [asked for method, path, asked, _ in hub.requests if method == "GET" and path.startswith("/store/")]
    assert resumed[0] == "" and resumed[-1].startswith("bytes=")


def test_a_client_hears_of_the_progress(daemon: RunningDaemon, hub: FakeHub) -> None:
    hub.faults.slow = 0.02
    with daemon.client() as client:
        client.request("subscribe", {"after": 0})
        act(client, "accept_licence")
        act(client, "download")
        states: list[str] = []

        def ready() -> bool:
            news = [incoming.header for incoming in client.pump() if incoming.op == "event"]
            states.extend(header["model"]["state"] for header in news if header["kind"] == "model")
            return "ready" in states

        until(ready)
    assert "downloading" in states
