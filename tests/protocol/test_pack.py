"""The header codec against msgpack itself, both ways, and everything it has to refuse."""

import math
import random
import struct

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from s2edit_wire.errors import ProtocolError, WireError
from s2edit_wire.limits import MAX_DEPTH, MAX_HEADER, MAX_ITEMS, MAX_SAFE_INTEGER, MAX_TEXT
from s2edit_wire.pack import pack, unpack

from tests.fuzz import mutation

SCALARS = (
    st.booleans()
    | st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=300)
    | st.binary(max_size=300)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=40), inner, max_size=20),
    max_leaves=40,
).filter(lambda value: depth(value) <= MAX_DEPTH)


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def nested(levels: int) -> object:
    return [nested(levels - 1)] if levels else 1


def head(form: str, *values: int) -> bytes:
    return struct.pack(">" + form, *values)


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_bytes_are_those_of_msgpack(value: object) -> None:
    assert pack(value) == msgpack.packb(value)


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_reads_what_msgpack_writes(value: object) -> None:
    assert unpack(msgpack.packb(value)) == value


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_whatever_it_accepts_msgpack_reads_the_same(data: bytes) -> None:
    try:
        value = unpack(data)
    except ProtocolError:
        return
    assert msgpack.unpackb(data, strict_map_key=True) == value


def test_spoiled_headers_are_refused_or_read_as_msgpack_reads_them() -> None:
    dice = random.Random(5)
    read = 0
    for number in range(3_000):
        data = mutation.header(number, dice)
        try:
            value = unpack(data)
        except ProtocolError:
            continue
        read += 1
        assert msgpack.unpackb(data, strict_map_key=True) == value
    assert 300 < read < 2_700, "the spoiling is too harsh or too mild to test anything"


@pytest.mark.parametrize("size", [31, 32, 255, 256, 16_384])
def test_every_width_of_text(size: int) -> None:
    text = "é" * (size // 2) + "x" * (size % 2)  # `size` bytes as UTF-8
    assert pack(text) == msgpack.packb(text)
    assert unpack(pack(text)) == text


@pytest.mark.parametrize(
    "value",
    [
        *(0, 127, 128, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, MAX_SAFE_INTEGER),
        *(-1, -32, -33, -128, -129, -32_768, -32_769, -(2**31), -(2**31) - 1, -MAX_SAFE_INTEGER),
    ],
)
def test_every_width_of_integer(value: int) -> None:
    assert pack(value) == msgpack.packb(value)
    assert unpack(pack(value)) == value


NOT_SENT = {
    "nil": None,
    "nil inside": {"a": [None]},
    "set": {1, 2},
    "NaN": math.nan,
    "infinity": [-math.inf],
    "integer over 2^53": 2**53,
    "number as name": {1: 2},
    "lone surrogate": "\ud800",
    "lone surrogate as name": {"\ud800": 1},
    "text too long": "x" * (MAX_TEXT + 1),
    "binary too long": b"x" * (MAX_TEXT + 1),
    "list too long": [0] * (MAX_ITEMS + 1),
    "map too long": {str(index): 0 for index in range(MAX_ITEMS + 1)},
    "too deep": nested(MAX_DEPTH + 1),
    "header too long": ["x" * MAX_TEXT] * 5,
}


@pytest.mark.parametrize("value", NOT_SENT.values(), ids=NOT_SENT)
def test_refuses_to_send(value: object) -> None:
    with pytest.raises(WireError):
        pack(value)


NOT_READ = {
    "nothing": b"",
    "nil": b"\xc0",
    "reserved byte": b"\xc1",
    "extension": msgpack.packb(msgpack.ExtType(5, b"abcd")),
    "timestamp": msgpack.packb(msgpack.Timestamp(1, 0)),
    "large extension": head("BIb", 0xC9, 2**32 - 1, 1),
    "32-bit float": head("B", 0xCA) + struct.pack(">f", 1.0),
    "NaN": msgpack.packb(math.nan),
    "infinity": msgpack.packb(math.inf),
    "integer over 2^53": msgpack.packb(2**53),
    "integer under -2^53": msgpack.packb(-(2**53)),
    "name twice": b"\x82\xa1a\x01\xa1a\x02",
    "name is a number": b"\x81\x01\x01",
    "name is a list": b"\x81\x90\x01",
    "name is binary": b"\x81\xc4\x01a\x01",
    "bytes left over": b"\x01\x01",
    "text cut short": b"\xa5abc",
    "text of 4 GiB": head("BI", 0xDB, 2**32 - 1),
    "binary of 4 GiB": head("BI", 0xC6, 2**32 - 1),
    "list of 4 billion": head("BI", 0xDD, 2**32 - 1) + b"\x01" * 100,
    "map of 4 billion": head("BI", 0xDF, 2**32 - 1),
    "list cut short": b"\x93\x01",
    "length cut short": b"\xda\x01",
    "float cut short": b"\xcb\x00",
    "text not UTF-8": b"\xa2\xff\xfe",
    "surrogate in UTF-8": b"\xa3\xed\xa0\x80",
    "overlong UTF-8": b"\xa2\xc0\x80",
    "text over the limit": msgpack.packb("x" * (MAX_TEXT + 1)),
    "binary over the limit": msgpack.packb(b"x" * (MAX_TEXT + 1)),
    "list over the limit": msgpack.packb([0] * (MAX_ITEMS + 1)),
    "too deep": msgpack.packb(nested(MAX_DEPTH + 1)),
    "very deep": b"\x91" * 60_000,
    "header over the limit": msgpack.packb(["x" * MAX_TEXT] * 5),
}


@pytest.mark.parametrize("data", NOT_READ.values(), ids=NOT_READ)
def test_refuses_to_read(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        unpack(data)


def test_limits_themselves_are_allowed() -> None:
    assert unpack(msgpack.packb(nested(MAX_DEPTH))) == nested(MAX_DEPTH)
    assert unpack(pack("x" * MAX_TEXT)) == "x" * MAX_TEXT
    full = list(range(MAX_ITEMS))
    assert unpack(pack(full)) == full
    brim = [b"x" * MAX_TEXT] * 3 + [b"x" * (MAX_HEADER - 3 * (MAX_TEXT + 3) - 1 - 3)]
    assert len(pack(brim)) == MAX_HEADER
    assert unpack(pack(brim)) == brim
