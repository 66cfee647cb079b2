"""The wire's session on GLib's main loop, so that GTK windows live on while jobs run."""

from __future__ import annotations

import os
from collections.abc import Callable

from gi.repository import GLib


class GLibLoop:
    """The `LoopAdapter` of `s2edit_wire.session` for GLib."""

    def add_reader(self, fd: int, callback: Callable[[], None]) -> int:
        """Call back whenever the descriptor has something to read or its peer is gone."""
        condition = GLib.IOCondition.IN | GLib.IOCondition.HUP | GLib.IOCondition.ERR
        return self._watch(fd, condition, callback)

    def add_writer(self, fd: int, callback: Callable[[], None]) -> int:
        """Call back whenever the descriptor can be written to."""
        return self._watch(fd, GLib.IOCondition.OUT, callback)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> int:
        """Call back once."""

        def once() -> bool:
            callback()
            return bool(GLib.SOURCE_REMOVE)

        return int(GLib.timeout_add(max(0, round(seconds * 1000)), once))

    def remove(self, handle: object) -> None:
        """Forget a reader, writer or call; harmless when a call has already happened."""
        source = GLib.MainContext.default().find_source_by_id(handle)
        if source is not None:
            source.destroy()

    def _watch(self, fd: int, condition: GLib.IOCondition, callback: Callable[[], None]) -> int:
        def ready(_channel: GLib.IOChannel, _condition: GLib.IOCondition) -> bool:
            callback()
            return bool(GLib.SOURCE_CONTINUE)

        # On Windows a socket is no file descriptor, and GLib has to be told.
        channel = GLib.IOChannel.win32_new_socket(fd) if os.name == "nt" else GLib.IOChannel.unix_new(fd)
        return int(GLib.io_add_watch(channel, GLib.PRIORITY_DEFAULT, condition, ready))
