"""A client of the daemon over one socket: requests out, answers and events in; nothing here blocks unless it says so.

Programs with an event loop of their own use `session`, which keeps a client connected.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from . import PROTOCOL_VERSION, auth, schema
from .connection import START_HINT, read_connection_file
from .errors import ProtocolError, Unreachable, WireError
from .frames import check_frames
from .incoming import Incoming, decode
from .limits import MAGIC
from .link import RESTART_HINT, Link
from .pack import pack
from .paths import state_folder as default_state_folder
from .prompt_text import cleaned_request
from .zmtp import Buffer


class Client:
    """A connection to the daemon.

    Args:
        host: what kind of program this is, one of `records.HOSTS`.
        version: its version.
        state_folder: where to look for the daemon; the usual place when None.
        client_id: 32 hexadecimal digits; the same over reconnects. Random when None.

    Attributes:
        ready: whether requests can be sent.
        daemon_version, protocol, boot, capabilities: from the daemon's answer to `hello`.
    """

    def __init__(self, host: str, version: str, state_folder: Path | None = None, client_id: str | None = None) -> None:
        self.host = host
        self.version = version
        self.state_folder = state_folder or default_state_folder()
        self.client_id = client_id or auth.new_client_id()
        self.ready = False
        self.daemon_version = ""
        self.protocol = 0
        self.boot = ""
        self.capabilities: list[str] = []
        self._link: Link | None = None
        self._broken: Unreachable | None = None
        self._key = self._nonce = ""
        self._hello_id = 0
        self._next_id = 1
        self._kept: list[Incoming] = []

    # Connecting

    def connect(self, timeout: float = 5.0) -> None:
        """Connect and greet, waiting at most `timeout` seconds.

        Raises:
            Unreachable: there is no daemon that can be trusted; its `reason` says why.
            WireError: `unsupported_version`.
        """
        deadline = time.monotonic() + timeout
        self.begin()
        while not self.ready:
            self._wait(deadline, "S²Edit's daemon doesn't answer.")
            self._kept += self._pump()

    def begin(self) -> None:
        """Start to connect without waiting; `pump` does the rest, and `ready` tells when it is done.

        Raises:
            Unreachable: as `connect`.
        """
        self.close()
        connection = read_connection_file(self.state_folder)
        self._key, self._nonce, self._hello_id, self._broken = connection.key, auth.new_nonce(), 0, None
        self._link = Link(connection)

    def close(self) -> None:
        """Hang up; harmless when not connected."""
        self.ready = False
        if self._link is not None:
            self._link.close()
            self._link = None

    def __enter__(self) -> Client:
        """The client, connected."""
        if not self.ready:
            self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        self.close()

    # What an event loop needs

    def fileno(self) -> int:
        """The socket's descriptor; Unreachable when there is none."""
        return self._linked().fileno()

    @property
    def wants_write(self) -> bool:
        """Whether `pump` should be called when the socket can be written, too."""
        return self._link is not None and self._link.wants_write

    @property
    def gone(self) -> tuple[int, int]:
        """Bytes that the socket has taken on this connection so far, and how many that are when nothing waits."""
        link = self._linked()
        return link.gone, link.gone + link.unsent

    def wait(self, seconds: float) -> None:
        """Wait until `pump` has something to do, at most `seconds` and at most one second."""
        self._linked().wait(seconds)

    # Requests and answers

    def send(self, op: str, fields: Mapping[str, object] | None = None, frames: Sequence[Buffer] = ()) -> int:
        """Queue a request and send what the socket takes at once; returns its id. Never blocks.

        Args:
            op: one of `schema.MESSAGES`.
            fields: its fields; with pixel frames, `frames` among them describes each (see `frames.describe`).
            frames: the pixels, contiguous; not to be changed until `wants_write` is False.

        Raises:
            WireError: `bad_request` or `too_large`: the daemon would refuse the request.
            Unreachable: not connected.
        """
        link = self._linked()
        if not self.ready:
            raise Unreachable("The connection to S²Edit is not ready yet.")
        return self._queue(link, op, fields or {}, frames)

    def pump(self) -> list[Incoming]:
        """Send and receive what can be without waiting, and keep the heartbeat.

        To be called when the socket is readable (or writable, see `wants_write`), and every few seconds besides.

        Raises:
            Unreachable: the connection is lost or was never one; the client is closed then.
            WireError: `unsupported_version`, while connecting; the client is closed then.
        """
        kept, self._kept = self._kept, []
        try:
            return kept + self._pump()
        except BaseException:
            self._kept = kept
            raise

    def request(
        self,
        op: str,
        fields: Mapping[str, object] | None = None,
        frames: Sequence[Buffer] = (),
        timeout: float = 30.0,
        sending: Callable[[int, int], None] = lambda _gone, _all: None,
    ) -> Incoming:
        """Send a request and wait for its answer; what else arrives is kept for `pump`.

        Args:
            op, fields, frames: as for `send`.
            sending: told again and again how many bytes of the frames the socket has taken, and of how many.

        Raises:
            WireError: the daemon's answer is an error, or the request is wrong.
            Unreachable: no answer within `timeout` seconds after the last byte was sent, or the connection is lost.
        """
        deadline, unsent = time.monotonic() + timeout, -1
        number = self.send(op, fields, frames)
        size = sum(memoryview(frame).nbytes for frame in frames)
        while True:
            arrived = self._pump()
            if (left := self._linked().unsent) != unsent:
                deadline, unsent = time.monotonic() + timeout, left
                sending(max(0, size - left), size)
            answer = next((one for one in arrived if one.id == number), None)
            self._kept += [one for one in arrived if one is not answer]
            if answer is not None:
                if answer.error is not None:
                    raise answer.error
                return answer
            self._wait(deadline, f"S²Edit's daemon has not answered “{op}” within {timeout:g} seconds.")

    def _queue(self, link: Link, op: str, fields: Mapping[str, object], frames: Sequence[Buffer] = ()) -> int:
        number = self._next_id
        header = {**cleaned_request(op, fields), "op": op, "id": number}
        schema.check_request(header)
        views = [memoryview(frame).cast("B") for frame in frames]
        entries = header.get("frames", [])
        assert isinstance(entries, list)
        check_frames(entries, [len(view) for view in views])
        self._next_id += 1
        try:
            link.send([MAGIC, pack(header), *views])
        except Unreachable:
            self.close()
            raise
        return number

    def _linked(self) -> Link:
        if self._link is None:
            raise Unreachable("There is no connection to S²Edit.", START_HINT)
        return self._link

    def _pump(self) -> list[Incoming]:
        link = self._linked()
        try:
            self._pump_link(link)
            if link.ready and not self._hello_id:
                self._hello_id = self._queue(link, "hello", self._hello())
            return self._take_messages(link)
        except ProtocolError as error:
            self.close()
            raise Unreachable(f"S²Edit's daemon can't be understood. {error.message}", RESTART_HINT) from error
        except BaseException:
            self.close()
            raise

    def _pump_link(self, link: Link) -> None:
        if self._broken is not None:
            raise self._broken
        try:
            link.pump()
        except Unreachable as error:
            if not self.ready or not link.messages:
                raise
            self._broken = error  # raised by the next call: first what arrived before the end

    def _wait(self, deadline: float, message: str) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            if not self.ready:
                self.close()
            raise Unreachable(message, RESTART_HINT)
        self._linked().wait(left)

    def _hello(self) -> dict[str, object]:
        return {
            "client": self.host,
            "version": self.version,
            "protocol": [PROTOCOL_VERSION, PROTOCOL_VERSION],
            "nonce": self._nonce,
            "client_id": self.client_id,
        }

    def _take_messages(self, link: Link) -> list[Incoming]:
        taken = []
        while link.messages:
            incoming = decode(link.messages.popleft())
            if self.ready:
                taken.append(incoming)
            else:
                self._take_hello(incoming)
        return taken

    def _take_hello(self, incoming: Incoming) -> None:
        if incoming.id != self._hello_id or incoming.op == "event":
            raise ProtocolError("The daemon sent something before its answer to `hello`.")
        if incoming.error is not None:
            raise incoming.error
        header = incoming.header
        if not auth.proof_is_right(self._key, self._nonce, header.get("proof")):
            raise Unreachable(
                "What answers in S²Edit's place doesn't know the key, so nothing was sent to it.",
                "Restart S²Edit: s2edit daemon stop, then s2edit daemon start",
                "not_ours",
            )
        try:
            schema.check_reply("hello", header)
        except WireError as error:
            raise ProtocolError(error.message) from error
        self.daemon_version, self.protocol = header["version"], header["protocol"]
        self.boot, self.capabilities = header["boot"], header["capabilities"]
        self.ready = True


def new_job_id() -> str:
    """32 random hexadecimal digits: the id of a job, made by the client so that sending twice does no harm."""
    return os.urandom(16).hex()


__all__ = ["Client", "Incoming", "new_job_id"]
