"""What a session needs of the event loop it lives in; the plug-ins and the tray bring one for GLib and one for Qt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Callback = Callable[[], None]


class LoopAdapter(Protocol):
    """What a session needs of an event loop. Callbacks run in the loop's own thread, one at a time."""

    def add_reader(self, descriptor: int, callback: Callback, /) -> object:
        """Call `callback` whenever the descriptor can be read, until the returned handle is removed."""

    def add_writer(self, descriptor: int, callback: Callback, /) -> object:
        """Call `callback` whenever the descriptor can be written, until the returned handle is removed."""

    def call_later(self, seconds: float, callback: Callback, /) -> object:
        """Call `callback` once, after so many seconds, unless the returned handle is removed before."""

    def remove(self, handle: object, /) -> None:
        """Forget what one of the others returned; may be called from its own callback, or after it has run."""
