"""The network of a test's two computers: a switch with two cables to pull, or, where one may not make such, loopback.

Made of Linux's network namespaces, for which one has to be root and to hold CAP_NET_ADMIN and CAP_SYS_ADMIN; not every
container's root does.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol

HEAD, OTHER = 0, 1
CLONE_NEWNET = 0x40000000
"""Of setns(2)."""
_numbers = itertools.count()


class Network(Protocol):
    """What both kinds have."""

    where: str
    """Which kind, for a test's name."""
    addresses: tuple[str, str]
    """The head's and the other's."""
    interface: str
    """Where all that passes between them can be heard, for who stands `at_the_cable`."""
    hears_twice: bool
    """Whether each packet is heard as it goes and as it comes."""

    def prefix(self, computer: int) -> list[str]:
        """What a command is run by on a computer."""

    def at_the_cable(self) -> contextlib.AbstractContextManager[None]:
        """This thread is a stranger's in the studio's network."""

    def __enter__(self) -> Network:
        """Lay the cables."""

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take them away."""


class Loopback:
    """Two addresses of this machine's loopback: nothing to be made, no cable to be pulled."""

    where = "loopback"
    addresses = "127.0.0.2", "127.0.0.3"
    interface, hears_twice = "lo", True

    def prefix(self, computer: int) -> list[str]:
        """See `Network.prefix`."""
        return []

    def at_the_cable(self) -> contextlib.AbstractContextManager[None]:
        """See `Network.at_the_cable`."""
        return contextlib.nullcontext()

    def __enter__(self) -> Loopback:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class Namespaces:
    """A namespace for each computer, and one for the switch between them."""

    where = "namespaces"
    addresses = "10.119.7.2", "10.119.7.3"
    interface, hears_twice = "cable0", False

    def __init__(self) -> None:
        mark = f"s2-{os.getpid()}-{next(_numbers)}"
        self._switch, self._computers = f"{mark}-switch", (f"{mark}-0", f"{mark}-1")

    def prefix(self, computer: int) -> list[str]:
        """See `Network.prefix`."""
        return ["ip", "netns", "exec", self._computers[computer]]

    @contextlib.contextmanager
    def at_the_cable(self) -> Iterator[None]:
        """See `Network.at_the_cable`."""
        with Path("/proc/thread-self/ns/net").open() as own, Path("/run/netns", self._switch).open() as switch:
            _enter(switch.fileno())
            try:
                yield
            finally:
                _enter(own.fileno())

    def plug(self, computer: int, *, pulled: bool) -> None:
        """Pull a computer's cable out of the switch, or put it back; neither computer is told."""
        _ip(f"-n {self._switch} link set cable{computer} {'down' if pulled else 'up'}")

    def __enter__(self) -> Namespaces:
        try:
            for name in (self._switch, *self._computers):
                _ip(f"netns add {name}")
                _ip(f"-n {name} link set lo up")
            _ip(f"-n {self._switch} link add hub type bridge")
            _ip(f"-n {self._switch} addr add 10.119.7.1/24 dev hub")
            _ip(f"-n {self._switch} link set hub up")
            for number, (name, address) in enumerate(zip(self._computers, self.addresses, strict=True)):
                _ip(f"-n {self._switch} link add cable{number} type veth peer name card netns {name}")
                _ip(f"-n {self._switch} link set cable{number} master hub up")
                _ip(f"-n {name} addr add {address}/24 dev card")
                _ip(f"-n {name} link set card up")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in (*self._computers, self._switch):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def made() -> Network:
    """The best network that can be made here."""
    return Namespaces() if CABLES else Loopback()


def _possible() -> bool:
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    try:
        with Namespaces() as tried, tried.at_the_cable():
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def _ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True, capture_output=True)


def _enter(descriptor: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


CABLES = _possible()
