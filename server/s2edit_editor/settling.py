"""Which layer is the active one after a new one came, where the editor chooses the new one by itself, a while later."""

from __future__ import annotations

from collections.abc import Callable, Collection

from s2edit_wire.loop import LoopAdapter

LOOKS_S = (0.03, 0.06, 0.12, 0.25, 0.5, 1.0)
"""Seconds until each further look: there is no signal for the moment at which the editor has chosen."""


class Settling:
    """Makes a layer the active one and sees that it stays so, unless the painter chooses another one.

    Only the newest wish counts: older ones that still look give up.

    Args:
        loop: the editor's.
    """

    def __init__(self, loop: LoopAdapter) -> None:
        self._loop = loop
        self._turn = 0

    def chosen(self) -> None:
        """The painter has asked for a layer: whatever was wished for before does not count any more."""
        self._turn += 1

    def wish(
        self,
        wanted: str,
        instead_of: Collection[str],
        active: Callable[[], str | None],
        choose: Callable[[], None],
    ) -> None:
        """Wish for a layer.

        Args:
            wanted: its mark. instead_of: marks of layers that may be the active one without the painter's doing.
            active: tells the active layer's mark, "" without one; None once the wanted layer, or its picture, is gone.
            choose: makes it the active one; until the editor knows it, that does nothing.
        """
        self._turn += 1
        turn, looks, asked = self._turn, list(LOOKS_S), False

        def look() -> None:
            nonlocal asked
            now = active() if turn == self._turn else None
            if now is None or (now not in ("", wanted) and now not in instead_of):
                return
            if now != wanted:
                choose()
                asked = True
            elif asked:
                return
            if looks:
                self._loop.call_later(looks.pop(0), look)

        self._loop.call_later(looks.pop(0), look)
