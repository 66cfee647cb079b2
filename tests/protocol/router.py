"""A daemon's double: libzmq's own ROUTER with PLAIN, in a thread, answering what a test tells it to.

It knows nothing of `s2edit_wire.zmtp` and `s2edit_wire.pack`: what it sends and understands is libzmq's and msgpack's.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import msgpack
import zmq
from s2edit_wire.auth import daemon_proof, plain_credentials
from s2edit_wire.connection import connection_path, write_connection_file
from s2edit_wire.limits import MAGIC
from zmq.auth.thread import ThreadAuthenticator

Header = dict[str, Any]
HEARTBEAT_PATIENCE = 1.0
"""Seconds of silence after which libzmq hangs up, where it sends PINGs of its own."""
Answer = Callable[[Header, list[bytes]], tuple[Header, Sequence[bytes]] | None]


def say_yes(header: Header, frames: list[bytes]) -> tuple[Header, Sequence[bytes]]:
    """An answer without fields."""
    return {}, []


class Router:
    """The double; a context manager that listens and has written its connection file while entered.

    Args:
        state: its state folder.
        answer: called with each request but `hello`; returns fields and frames of the answer, `{"op": "error", …}`
            for an error, None for no answer at all.
        tcp: whether to listen on tcp instead of a Unix socket.
        password: what PLAIN accepts; the right one when None.
        proof: what `hello` answers; the right one when None.
        hello: the whole answer to `hello` instead.
        heartbeat: seconds between libzmq's own PINGs, 0 for none.
        boot: its mark of this start.
        relay: write the connection file for this endpoint instead, behind which something relays to `endpoint`.
    """

    def __init__(
        self,
        state: Path,
        answer: Answer = say_yes,
        *,
        tcp: bool = False,
        password: str | None = None,
        proof: str | None = None,
        hello: Header | None = None,
        heartbeat: float = 0,
        boot: str | None = None,
        relay: str | None = None,
    ) -> None:
        self.state = state
        self.key = secrets.token_hex(32)
        self.boot = boot or secrets.token_hex(16)
        self.received: list[tuple[Header, list[bytes]]] = []
        self.proof, self.hello = proof, hello
        self._answer = answer
        self._tcp = tcp
        self._password = password
        self._heartbeat = heartbeat
        self._relay = relay
        self._thread = threading.Thread(target=self._serve)
        self._identity = b""
        self._fault: BaseException | None = None

    def __enter__(self) -> Router:
        self._context = zmq.Context()
        self._authenticator = ThreadAuthenticator(self._context)
        self._authenticator.start()
        username, password = plain_credentials(self.key)
        self._authenticator.configure_plain(passwords={username: self._password or password})
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.plain_server = True
        self._socket.linger = 0
        self._socket.router_mandatory = True
        if self._heartbeat:
            self._socket.heartbeat_ivl = int(1_000 * self._heartbeat)
            self._socket.heartbeat_timeout = int(1_000 * HEARTBEAT_PATIENCE)
            self._socket.heartbeat_ttl = 10_000
        connection_path(self.state).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.state / "run" / "daemon.sock"
        path.unlink(missing_ok=True)
        self._socket.bind("tcp://127.0.0.1:*" if self._tcp else f"ipc://{path}")
        self._control = self._context.socket(zmq.PAIR)
        self._control.bind("inproc://control")
        self._orders = self._context.socket(zmq.PAIR)
        self._orders.connect("inproc://control")
        self.endpoint = self._socket.getsockopt_string(zmq.LAST_ENDPOINT).rstrip("\0")
        where = self._relay or self.endpoint
        write_connection_file(self.state, endpoint=where, key=self.key, version="9.9", boot=self.boot)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._orders.send(b"")
        self._thread.join()
        self._authenticator.stop()
        for socket in (self._socket, self._control, self._orders):
            socket.close()
        self._context.destroy(linger=0)
        if self._fault is not None and error is None:
            raise self._fault

    def ops(self) -> list[str]:
        """The requests that have come, `hello` included."""
        return [header["op"] for header, _ in self.received]

    def push(self, header: Header, frames: Sequence[bytes] = ()) -> None:
        """Send something unasked, such as an event, to the client that spoke last."""
        self.push_parts([MAGIC, msgpack.packb(header), *frames])

    def push_parts(self, parts: Sequence[bytes]) -> None:
        """Send raw parts to the client that spoke last."""
        self._orders.send_multipart(list(parts))

    def _serve(self) -> None:
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._control, zmq.POLLIN)
        try:
            while True:
                ready = dict(poller.poll())
                if self._control in ready:
                    parts = self._control.recv_multipart()
                    if parts == [b""]:
                        return
                    self._socket.send_multipart([self._identity, *parts])
                if self._socket in ready:
                    self._take(self._socket.recv_multipart())
        except BaseException as error:  # noqa: BLE001 - raised in the test's thread by __exit__
            self._fault = error

    def _take(self, parts: list[bytes]) -> None:
        self._identity, magic, packed, *frames = parts
        assert magic == MAGIC
        header = msgpack.unpackb(packed, strict_map_key=True)
        self.received.append((header, frames))
        answer = self._hello(header) if header["op"] == "hello" else self._answer(header, frames)
        if answer is not None:
            fields, out = answer
            packed = msgpack.packb({"op": "reply", "id": header["id"], **fields})
            self._socket.send_multipart([self._identity, MAGIC, packed, *out])

    def _hello(self, header: Header) -> tuple[Header, Sequence[bytes]]:
        if self.hello is not None:
            return self.hello, []
        proof = self.proof or daemon_proof(self.key, header["nonce"])
        return {"version": "9.9", "protocol": 1, "proof": proof, "boot": self.boot, "capabilities": []}, []
