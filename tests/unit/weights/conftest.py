"""A small model on a hub of our own, and the daemon's part that looks after weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from s2edit_server.settings import DaemonSettings
from s2edit_server.weights.catalogue import CatalogueEntry
from s2edit_server.weights.manager import Weights

from tests.fakes.hub import FakeHub
from tests.fakes.hub_model import hub, small_model

__all__ = ["hub"]  # a fixture, brought in


@pytest.fixture
def entry() -> CatalogueEntry:
    return small_model()


@pytest.fixture
def make_weights(tmp_path: Path, hub: FakeHub, entry: CatalogueEntry) -> Iterator[Callable[..., Weights]]:
    made: list[Weights] = []

    def make(accept: bool = True, **settings: object) -> Weights:
        chosen = DaemonSettings(**{"mirror": hub.base, **settings})  # type: ignore[arg-type]
        options = {"backoff": 0.01, "reserve": 0}
        weights = Weights(
            tmp_path, lambda: chosen, catalogue={entry.id: entry}, caches=[tmp_path / "hub"], options=options
        )
        if accept:
            weights.act(entry.id, "accept_licence")
        made.append(weights)
        return weights

    yield make
    for weights in made:
        weights.close()
