"""The active layer after a new one came: the wanted one, unless the painter chooses another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from s2edit_editor.settling import LOOKS_S, Settling

Act = Callable[["Layers"], None]


class Layers:
    """An editor's layers on a loop that is turned by hand; it takes up a choice only once it knows the layer."""

    def __init__(self, active: str) -> None:
        self.active: str | None = active
        self.known, self.asked = False, 0
        self.waiting: list[Callable[[], None]] = []
        self.settling = Settling(self)  # type: ignore[arg-type]

    def call_later(self, _seconds: float, callback: Callable[[], None]) -> None:
        self.waiting.append(callback)

    def choose(self) -> None:
        self.asked += 1
        if self.known:
            self.active = "photo"

    def knows(self) -> None:
        """The editor hears of the new layer, and chooses it by itself."""
        self.known, self.active = True, "new"

    def paints_elsewhere(self) -> None:
        self.active = "other"

    def asks_for(self) -> None:
        self.settling.chosen()
        self.active = "new"

    def closes(self) -> None:
        self.active = None

    def look(self) -> None:
        self.waiting.pop(0)()


@pytest.mark.parametrize(
    ("acts", "active", "asked"),
    [
        ({}, "photo", 0),
        ({0: Layers.knows}, "photo", 1),
        ({3: Layers.knows}, "photo", 1),
        ({2: Layers.paints_elsewhere}, "other", 0),
        ({0: Layers.knows, 1: Layers.paints_elsewhere}, "other", 1),
        ({1: Layers.asks_for}, "new", 0),
        ({1: Layers.closes}, None, 0),
    ],
    ids=["not heard of", "at once", "late", "another layer", "another after that", "the painter's wish", "closed"],
)
def test_the_painters_own_layer_stays_the_active_one(acts: dict[int, Act], active: str | None, asked: int) -> None:
    layers = Layers("photo")
    layers.settling.wish("photo", {"new"}, lambda: layers.active, layers.choose)
    for look in range(len(LOOKS_S)):
        acts.get(look, lambda _layers: None)(layers)
        if layers.waiting:
            layers.look()
    assert not layers.waiting
    assert (layers.active, layers.asked) == (active, asked)


def test_of_two_wishes_the_newer_counts() -> None:
    layers, chosen = Layers("photo"), list[Any]()
    layers.active = ""
    layers.settling.wish("a", (), lambda: layers.active, lambda: chosen.append("a"))
    layers.settling.wish("b", (), lambda: layers.active, lambda: chosen.append("b"))
    while layers.waiting:
        layers.look()
    assert set(chosen) == {"b"}
