"""The smallest event loop that a session can live in, with the adapter that GLib and Qt have in the plug-ins."""

from __future__ import annotations

import itertools
import select
import time
from collections.abc import Callable


class Loop:
    """Descriptors and timers; `run_until` turns it. It is its own `LoopAdapter`."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._watched: dict[int, tuple[int, int, Callable[[], None]]] = {}
        self._timers: dict[int, tuple[float, Callable[[], None]]] = {}

    def add_reader(self, descriptor: int, callback: Callable[[], None]) -> object:
        """See `LoopAdapter`."""
        return self._watch(descriptor, select.POLLIN, callback)

    def add_writer(self, descriptor: int, callback: Callable[[], None]) -> object:
        """See `LoopAdapter`."""
        return self._watch(descriptor, select.POLLOUT, callback)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> object:
        """See `LoopAdapter`."""
        number = next(self._numbers)
        self._timers[number] = (time.monotonic() + seconds, callback)
        return number

    def remove(self, handle: object) -> None:
        """See `LoopAdapter`."""
        assert isinstance(handle, int)
        self._watched.pop(handle, None)
        self._timers.pop(handle, None)

    @property
    def idle(self) -> bool:
        """Whether nothing is watched and no timer is set."""
        return not self._watched and not self._timers

    def run_until(self, condition: Callable[[], object], seconds: float = 10.0) -> None:
        """Turn the loop until the condition holds; AssertionError when it takes longer."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the loop waited in vain"
            self._turn()

    def run_for(self, seconds: float) -> None:
        """Turn the loop for so long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._turn()

    def _watch(self, descriptor: int, events: int, callback: Callable[[], None]) -> int:
        number = next(self._numbers)
        self._watched[number] = (descriptor, events, callback)
        return number

    def _turn(self) -> None:
        now = time.monotonic()
        for number, (due, callback) in list(self._timers.items()):
            if due <= now and self._timers.pop(number, None) is not None:
                callback()
        poll = select.poll()
        wanted: dict[int, int] = {}
        for descriptor, events, _ in self._watched.values():
            wanted[descriptor] = wanted.get(descriptor, 0) | events
        for descriptor, events in wanted.items():
            poll.register(descriptor, events)
        ready = dict(poll.poll(5))
        for number, (descriptor, events, callback) in list(self._watched.items()):
            if number in self._watched and ready.get(descriptor, 0) & (events | select.POLLHUP | select.POLLERR):
                callback()
