"""A session's requests, from being made to being answered, over as many connections as that takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .client import Client, Incoming
from .errors import WireError
from .zmtp import Buffer

NOT_REPEATED = frozenset({"remove", "retry", "shutdown"})
"""Requests that, sent a second time, would do something else than sent once."""

OnReply = Callable[[Incoming], None]
OnError = Callable[[WireError], None]


@dataclass
class OpenRequest:
    """What somebody asked for.

    Args:
        ticket: its number, 0 for the session's own. op, fields, frames: as `Client.send`.
        since: when it was made, by `time.monotonic`, s.
        stretch: where its bytes begin and end among all that go over the connection.
    """

    ticket: int
    op: str
    fields: Mapping[str, object]
    frames: Sequence[Buffer]
    on_reply: OnReply | None
    on_error: OnError | None
    since: float = field(default_factory=time.monotonic)
    stretch: tuple[int, int] = (0, 0)


class Outbox:
    """Requests that wait for a connection, in order, and those that were sent and not answered.

    Attributes:
        waiting: those to be sent.
    """

    def __init__(self) -> None:
        self.waiting: list[OpenRequest] = []
        self._sent: dict[int, OpenRequest] = {}
        self._tickets = 0

    def new_ticket(self) -> int:
        """A number for a request of somebody else's, from 1."""
        self._tickets += 1
        return self._tickets

    def send_next(self, client: Client) -> None:
        """Send the first one that waits; it waits on when the connection breaks.

        Raises:
            WireError: it can't be sent at all; it still waits, for `drop`.
            Unreachable: the connection broke.
        """
        request, begin = self.waiting[0], client.gone[1]
        self._sent[client.send(request.op, request.fields, request.frames)] = request
        request.stretch = (begin, client.gone[1])
        del self.waiting[0]

    def answered(self, number: int) -> OpenRequest | None:
        """The request with this number on the connection, which is done with; None when there is none."""
        return self._sent.pop(number, None)

    def gone(self, ticket: int, client: Client | None) -> float:
        """How much of a request has left this program, 0 to 1; 1 also for one that is answered.

        Args:
            client: the client, if it is connected.
        """
        for request in self._sent.values():
            if request.ticket == ticket and client is not None:
                begin, end = request.stretch
                return min(1.0, max(0.0, (client.gone[0] - begin) / max(1, end - begin)))
        return 0.0 if any(request.ticket == ticket for request in self.waiting) else 1.0

    def forget(self, ticket: int) -> None:
        """Drop a request's callbacks."""
        for request in [*self.waiting, *self._sent.values()]:
            if request.ticket == ticket:
                request.on_reply = request.on_error = None

    def broken(self) -> list[OpenRequest]:
        """The connection broke: what was sent waits again, but for the session's own.

        Returns:
            Those of them that must not be sent twice; they wait, too, for `drop`.
        """
        unanswered = [request for request in self._sent.values() if request.ticket]
        self._sent.clear()
        self.waiting[:0] = unanswered
        return [request for request in unanswered if request.op in NOT_REPEATED]

    def drop(self, requests: Sequence[OpenRequest]) -> None:
        """Let these wait no longer."""
        dropped = {id(request) for request in requests}
        self.waiting = [request for request in self.waiting if id(request) not in dropped]

    def clear(self) -> None:
        """Forget all of them."""
        self.waiting.clear()
        self._sent.clear()
