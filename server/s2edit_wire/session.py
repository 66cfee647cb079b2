"""A client that stays connected, inside somebody else's event loop (GLib, Qt, a test's own), without threads.

It connects, starts the daemon when none runs, connects again when the line breaks, asks for the events it missed, and
sends again what was not answered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from .client import Client, Incoming, new_job_id
from .errors import Unreachable, WireError
from .event_count import EventCount
from .launcher import STARTABLE, Launch
from .living import judged
from .loop import Callback, LoopAdapter
from .outbox import OnError, OnReply, OpenRequest, Outbox
from .translations import error_told, incoming_told, told
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
DEFINITIVE = frozenset({"not_ours", "not_installed", "not_usable"})


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
        self._outbox, self._inbox = Outbox(), list[Incoming]()
        self._events = EventCount()

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
        self._outbox.clear()
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
        ticket = self._outbox.new_ticket()
        self._outbox.waiting.append(OpenRequest(ticket, op, fields or {}, frames, on_reply, on_error))
        if self.state == "ready":
            self._send_waiting()
        elif self._launch is None and self.state == "lost":
            self._again(0.0)
        return ticket

    def sent(self, ticket: int) -> float:
        """How much of a request has left this program, 0 to 1; 1 also for one that is answered."""
        return self._outbox.gone(ticket, self.client if self.state == "ready" else None)

    def forget(self, ticket: int) -> None:
        """Drop a request's callbacks, such as when its dialog is closed; the request itself may have been sent."""
        self._outbox.forget(ticket)

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
        self._events.connected(client.boot)
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
        self._fail([one for one in self._outbox.waiting if hopeless or one.since < old], error.as_wire_error())
        self._again(LONGEST_DELAY if hopeless else self._delay)
        self._delay = min(2 * self._delay, LONGEST_DELAY)

    def _refused(self, error: WireError) -> None:
        """The daemon speaks another version: nothing will work until one of the two is updated."""
        self._hang_up()
        self._tell("lost", f"{error.message} {error.hint}".strip())
        self._fail(list(self._outbox.waiting), error)
        self._again(LONGEST_DELAY)

    def _hang_up(self) -> None:
        self._detach()
        if self.client is not None:
            self.client.close()
        broken = WireError(
            "unreachable",
            "The connection to S²Edit broke before it answered.",
            "Look in the list of jobs whether it was done.",
        )
        self._fail(self._outbox.broken(), broken)

    def _needs_daemon(self, reason: str) -> bool:
        # One that ended in order stays ended until somebody wants something; one that crashed has jobs to finish.
        needed = reason == "stale" or self._wanted or bool(self._outbox.waiting)
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
        while self._outbox.waiting and self.state == "ready":
            try:
                self._outbox.send_next(client)
            except WireError as error:
                self._fail(self._outbox.waiting[:1], error)
            except Unreachable as error:
                self._down(error)
                return
        self._watch_writer(client)

    def _dispatch(self) -> None:
        # One at a time off the list: a callback may raise, close the session or send more.
        while self._inbox and self.state != "stopped":
            incoming = incoming_told(self._inbox.pop(0), self._language)
            if incoming.op == "event":
                if self._events.count(int(incoming.header.get("seq", 0))):
                    self._subscribe()
                    self._send_waiting()
                if self._on_event is not None:
                    self._on_event(incoming)
                continue
            request = self._outbox.answered(incoming.id)
            if request is not None and incoming.error is not None:
                if request.on_error is not None:
                    request.on_error(incoming.error)
            elif request is not None and request.on_reply is not None:
                request.on_reply(incoming)

    def _subscribe(self) -> None:
        """Ask for events, those missed first."""
        self._events.asked()
        fields: dict[str, object] = {"after": self._events.after, "previews": self._previews}
        request = OpenRequest(0, "subscribe", fields, (), self._catch_up, lambda _: self._events.unanswered())
        self._outbox.waiting.insert(0, request)

    def _catch_up(self, answer: Incoming) -> None:
        """Turn the jobs that changed while nobody listened into events."""
        missed, more = self._events.catch_up(answer)
        self._inbox[:0] = missed
        if more:
            self._subscribe()
            self._send_waiting()

    def _fail(self, requests: Sequence[OpenRequest], error: WireError) -> None:
        self._outbox.drop(requests)

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
