"""Something that is done once, a while after it was last wished for, on the editor's own loop."""

from __future__ import annotations

from collections.abc import Callable

from s2edit_wire.loop import LoopAdapter


class Later:
    """One thing to be done.

    Args:
        loop: the editor's. seconds: from the last wish on. act: what is done then.
    """

    def __init__(self, loop: LoopAdapter, seconds: float, act: Callable[[], None]) -> None:
        self._loop, self._seconds, self._act = loop, seconds, act
        self._handle: object = None

    @property
    def waiting(self) -> bool:
        """Whether it is still to be done."""
        return self._handle is not None

    def start(self) -> None:
        """Wish for it; an earlier wish is none any more."""
        self.stop()
        self._handle = self._loop.call_later(self._seconds, self._fire)

    def stop(self) -> None:
        """Wish for it no longer."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            self._loop.remove(handle)

    def _fire(self) -> None:
        self._handle = None
        self._act()
