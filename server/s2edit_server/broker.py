"""Between the socket and the handlers: checks every message, holds clients to their quotas, answers errors in words."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import zmq
from s2edit_wire import schema
from s2edit_wire.errors import WireError
from s2edit_wire.frames import FrameRecord, check_frames
from s2edit_wire.limits import MAX_SAFE_INTEGER, MAX_UPLOADS_PER_CLIENT

from . import envelope
from .envelope import Pixels

LOG = logging.getLogger(__name__)
Key = TypeVar("Key")
MAX_SESSIONS = 1_024
"""Greeted connections that are remembered; beyond it, the one that was silent longest has to greet again."""
MAX_REQUESTS_PER_CLIENT = 128
"""Requests of one connection being answered at a time."""
MAX_UPLOAD_BYTES = 1_536 * 1024 * 1024
"""Bytes of pictures being stored at a time, of all clients together."""
NO_REQUEST = MAX_SAFE_INTEGER
"""The `id` of an error that answers something in which no id could be read."""
SEND_PATIENCE = 10.0
"""Seconds that an answer waits for a client whose queue is full."""


@dataclass
class Session:
    """A greeted connection: whose it is, which client and what kind of program."""

    identity: bytes
    owner: str
    client: str
    host: str


@dataclass(frozen=True)
class Request:
    """A checked request: whose it is, its session (None before `hello`), header, and (frame entry, its bytes) pairs."""

    identity: bytes
    owner: str
    session: Session | None
    header: dict[str, Any]
    frames: list[tuple[FrameRecord, memoryview]]

    @property
    def known(self) -> Session:
        """The session; only `hello` is handled without one."""
        assert self.session is not None
        return self.session


Answer = tuple[dict[str, Any], Sequence[Pixels]]
Handler = Callable[[Request], Awaitable[Answer]]
Check = Callable[[Request], Awaitable[None]]


class Quotas:
    """What each client is having done right now.

    Before it has greeted, a client is its connection; afterwards requests are still counted by the connection, since
    names are free.
    """

    def __init__(self) -> None:
        self._requests: dict[bytes, int] = {}
        self._uploads: dict[str, int] = {}
        self._bytes = 0

    def enter(self, connection: bytes, client: str, size: int) -> None:
        """Count a request with `size` bytes of pictures; raises WireError("busy")."""
        if self._requests.get(connection, 0) >= MAX_REQUESTS_PER_CLIENT:
            raise WireError("busy", "Too many requests at a time.", "Wait for an answer first.", 0.5)
        if size and self._uploads.get(client, 0) >= MAX_UPLOADS_PER_CLIENT:
            raise WireError("busy", "Two pictures are being sent already.", "Wait for one to arrive.", 1.0)
        if size and self._bytes and self._bytes + size > MAX_UPLOAD_BYTES:
            raise WireError("busy", "Too many pictures are arriving at once.", "Try again in a moment.", 2.0)
        self._requests[connection] = self._requests.get(connection, 0) + 1
        if size:
            self._uploads[client] = self._uploads.get(client, 0) + 1
            self._bytes += size

    def leave(self, connection: bytes, client: str, size: int) -> None:
        """The request counted by `enter` is answered."""
        _take_off(self._requests, connection)
        if size:
            _take_off(self._uploads, client)
        self._bytes -= size


def _take_off(counts: dict[Key, int], key: Key) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]


class Broker:
    """Routes messages.

    Args:
        send: takes all parts of a message, see `router.Router.send`.
        on_gone: called with the identity of a client that turned out to be gone.
        guard: asked before every handler; raises WireError for what its user may not do.
    """

    def __init__(
        self, send: Callable[[Sequence[Pixels]], bool], on_gone: Callable[[bytes], None], guard: Check
    ) -> None:
        self.handlers: Mapping[str, Handler] = {}
        """By `op`; all messages of the schema have to be there before the first one is taken."""
        self._send, self._on_gone, self._guard = send, on_gone, guard
        self._sessions: dict[bytes, Session] = {}
        self._quotas = Quotas()
        self._tails: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def greet(self, session: Session) -> None:
        """Remember a connection whose `hello` was right."""
        if len(self._sessions) >= MAX_SESSIONS:
            self._forget(next(iter(self._sessions)))
        self._sessions[session.identity] = session

    def take(self, identity: bytes, owner: str, message: Sequence[zmq.Frame]) -> None:
        """Handle one message, which came over a connection of this user's; never raises, never blocks."""
        number = NO_REQUEST
        try:
            header, data = envelope.decode([frame.buffer for frame in message])
            given = header.get("id")
            if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= MAX_SAFE_INTEGER:
                number = given
            request = self._check(identity, owner, header, data)
            self._begin(request, number)
        except WireError as error:
            self._answer(identity, _error(identity, number, error))

    def event(self, identity: bytes, header: dict[str, Any], frames: Sequence[Pixels]) -> None:
        """Send an event; one that finds a full queue is dropped, and its missing number tells the client so."""
        try:
            self._send(envelope.parts(identity, header, frames))
        except ConnectionError:
            self._forget(identity)

    async def finish(self, patience: float) -> None:
        """Wait for requests being answered, at most so many seconds."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)

    def _check(self, identity: bytes, owner: str, header: dict[str, Any], data: Sequence[memoryview]) -> Request:
        schema.check_request(header)
        entries = header.get("frames", [])
        check_frames(entries, [len(frame) for frame in data])
        session = self._sessions.pop(identity, None)
        if session is not None and session.owner != owner:
            self._on_gone(identity)  # what it was told as another's is told no more
            session = None
        if session is not None:
            # Put at the end: the first one is the one that was silent longest.
            self._sessions[identity] = session
        elif header["op"] != "hello":
            raise WireError("not_greeted", "The first message has to be `hello`.", "Connect again.")
        return Request(identity, owner, session, header, list(zip(entries, data, strict=True)))

    def _begin(self, request: Request, number: int) -> None:
        # With the owner in front: names of clients are free, and nobody may use up another's quota.
        client = f"{request.owner} {request.session.client if request.session else request.identity.hex()}"
        size = sum(len(data) for _, data in request.frames)
        self._quotas.enter(request.identity, client, size)
        job = (request.owner, request.header["job"]) if "job" in request.header else None
        task = asyncio.create_task(self._handle(request, number, self._tails.get(job) if job else None))
        self._tasks.add(task)
        if job:
            self._tails[job] = task

        def done(ended: asyncio.Task[None]) -> None:
            self._tasks.discard(ended)
            self._quotas.leave(request.identity, client, size)
            if job and self._tails.get(job) is ended:
                del self._tails[job]

        task.add_done_callback(done)

    async def _handle(self, request: Request, number: int, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            # Requests about one job are answered in the order in which they came: no `cancel` overtakes its `submit`.
            await asyncio.wait([before])
        op, identity = request.header["op"], request.identity
        try:
            await self._guard(request)
            fields, frames = await self.handlers[op](request)
            header = {"op": "reply", "id": number, **fields}
            if LOG.isEnabledFor(logging.DEBUG):
                schema.check_reply(op, {**header, "op": op})
            answer = envelope.parts(identity, header, frames)
        except WireError as error:
            answer = _error(identity, number, error)
        except Exception:
            LOG.exception("“%s” failed", op)
            fault = WireError("internal", "Something went wrong inside S²Edit.", "The daemon's log has the details.")
            answer = _error(identity, number, fault)
        deadline, pause = asyncio.get_running_loop().time() + SEND_PATIENCE, 0.02
        while not self._answer(identity, answer) and asyncio.get_running_loop().time() < deadline:
            # Longer and longer: hundreds of answers may wait for one who never reads.
            await asyncio.sleep(pause)
            pause = min(2 * pause, 1.0)

    def _answer(self, identity: bytes, message: Sequence[Pixels]) -> bool:
        try:
            return self._send(message)
        except ConnectionError:
            self._forget(identity)
            return True

    def _forget(self, identity: bytes) -> None:
        self._sessions.pop(identity, None)
        self._on_gone(identity)


def _error(identity: bytes, number: int, error: WireError) -> list[Pixels]:
    return envelope.parts(identity, {"op": "error", "id": number, **error.to_header()})
