"""Headers off the wire: whatever comes, it is a map within the limits or a typed error."""

import math
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from s2edit_server import envelope
from s2edit_wire.errors import WireError
from s2edit_wire.limits import MAGIC, MAX_DEPTH, MAX_FRAMES, MAX_HEADER, MAX_ITEMS, MAX_TEXT


def decode(header: bytes, *frames: bytes, magic: bytes = MAGIC) -> Any:
    return envelope.decode([memoryview(part) for part in (magic, header, *frames)])


def nested(depth: int) -> dict[str, object]:
    return {"a": nested(depth - 1)} if depth else {}


REFUSED = {
    "other magic": ([b"GET ", b"\x80"], "bad_request"),
    "nothing": ([], "bad_request"),
    "no header": ([MAGIC], "bad_request"),
    "too many frames": ([MAGIC, b"\x80", *[b"x"] * (MAX_FRAMES + 1)], "bad_request"),
    "huge header": ([MAGIC, b"\x80" + b"x" * MAX_HEADER], "too_large"),
    "trailing bytes": ([MAGIC, b"\x80\x80"], "bad_request"),
    "cut short": ([MAGIC, msgpack.packb({"op": "ping"})[:-1]], "bad_request"),
    "no map": ([MAGIC, msgpack.packb([1])], "bad_request"),
    "number as name": ([MAGIC, msgpack.packb({1: 2})], "bad_request"),
    "name twice": ([MAGIC, b"\x82\xa1a\x01\xa1a\x02"], "bad_request"),
    "extension": ([MAGIC, msgpack.packb({"a": msgpack.ExtType(5, b"x")})], "bad_request"),
    "timestamp": ([MAGIC, msgpack.packb({"a": msgpack.Timestamp(1)})], "bad_request"),
    "nil": ([MAGIC, msgpack.packb({"a": None})], "bad_request"),
    "NaN": ([MAGIC, msgpack.packb({"a": math.nan})], "bad_request"),
    "infinity": ([MAGIC, msgpack.packb({"a": [math.inf]})], "bad_request"),
    "not UTF-8": ([MAGIC, b"\x81\xa1a\xa1\xff"], "bad_request"),
    "deep": ([MAGIC, msgpack.packb(nested(MAX_DEPTH + 1))], "bad_request"),
    "very deep": ([MAGIC, b"\x81\xa1a" * 20_000 + b"\x80"], "bad_request"),
    "long text": ([MAGIC, msgpack.packb({"a": "x" * (MAX_TEXT + 1)})], "bad_request"),
    "long list": ([MAGIC, msgpack.packb({"a": [0] * (MAX_ITEMS + 1)})], "bad_request"),
    "announced list": ([MAGIC, b"\x81\xa1a\xdd\xff\xff\xff\xff"], "bad_request"),
    "announced text": ([MAGIC, b"\x81\xa1a\xdb\xff\xff\xff\xff"], "bad_request"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    parts, code = REFUSED[name]
    with pytest.raises(WireError) as caught:
        envelope.decode([memoryview(part) for part in parts])
    assert caught.value.code == code


def test_a_good_header_and_its_frames_come_through() -> None:
    header = {"op": "submit", "id": 2**53 - 1, "edit": {"guidance": 4.5, "on": True, "text": "é"}, "bytes": b"\0"}
    assert decode(msgpack.packb(header), b"one", b"two") == (header, [b"one", b"two"])


@given(st.binary(max_size=200))
def test_any_bytes_are_a_map_or_a_typed_error(data: bytes) -> None:
    try:
        header, _ = decode(data)
    except WireError:
        return
    assert isinstance(header, dict)


def test_a_header_of_ours_over_the_limit_is_a_fault() -> None:
    with pytest.raises(RuntimeError, match="header of “reply”"):
        envelope.encode({"op": "reply", "text": "x" * MAX_HEADER})
