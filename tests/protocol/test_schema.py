"""Every message: its smallest valid form passes, and each way of spoiling a field is refused in words."""

import math
import re
from typing import Any

import pytest
from s2edit_wire import schema
from s2edit_wire.errors import CODES, WireError
from s2edit_wire.frames import check_entry, check_frames, describe
from s2edit_wire.kinds import Choice, Field, Flag, Hex, Integer, Kind, ListOf, MapOf, Real, Record, Scalar, Text
from s2edit_wire.limits import MAX_FRAMES, MAX_SAFE_INTEGER
from s2edit_wire.pack import pack, unpack
from s2edit_wire.records import EDIT, JOB

from . import smallest

ALL = pytest.mark.parametrize("op", schema.MESSAGES)
FIELDS = [(op, field) for op, message in schema.MESSAGES.items() for field in message.request]


def spoiled(kind: Kind) -> list[Any]:  # noqa: C901 - one case for each kind
    """Values that `kind` must refuse."""
    wrong: list[Any] = [None, b"bytes", {"no": "such"}, [None]]
    match kind:
        case Text():
            wrong += [1, "x" * (kind.longest + 1), "\x00" * max(kind.shortest, 1), "\ud800" * max(kind.shortest, 1)]
        case Hex():
            wrong += ["0" * (kind.length + 1), "G" * kind.length, "A" * kind.length, 0]
        case Integer():
            wrong += [kind.low - 1, kind.high + 1, True, 1.0, math.nan, "1"]
        case Real():
            wrong += [math.nan, math.inf, -math.inf, kind.low - 1, kind.high * 2 + 1, True, "1"]
        case Flag():
            wrong += [0, 1, "true"]
        case Choice():
            wrong += ["", "other words", 1]
        case ListOf():
            wrong += ["text", (1,), [smallest.value(kind.item)] * (kind.most + 1)]
            wrong += [[bad] * max(kind.fewest, 1) for bad in spoiled(kind.item)]
        case MapOf():
            wrong += [[], {1: 0}, {"x" * (kind.longest_name + 1): 0}, {"": 0}, {"a": math.nan}]
            wrong[2] = {"no": {}}
        case Scalar():
            wrong += [math.nan, 1e13, "x" * (kind.longest + 1), []]
        case Record():
            wrong += [[], 1]
        case _:
            raise AssertionError(f"no spoiled value for {kind}")
    return wrong


@ALL
def test_smallest_request_passes_and_fits_the_codec(op: str) -> None:
    request = smallest.request(op)
    assert schema.check_request(request).op == op
    assert unpack(pack(request)) == request


@ALL
def test_smallest_reply_passes(op: str) -> None:
    message = schema.MESSAGES[op]
    schema.check_reply(op, {"op": "reply", "id": 1, **smallest.fields(message.reply)})


@ALL
def test_unknown_and_missing_fields_are_named(op: str) -> None:
    request = smallest.request(op)
    with pytest.raises(WireError, match="“surplus” is not a field"):
        schema.check_request({**request, "surplus": 1})
    for name in request.keys() - {"op"}:
        with pytest.raises(WireError, match=f"“{name}” is missing"):
            schema.check_request({key: value for key, value in request.items() if key != name})


@pytest.mark.parametrize(("op", "field"), FIELDS, ids=[f"{op}.{field.name}" for op, field in FIELDS])
def test_spoiled_fields_are_refused(op: str, field: Field) -> None:
    for value in spoiled(field.kind):
        with pytest.raises(WireError) as caught:
            schema.check_request({**smallest.request(op), field.name: value})
        assert caught.value.code == "bad_request"
        assert f"“{field.name}" in caught.value.message, "the sentence names the field"
        assert len(caught.value.message) < 2_000


@pytest.mark.parametrize("record", [EDIT, JOB], ids=["edit", "job"])
def test_spoiled_records_are_refused(record: Record) -> None:
    for field in record.fields:
        for value in spoiled(field.kind):
            with pytest.raises(WireError):
                record.check({**smallest.fields(record.fields), field.name: value}, "")


@pytest.mark.parametrize(
    "header", [None, [], "text", {}, {"op": 1}, {"op": ["ping"]}, {"op": "nothing", "id": 1}, {"op": "x" * 10_000}]
)
def test_no_request_at_all(header: object) -> None:
    with pytest.raises(WireError) as caught:
        schema.check_request(header)
    assert len(caught.value.message) < 200


@pytest.mark.parametrize("number", [0, -1, True, 1.5, "1", MAX_SAFE_INTEGER + 1])
def test_wrong_ids(number: object) -> None:
    with pytest.raises(WireError):
        schema.check_request({"op": "ping", "id": number})


def test_frames_of_a_role_that_the_message_does_not_take() -> None:
    request = {**smallest.request("submit"), "frames": [describe("thumbnail", (1, 1, 1))]}
    with pytest.raises(WireError, match="takes no frame “thumbnail”"):
        schema.check_request(request)


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": [2, 2, 5], "nbytes": 20},
        {"shape": [2, 2]},
        {"shape": [0, 2, 4]},
        {"shape": [40_000, 2, 4]},
        {"nbytes": 15},
        {"nbytes": 17},
        {"dtype": "u2"},
        {"dtype": "f8"},
        {"space": "mask"},
        {"space": "linear"},
        {"role": "portrait"},
        {"index": 4},
        {"sha256": "0"},
        {"stride": 4},
    ],
)
def test_frame_entries_whose_parts_disagree(changes: dict[str, object]) -> None:
    check_entry(describe("image", (2, 2, 4)))
    with pytest.raises(WireError):
        check_entry({**describe("image", (2, 2, 4)), **changes})


def test_frames_that_were_not_announced() -> None:
    entry = describe("image", (2, 2, 4))
    check_frames([entry], [16])
    for entries, sizes in (([entry], []), ([], [16]), ([entry], [15]), ([entry] * 9, [16] * (MAX_FRAMES + 1))):
        with pytest.raises(WireError):
            check_frames(entries, sizes)


def test_every_error_code_is_a_sentence() -> None:
    for code, meaning in CODES.items():
        assert re.fullmatch(r"[a-z_]+", code)
        assert meaning.endswith(".")
        assert (
            WireError.from_header({"op": "error", "id": 1, **WireError(code, "m", "h", 1.0).to_header()}).code == code
        )
    assert WireError.from_header({"code": "from_the_future"}).code == "internal"


def test_kinds_describe_themselves() -> None:
    assert MapOf(Real(0, 1)).describe() == "map of at most 64 names to number, 0 to 1"
    assert ListOf(Integer(1, 2), 3, 3).describe() == "list of 3: whole number, 1 to 2"
