"""ZMTP without a socket: bytes in any portion, everything a peer may not do, memory only after the size is checked."""

import struct
import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from s2edit_wire.errors import ProtocolError, Unreachable
from s2edit_wire.limits import MAX_COMMAND, MAX_FRAME, MAX_MESSAGE
from s2edit_wire.zmtp import COMMAND, LONG, MAX_PARTS, MORE, SCRATCH, SIGNATURE, Dealer, command, frame_head, greeting

SERVER_GREETING = SIGNATURE + b"\x03\x01" + b"PLAIN".ljust(20, b"\0") + b"\x01" + bytes(31)
READY = command(b"READY", b"\x0bSocket-Type" + struct.pack(">I", 6) + b"ROUTER")


def feed(dealer: Dealer, data: bytes, portions: Iterable[int] = ()) -> None:
    """Give the dealer `data`, at first in these portions, then as much at a time as it takes."""
    sizes = iter(portions)
    while data:
        room = dealer.receive_buffer()
        count = min(next(sizes, len(data)), len(room), len(data))
        room[:count] = data[:count]
        dealer.received(count)
        data = data[count:]


def drain(dealer: Dealer) -> bytes:
    out = b"".join(dealer.to_send())
    dealer.sent(len(out))
    assert not dealer.to_send()
    return out


def message(*parts: bytes) -> bytes:
    return b"".join(
        frame_head(len(part), MORE if index + 1 < len(parts) else 0) + part for index, part in enumerate(parts)
    )


def ready_dealer() -> Dealer:
    dealer = Dealer("s2edit", "secret")
    feed(dealer, SERVER_GREETING + command(b"WELCOME", b"") + READY)
    assert dealer.ready
    drain(dealer)
    return dealer


def test_handshake_byte_by_byte() -> None:
    dealer = Dealer("s2edit", "secret")
    assert drain(dealer) == greeting()
    feed(dealer, SERVER_GREETING, [1] * 64)
    assert drain(dealer) == command(b"HELLO", b"\x06s2edit\x06secret")
    feed(dealer, command(b"WELCOME", b""), [1] * 10)
    sent = drain(dealer)
    assert sent.startswith(b"\x04") and b"INITIATE" in sent and b"\x0bSocket-Type\0\0\0\x06DEALER" in sent
    assert not dealer.ready
    feed(dealer, READY, [1] * 40)
    assert dealer.ready


def test_sends_nothing_but_the_greeting_to_a_stranger() -> None:
    for answer in (b"HTTP/1.1 400 Bad Request\r\n", b"\x01\x00", SIGNATURE + b"\x01\x00" + bytes(52)):
        dealer = Dealer("s2edit", "secret")
        drain(dealer)
        with pytest.raises(Unreachable) as caught:
            feed(dealer, answer)
        assert caught.value.reason == "not_ours"
        assert drain(dealer) == b""


def test_refuses_other_mechanisms() -> None:
    for mechanism in (b"NULL", b"CURVE", b"PLAINX"):
        dealer = Dealer("s2edit", "secret")
        with pytest.raises(Unreachable):
            feed(dealer, SIGNATURE + b"\x03\x01" + mechanism.ljust(20, b"\0") + bytes(32))


def test_refused_credentials_are_told() -> None:
    for error in (command(b"ERROR", b"\x03400"), b"\x04\x09^RROR\x03400"):  # the standard's and libzmq's
        with pytest.raises(Unreachable, match=r"refused this program's key \(reason 400\)") as caught:
            feed(Dealer("s2edit", "wrong"), SERVER_GREETING + error)
        assert caught.value.reason == "not_ours"


@settings(deadline=None)
@given(st.lists(st.binary(max_size=700), min_size=1, max_size=MAX_PARTS), st.lists(st.integers(1, 300), max_size=40))
def test_messages_in_any_portions(parts: list[bytes], portions: list[int]) -> None:
    dealer = ready_dealer()
    feed(dealer, message(*parts) + message(b"next"), portions)
    assert [[bytes(part) for part in one] for one in dealer.messages] == [parts, [b"next"]]


@pytest.mark.parametrize(
    "size", [0, 1, 255, 256, SCRATCH - 10, SCRATCH - 9, SCRATCH - 8, SCRATCH, SCRATCH + 1, 300_000]
)
@pytest.mark.parametrize("offset", [0, 1, 5_000])
def test_sizes_around_the_buffer(size: int, offset: int) -> None:
    dealer = ready_dealer()
    body = bytes(index % 251 for index in range(size))
    feed(dealer, message(b"x" * offset, body, b"end"), [offset + 13, 60_000])
    assert [[bytes(part) for part in one] for one in dealer.messages] == [[b"x" * offset, body, b"end"]]


def test_sent_bytes_are_the_messages() -> None:
    dealer = ready_dealer()
    large = bytearray(range(256)) * 40
    dealer.send([b"magic", b"h" * 300, large, memoryview(large)[:7]])
    assert drain(dealer) == message(b"magic", b"h" * 300, bytes(large), bytes(large[:7]))


def test_large_parts_are_sent_from_the_callers_memory() -> None:
    dealer = ready_dealer()
    large = bytearray(1 << 20)
    dealer.send([b"m", large])
    assert any(view.obj is large for view in dealer.to_send())


def test_partly_sent() -> None:
    dealer = ready_dealer()
    dealer.send([b"a" * 10_000, b"b" * 10_000])
    whole = b"".join(dealer.to_send())
    got = b""
    while dealer.to_send():
        count = min(777, sum(map(len, dealer.to_send())))
        got += b"".join(dealer.to_send())[:count]
        dealer.sent(count)
    assert got == whole


def test_answers_ping_also_between_the_parts_of_a_message() -> None:
    dealer = ready_dealer()
    first = frame_head(3, MORE) + b"one"
    feed(dealer, first + command(b"PING", b"\x00\x64context") + frame_head(3, 0) + b"two")
    assert drain(dealer) == command(b"PONG", b"context")
    assert dealer.peer_ttl == 10.0
    assert list(dealer.messages) == [[b"one", b"two"]]


BROKEN = {
    "unknown flag": b"\x08\x00",
    "command that goes on": bytes((COMMAND | MORE, 0)),
    "frame over the limit": frame_head(MAX_FRAME + 1, 0),
    "frame of 2^63 bytes": struct.pack(">BQ", LONG, 2**63),
    "message over the limit": frame_head(MAX_MESSAGE + 70_000, MORE),
    "command over the limit": frame_head(MAX_COMMAND + 1, COMMAND),
    "too many parts": (frame_head(0, MORE)) * (MAX_PARTS + 1),
    "unknown command": command(b"SUBSCRIBE", b""),
    "nameless command": frame_head(0, COMMAND),
    "damaged command": frame_head(2, COMMAND) + b"\x09P",
    "context too long": command(b"PING", bytes(2 + 17)),
    "ping without a time": command(b"PING", b"\x01"),
    "handshake again": command(b"WELCOME", b""),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_refuses(data: bytes) -> None:
    dealer = ready_dealer()
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError):
            feed(dealer, data)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000, "memory was taken before the size was checked"
    finally:
        tracemalloc.stop()


def test_no_message_before_the_handshake_is_over() -> None:
    dealer = Dealer("s2edit", "secret")
    with pytest.raises(ProtocolError):
        feed(dealer, SERVER_GREETING + message(b"early"))
    with pytest.raises(ValueError, match="handshake"):
        Dealer("s2edit", "secret").send([b"early"])


def test_handshake_out_of_order() -> None:
    with pytest.raises(Unreachable):
        feed(Dealer("s2edit", "secret"), SERVER_GREETING + READY)


def test_nothing_over_the_limits_is_sent() -> None:
    dealer = ready_dealer()
    for parts in ([], [b"x"] * (MAX_PARTS + 1)):
        with pytest.raises(ValueError, match="limits"):
            dealer.send(parts)
