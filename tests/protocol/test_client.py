"""The client against libzmq's ROUTER over both transports, and against daemons that can't be trusted."""

import hashlib
import os
import secrets
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from s2edit_wire.client import Client, Incoming, new_job_id
from s2edit_wire.connection import connection_path, write_connection_file
from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.frames import describe
from s2edit_wire.limits import MAGIC
from s2edit_wire.link import Link
from s2edit_wire.records import EDIT

from tests.fakes.until import LONG

from . import smallest
from .router import HEARTBEAT_PATIENCE, Router

TRANSPORTS = pytest.mark.parametrize("tcp", [False, True], ids=["ipc", "tcp"])
SUBMIT = {"job": "0" * 32, "edit": smallest.fields(EDIT.fields)}


def client(state: Path) -> Client:
    return Client("other", "1.0", state)


def echo(header: dict[str, Any], frames: list[bytes]) -> tuple[dict[str, Any], Sequence[bytes]]:
    digests = [hashlib.sha256(frame).hexdigest() for frame in frames]
    return {"frames": header.get("frames", []), "digests": digests}, frames


@TRANSPORTS
def test_greets_and_asks(state: Path, tcp: bool) -> None:
    with Router(state, tcp=tcp) as router, client(state) as connected:
        assert connected.daemon_version == "9.9"
        assert connected.boot == router.boot
        for _ in range(50):
            assert connected.request("ping").op == "reply"
        hello, _ = router.received[0]
        assert hello["op"] == "hello" and hello["client_id"] == connected.client_id


@TRANSPORTS
def test_eight_frames_of_every_size(state: Path, tcp: bool) -> None:
    sizes = [
        (1, 1, 1),
        (1, 255, 1),
        (1, 256, 1),
        (64, 64, 1),
        (256, 255, 1),
        (256, 256, 1),
        (300, 300, 4),
        (1000, 999, 3),
    ]
    pixels = [secrets.token_bytes(height * width * channels) for height, width, channels in sizes]
    entries = [describe("image", shape) for shape in sizes]
    with Router(state, echo, tcp=tcp), client(state) as connected:
        answer = connected.request("submit", {**SUBMIT, "frames": entries}, pixels)
        assert [bytes(frame) for frame in answer.frames] == pixels
        assert answer.header["frames"] == entries


@TRANSPORTS
def test_frame_of_64_mib_there_and_back(state: Path, tcp: bool) -> None:
    pixels = secrets.token_bytes(1 << 20) * 64
    entry = describe("image", (4096, 4096, 4))
    with Router(state, echo, tcp=tcp), client(state) as connected:
        answer = connected.request("submit", {**SUBMIT, "frames": [entry]}, [pixels])
        assert answer.header["digests"] == [hashlib.sha256(pixels).hexdigest()]
        assert bytes(answer.frames[0]) == pixels


def test_two_uploads_at_once_stay_apart(state: Path) -> None:
    entry = describe("image", (1024, 1024, 4))
    with Router(state, echo), client(state) as one, client(state) as two:
        pictures = {one: b"1" * (4 << 20), two: b"2" * (4 << 20)}
        numbers = {each: each.send("submit", {**SUBMIT, "frames": [entry]}, [pictures[each]]) for each in (one, two)}
        for each in (one, two):
            answer = wait_for(each, numbers[each])
            assert bytes(answer.frames[0]) == pictures[each]


def wait_for(connected: Client, number: int) -> Incoming:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for incoming in connected.pump():
            if incoming.id == number:
                return incoming
        select.select([connected.fileno()], [connected.fileno()] if connected.wants_write else [], [], 1)
    raise AssertionError("no answer")


def test_answers_libzmqs_pings(state: Path) -> None:
    with Router(state, heartbeat=0.1), client(state) as connected:
        end = time.monotonic() + 2 * HEARTBEAT_PATIENCE  # libzmq hangs up on who is silent for half of that
        while time.monotonic() < end:
            assert connected.pump() == []
            time.sleep(0.01)
        assert connected.request("ping").op == "reply"


def test_libzmq_hangs_up_on_a_client_that_sleeps(state: Path) -> None:
    with Router(state, heartbeat=0.1), client(state) as connected:
        hung_up = select.poll()
        hung_up.register(connected.fileno(), select.POLLRDHUP)
        assert hung_up.poll(1_000 * LONG)
        with pytest.raises(Unreachable) as caught:
            connected.request("ping")
        assert caught.value.reason == "lost"
        connected.connect()
        assert connected.request("ping").op == "reply"


def test_pings_when_it_hears_nothing_and_notices_silence(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("s2edit_wire.link.HEARTBEAT_INTERVAL", 0.05)
    monkeypatch.setattr("s2edit_wire.link.HEARTBEAT_TIMEOUT", 1.0)
    with Router(state), client(state) as connected:
        end = time.monotonic() + 2.0
        while time.monotonic() < end:  # libzmq's PONGs keep it alive
            connected.pump()
            time.sleep(0.01)
    with Router(state) as router, _deaf_relay(state, router.endpoint) as relay:
        write_connection_file(state, endpoint=f"ipc://{relay.path}", key=router.key, version="1", boot="0" * 32)
        connected.connect()
        relay.deaf.set()
        with pytest.raises(Unreachable, match="stopped answering"):
            connected.request("ping")


def test_a_picture_that_takes_longer_than_the_heartbeat_over_a_slow_line_arrives(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s2edit_wire.link.HEARTBEAT_INTERVAL", 0.05)
    monkeypatch.setattr("s2edit_wire.link.HEARTBEAT_TIMEOUT", 1.0)
    monkeypatch.setattr("s2edit_wire.link.SEND_BUFFER", 65_536)  # else what it holds takes most of that second
    with Router(state, echo) as router, _deaf_relay(state, router.endpoint, pause=0.012) as relay:
        write_connection_file(state, endpoint=f"ipc://{relay.path}", key=router.key, version="1", boot="0" * 32)
        with client(state) as connected:
            pixels = secrets.token_bytes(2_048 * 2_048 * 4)
            begun = time.monotonic()
            entry = describe("image", (2_048, 2_048, 4))
            answer = connected.request("submit", {**SUBMIT, "frames": [entry]}, [pixels], timeout=1)
            assert bytes(answer.frames[0]) == pixels
            assert time.monotonic() - begun > 1.0, "the line was slow enough to try it"


class _deaf_relay:
    """Passes bytes between a Unix socket of its own and another one until it is told to be deaf.

    Args:
        pause: seconds that it takes for each 64 KiB on their way up.
    """

    def __init__(self, state: Path, endpoint: str, pause: float = 0.0) -> None:
        self._pause = pause
        self.path = state / "relay.sock"
        self.deaf = threading.Event()
        self._target = endpoint.removeprefix("ipc://")

    def __enter__(self) -> "_deaf_relay":
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._sockets:
            one.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for one in (*self._sockets, self._listener):
            one.close()

    def _serve(self) -> None:
        near, _ = self._listener.accept()
        far = socket.socket(socket.AF_UNIX)
        far.connect(self._target)
        self._sockets = (near, far)
        back = threading.Thread(target=self._pass, args=(far, near))
        back.start()
        self._pass(near, far, self._pause)
        back.join()

    def _pass(self, source: socket.socket, target: socket.socket, pause: float = 0.0) -> None:
        with suppress(OSError):  # the other side may have hung up
            while data := source.recv(65_536):
                time.sleep(pause)
                if not self.deaf.is_set():
                    target.sendall(data)


def test_works_through_a_forwarded_socket(state: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    with Router(state, echo) as router, _deaf_relay(state, router.endpoint) as relay:
        write_connection_file(here, endpoint=f"ipc://{relay.path}", key=router.key, version="1", boot="0" * 32)
        with Client("cli", "1", here) as connected:
            pixels = secrets.token_bytes(300 * 300 * 4)
            entry = describe("image", (300, 300, 4))
            answer = connected.request("submit", {**SUBMIT, "frames": [entry]}, [pixels])
            assert bytes(answer.frames[0]) == pixels


def test_wrong_password_is_told_in_words(state: Path) -> None:
    with Router(state, password="another"), pytest.raises(Unreachable, match="refused this program's key"):
        client(state).connect()


def test_a_daemon_that_does_not_know_the_key_is_sent_nothing(state: Path) -> None:
    with Router(state, proof="0" * 64) as router:
        connected = client(state)
        with pytest.raises(Unreachable, match="doesn't know the key") as caught:
            connected.connect()
        assert caught.value.reason == "not_ours"
        assert not connected.ready
        with pytest.raises(Unreachable):
            connected.send("ping")
        assert router.ops() == ["hello"]


def test_other_versions_are_told_in_words(state: Path) -> None:
    words = {"op": "error", "code": "unsupported_version", "message": "Too old.", "hint": "Update."}
    with Router(state, hello=words), pytest.raises(WireError, match="Too old") as caught:
        client(state).connect()
    assert (caught.value.code, caught.value.hint) == ("unsupported_version", "Update.")


def test_errors_are_raised_by_request_and_handed_over_by_pump(state: Path) -> None:
    def busy(header: dict[str, Any], frames: list[bytes]) -> tuple[dict[str, Any], Sequence[bytes]]:
        return {"op": "error", "code": "busy", "message": "Too much.", "hint": "Wait.", "retry_after": 2.5}, []

    with Router(state, busy), client(state) as connected:
        with pytest.raises(WireError, match="Too much") as caught:
            connected.request("status")
        assert caught.value.retry_after == 2.5
        incoming = wait_for(connected, connected.send("status"))
        assert incoming.error is not None and incoming.error.code == "busy"


def test_events_meanwhile_are_kept(state: Path) -> None:
    with Router(state) as router, client(state) as connected:
        connected.request("ping")
        router.push({"op": "event", "kind": "status", "seq": 7})
        router.push({"op": "event", "kind": "status", "seq": 8})
        select.select([connected.fileno()], [], [], 60)  # until they have arrived; nothing has taken them yet
        connected.request("ping")
        assert [incoming.header["seq"] for incoming in connected.pump()] == [7, 8]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each wait of a client may have taken at most, in seconds."""
    asked: list[float] = []
    real = Link.wait

    def wait(link: Link, seconds: float) -> None:
        asked.append(seconds)
        real(link, seconds)

    monkeypatch.setattr(Link, "wait", wait)
    return asked


def test_no_answer_in_time(state: Path, waits: list[float]) -> None:
    with Router(state, lambda header, frames: None), client(state) as connected:
        waits.clear()
        with pytest.raises(Unreachable, match="has not answered"):
            connected.request("ping", timeout=0.2)
        assert 0 < max(waits) <= 0.2


@pytest.mark.parametrize(
    "parts",
    [
        [b"GET / HTTP/1.1", b"\x80"],
        [MAGIC],
        [MAGIC, b"\xc1"],
        [MAGIC, b"\x91\x01"],
        [MAGIC, b"\x80"],
        [MAGIC, b"\x82\xa2op\xa5reply\xa2id\xff"],
        [MAGIC, b"\x82\xa2op\xa5event\xa2id\x01", b"unannounced"],
        [MAGIC, b"\x82\xa2op\xa5event\xa6frames\x01"],
    ],
)
def test_nonsense_from_the_daemon_ends_the_connection_in_words(state: Path, parts: list[bytes]) -> None:
    with Router(state) as router, client(state) as connected:
        connected.request("ping")
        router.push_parts(parts)
        with pytest.raises(Unreachable, match="can't be understood"):
            while select.select([connected.fileno()], [], [], 60)[0]:
                connected.pump()


def test_a_wrong_request_is_stopped_here_and_changes_nothing(state: Path) -> None:
    with Router(state) as router, client(state) as connected:
        for op, fields, frames in (
            ("sumbit", {}, []),
            ("ping", {"extra": 1}, []),
            ("submit", {**SUBMIT, "frames": [describe("image", (2, 2, 4))]}, [b"too short"]),
            ("submit", {**SUBMIT, "frames": [describe("patch", (1, 1, 1))]}, [b"x"]),
            ("submit", SUBMIT, [b"unannounced"]),
        ):
            with pytest.raises(WireError):
                connected.send(op, fields, frames)
        connected.request("ping")
        assert router.ops() == ["hello", "ping"]


def test_no_daemon(state: Path) -> None:
    with pytest.raises(Unreachable, match="not running") as caught:
        client(state).connect()
    assert caught.value.reason == "not_running"


@TRANSPORTS
def test_nobody_listens(state: Path, tcp: bool) -> None:
    with Router(state, tcp=tcp):
        pass
    with pytest.raises(Unreachable) as caught:
        client(state).connect()
    assert caught.value.reason == "stale"
    connection_path(state).unlink()


def test_a_silent_daemon_costs_no_more_than_the_timeout(state: Path, waits: list[float]) -> None:
    path = state / "silent.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        write_connection_file(state, endpoint=f"ipc://{path}", key="0" * 64, version="1", boot="0" * 32)
        with pytest.raises(Unreachable, match="doesn't answer"):
            client(state).connect(timeout=0.3)
        assert 0 < max(waits) <= 0.3


def test_a_web_server_in_the_daemons_place(state: Path) -> None:
    path = state / "web.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        write_connection_file(state, endpoint=f"ipc://{path}", key="0" * 64, version="1", boot="0" * 32)
        connected = client(state)
        connected.begin()
        accepted, _ = listener.accept()
        with accepted:
            accepted.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            with pytest.raises(Unreachable, match="Another program"):
                while select.select([connected.fileno()], [], [], 60)[0]:
                    connected.pump()


def test_a_dead_daemon_does_not_end_an_editor_that_does_not_ignore_sigpipe(state: Path) -> None:
    with Router(state, lambda header, frames: None) as router:
        program = f"""
import pathlib, signal, sys
from s2edit_wire.client import Client
from s2edit_wire.errors import Unreachable
signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # as in a program that embeds Python without its signal handlers
client = Client("other", "1", pathlib.Path({str(state)!r}))
client.connect()
client.send("ping")
print("up", flush=True)
sys.stdin.readline()
try:
    for _ in range(3):
        client._linked().send([b"x" * 100_000])
except Unreachable:
    print("lost")
"""
        editor = subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert editor.stdout is not None and editor.stdout.readline() == "up\n"
        assert router.ops()[0] == "hello"
    assert editor.communicate("go on\n", timeout=10)[0] == "lost\n"
    assert editor.returncode == 0


def test_job_ids_differ() -> None:
    assert len({new_job_id() for _ in range(100)}) == 100
    assert os.fsencode(new_job_id()).isalnum()
