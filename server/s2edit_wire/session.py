"""A client that stays connected, inside somebody else's event loop (GLib, Qt, a test's own), without threads.

It connects, starts the daemon when none runs, connects again when the line breaks, asks for the events it missed, and
sends again what was not answered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .client import Client, Incoming, new_job_id
from .errors import Unreachable, WireError
from .launcher import STARTABLE, Launch
from .living import judged
from .loop import Callback, LoopAdapter
from .told import error_told, incoming_told, told
from .zmtp import Buffer

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0
TICK = 1.0
"""Seconds between looks at the heartbeat."""
GREETING_PATIENCE = 5.0
"""Seconds that connecting and greeting may take."""
REQUEST_PATIENCE = 30.0
"""Seconds that requests wait for a connection before they fail."""
MOST_LAUNCHES = 3
"""Starts of the daemon in a row that led to no connection; then it is left alone."""
NOT_REPEATED = frozenset({"remove", "retry", "shutdown"})
"""Requests that, sent a second time, would do something else than sent once."""
DEFINITIVE = frozenset({"not_ours", "not_installed", "not_usable"})

OnReply = Callable[[Incoming], None]
OnError = Callable[[WireError], None]


@dataclass
class _Request:
    ticket: int
    op: str
    fields: Mapping[str, object]
    frames: Sequence[Buffer]
    on_reply: OnReply | None
    on_error: OnError | None
    since: float
    stretch: tuple[int, int] = (0, 0)
    """Where its bytes begin and end among all that go over the connection."""


class Session:
    """A lasting connection to the daemon.

    Args:
        client_factory: makes the client, once.
        loop: the event loop.
        on_event: called with each event; after (re)connecting, also with one `job` event for each job that changed
            meanwhile. No events are asked for when None.
        on_state: called with ("connecting" | "ready" | "lost", a sentence with what to do, or "").
        previews: whether events bring small pictures.
        launch: whether to start the daemon: at `start`, when one has crashed, and when a request waits for one.
        command: what runs the daemon; the installer's when None.
        language: two letters; sentences for people come in it as far as `told` knows them, else in English.

    Attributes:
        state: "stopped", "connecting", "ready" or "lost".
        client: the client, for its `daemon_version` and `capabilities`; None before `start`.
    """

    def __init__(
        self,
        client_factory: Callable[[], Client],
        loop: LoopAdapter,
        *,
        on_event: OnReply | None = None,
        on_state: Callable[[str, str], None] | None = None,
        previews: bool = True,
        launch: bool = True,
        command: Sequence[str] | None = None,
        language: str = "en",
    ) -> None:
        self.state = "stopped"
        self.client: Client | None = None
        self._factory = client_factory
        self._loop = loop
        self._on_event = on_event
        self._on_state = on_state
        self._previews = previews
        self._may_launch = launch
        self._command = command
        self._language = language
        self._told = ("", "")
        self._reader: object = None
        self._writer: object = None
        self._timer: object = None
        self._launch: Launch | None = None
        self._launches = 0
        self._wanted = False
        self._delay = FIRST_DELAY
        self._greeting_since = 0.0
        self._tickets = 0
        self._waiting: list[_Request] = []
        self._sent: dict[int, _Request] = {}
        self._inbox: list[Incoming] = []
        self._seq = self._newest = 0
        self._catching_up = False
        self._boot = ""

    def start(self) -> None:
        """Connect as soon as the loop runs, and stay connected until `close`; while lost: try again now."""
        if self.state in ("stopped", "lost"):
            self._wanted, self._launches = True, 0
            self._tell("connecting", "Connecting to S²Edit…")
            self._again(0.0)

    def close(self) -> None:
        """Hang up; requests that are not answered yet are forgotten, the daemon goes on with what it has."""
        self._detach()
        if self.client is not None:
            self.client.close()
        self._waiting.clear()
        self._sent.clear()
        self._launch = None
        self.state = "stopped"

    def request(
        self,
        op: str,
        fields: Mapping[str, object] | None = None,
        frames: Sequence[Buffer] = (),
        on_reply: OnReply | None = None,
        on_error: OnError | None = None,
    ) -> int:
        """Send a request, now or as soon as there is a connection; never blocks. Returns a ticket for `forget`.

        Args:
            op, fields, frames: as `Client.send`; neither must change before the answer.
            on_reply: called with the answer.
            on_error: called with the error: the daemon's, or `unreachable` when there was no connection for
                30 seconds, or when it broke and the request is one that must not be sent twice. Never called from
                within `request`.
        """
        self._tickets += 1
        request = _Request(self._tickets, op, fields or {}, frames, on_reply, on_error, time.monotonic())
        self._waiting.append(request)
        if self.state == "ready":
            self._send_waiting()
        elif self._launch is None and self.state == "lost":
            self._again(0.0)
        return request.ticket

    def sent(self, ticket: int) -> float:
        """How much of a request has left this program, 0 to 1; 1 also for one that is answered."""
        for request in self._sent.values():
            if request.ticket == ticket and self.client is not None and self.state == "ready":
                begin, end = request.stretch
                return min(1.0, max(0.0, (self.client.gone[0] - begin) / max(1, end - begin)))
        return 0.0 if any(request.ticket == ticket for request in self._waiting) else 1.0

    def forget(self, ticket: int) -> None:
        """Drop a request's callbacks, such as when its dialog is closed; the request itself may have been sent."""
        for request in [*self._waiting, *self._sent.values()]:
            if request.ticket == ticket:
                request.on_reply = request.on_error = None

    # Connecting

    def _attempt(self) -> None:
        self._timer = None
        try:
            if self._launch is not None and not self._launch.poll():
                self._again(FIRST_DELAY)
                return
            self._launch = None
            if self.client is None:
                self.client = self._factory()
            self.client.begin()
        except Unreachable as error:
            self._launch = None
            self._down(error)
            return
        except OSError as error:
            # It would leave through the editor's loop, and nothing would be tried again.
            self._launch = None
            self._down(Unreachable(f"S²Edit can't be reached: {error.strerror or type(error).__name__}."))
            return
        self._greeting_since = time.monotonic()
        self._reader = self._loop.add_reader(self.client.fileno(), self._pump)
        self._again(TICK, self._tick)
        self._pump()

    def _tick(self) -> None:
        self._timer = None
        if self.state != "ready" and time.monotonic() - self._greeting_since > GREETING_PATIENCE:
            self._down(Unreachable("S²Edit's daemon doesn't answer.", "Restart it: s2edit daemon stop"))
            return
        self._again(TICK, self._tick)
        self._pump()

    def _up(self, client: Client) -> None:
        self._delay, self._launches, self._wanted = FIRST_DELAY, 0, False
        if client.boot != self._boot:
            self._boot, self._seq = client.boot, 0
        self._newest = self._seq
        self._tell("ready", "")
        if self._on_event is not None:
            self._subscribe()
        self._send_waiting()

    def _down(self, error: Unreachable) -> None:
        """Go back to before connecting, tell what happened, start the daemon if that helps, and try again later."""
        was_ready = self.state == "ready"
        if self.client is not None and not was_ready:
            error = judged(error, self.client.state_folder)
        if was_ready:
            self._tell("lost", "The connection to S²Edit broke; it is being made again.")
        self._hang_up()
        if error.reason in STARTABLE and self._needs_daemon(error.reason):
            try:
                self._start_daemon()
            except Unreachable as failed:
                error = failed
            except OSError as failed:
                error = Unreachable(f"S²Edit can't be started: {failed.strerror or type(failed).__name__}.")
            else:
                return
        if not was_ready:
            self._tell("lost", f"{error.message} {error.hint}".strip())
        hopeless = error.reason in DEFINITIVE or self._launches >= MOST_LAUNCHES
        old = time.monotonic() - REQUEST_PATIENCE
        self._fail([one for one in self._waiting if hopeless or one.since < old], error.as_wire_error())
        self._again(LONGEST_DELAY if hopeless else self._delay)
        self._delay = min(2 * self._delay, LONGEST_DELAY)

    def _refused(self, error: WireError) -> None:
        """The daemon speaks another version: nothing will work until one of the two is updated."""
        self._hang_up()
        self._tell("lost", f"{error.message} {error.hint}".strip())
        self._fail(list(self._waiting), error)
        self._again(LONGEST_DELAY)

    def _hang_up(self) -> None:
        self._detach()
        if self.client is not None:
            self.client.close()
        unanswered = [request for request in self._sent.values() if request.ticket]  # 0: our own `subscribe`
        self._sent.clear()
        self._waiting[:0] = unanswered
        broken = WireError(
            "unreachable",
            "The connection to S²Edit broke before it answered.",
            "Look in the list of jobs whether it was done.",
        )
        self._fail([request for request in unanswered if request.op in NOT_REPEATED], broken)

    def _needs_daemon(self, reason: str) -> bool:
        # One that ended in order stays ended until somebody wants something; one that crashed has jobs to finish.
        needed = reason == "stale" or self._wanted or bool(self._waiting)
        return self._may_launch and needed and self._launches < MOST_LAUNCHES

    def _start_daemon(self) -> None:
        assert self.client is not None
        self._launches += 1
        self._launch = Launch(self.client.state_folder, self._command)
        self._tell("connecting", "Starting S²Edit…")
        self._again(FIRST_DELAY)

    # Requests and events

    def _pump(self) -> None:
        client = self.client
        assert client is not None
        try:
            self._inbox += client.pump()
        except Unreachable as error:
            self._down(error)
        except WireError as error:
            self._refused(error)
        else:
            if client.ready and self.state != "ready":
                self._up(client)
            self._watch_writer(client)
        self._dispatch()

    def _send_waiting(self) -> None:
        client = self.client
        assert client is not None
        while self._waiting and self.state == "ready":
            request = self._waiting.pop(0)
            try:
                begin = client.gone[1]
                self._sent[client.send(request.op, request.fields, request.frames)] = request
                request.stretch = (begin, client.gone[1])
            except WireError as error:
                self._fail([request], error)
            except Unreachable as error:
                self._waiting.insert(0, request)
                self._down(error)
                return
        self._watch_writer(client)

    def _dispatch(self) -> None:
        # One at a time off the list: a callback may raise, close the session or send more.
        while self._inbox and self.state != "stopped":
            incoming = incoming_told(self._inbox.pop(0), self._language)
            if incoming.op == "event":
                self._count(int(incoming.header.get("seq", 0)))
                if self._on_event is not None:
                    self._on_event(incoming)
                continue
            request = self._sent.pop(incoming.id, None)
            if request is not None and incoming.error is not None:
                if request.on_error is not None:
                    request.on_error(incoming.error)
            elif request is not None and request.on_reply is not None:
                request.on_reply(incoming)

    def _subscribe(self) -> None:
        """Ask for events, those missed first."""
        self._catching_up = True
        fields: dict[str, object] = {"after": self._seq, "previews": self._previews}
        request = _Request(0, "subscribe", fields, (), self._catch_up, self._miss_out, time.monotonic())
        self._waiting.insert(0, request)

    def _miss_out(self, _error: WireError) -> None:
        self._catching_up = False  # the next event shows the same gap

    def _count(self, seq: int) -> None:
        """Note an event's number; a gap before it means that the daemon found our queue full and dropped some."""
        self._newest = max(self._newest, seq)
        if not self._catching_up and seq > self._seq + 1:
            self._subscribe()
            self._send_waiting()
        if not self._catching_up:
            self._seq = self._newest

    def _catch_up(self, answer: Incoming) -> None:
        """Turn the jobs that changed while nobody listened into events, oldest change first."""
        missed = sorted(answer.header["jobs"], key=lambda job: int(job["seq"]))
        headers = [{"op": "event", "kind": "job", "seq": job["seq"], "job": job} for job in missed]
        self._inbox[:0] = [Incoming(0, "event", header) for header in headers]
        self._seq = answer.header["seq"]
        if answer.header.get("more"):
            self._subscribe()
            self._send_waiting()
        else:
            self._catching_up = False
            self._seq = self._newest = max(self._seq, self._newest)

    def _fail(self, requests: Sequence[_Request], error: WireError) -> None:
        failed = [request.ticket for request in requests]
        self._waiting = [request for request in self._waiting if request.ticket not in failed]

        def tell() -> None:
            for request in requests:
                if request.on_error is not None and self.state != "stopped":
                    request.on_error(error_told(error, self._language))

        if requests:
            self._loop.call_later(0.0, tell)

    # The loop

    def _again(self, seconds: float, what: Callback | None = None) -> None:
        if self._timer is not None:
            self._loop.remove(self._timer)
        self._timer = self._loop.call_later(seconds, what or self._attempt)

    def _detach(self) -> None:
        for handle in (self._reader, self._writer, self._timer):
            if handle is not None:
                self._loop.remove(handle)
        self._reader = self._writer = self._timer = None

    def _watch_writer(self, client: Client) -> None:
        if client.wants_write and self._writer is None and self._reader is not None:
            self._writer = self._loop.add_writer(client.fileno(), self._pump)
        elif not client.wants_write and self._writer is not None:
            self._loop.remove(self._writer)
            self._writer = None

    def _tell(self, state: str, message: str) -> None:
        self.state = state
        if self._on_state is not None and (state, message) != self._told:
            self._told = (state, message)
            self._on_state(state, told(message, self._language))


__all__ = ["LoopAdapter", "Session", "new_job_id"]
