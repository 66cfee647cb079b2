"""Spoiling headers: values of the wrong kind put in at random places, and bytes changed at random places."""

from __future__ import annotations

import copy
import math
import random
from typing import Any

import msgpack
from s2edit_wire.schema import MESSAGES

from tests.protocol import smallest

HARMFUL = frozenset({"shutdown", "pause_queue", "hello"})
"""Requests that, were one to come through whole, would end the test and not the daemon."""
REQUESTS: list[dict[str, Any]] = [smallest.request(op) for op in sorted(MESSAGES.keys() - HARMFUL)]


def _nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


WEIRD: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**31, 2**53, 2**63, -(2**63), 1.5, math.nan, math.inf, -math.inf, 1e308),
    *("", "\x00", "a" * 20_000, "🙂" * 300, "../../etc/passwd", "%s%n", "'; DROP TABLE jobs; --", "\u202e"),
    *(b"", b"\xff" * 300, [], {}, [[]] * 2_000, {str(number): number for number in range(2_000)}, _nested(100)),
    *(msgpack.ExtType(1, b"x" * 50), msgpack.Timestamp(2**33, 1), {1: 2}, {"": {"": {"": ""}}}),
)


def spoil_value(value: Any, dice: random.Random) -> Any:
    """A copy with one place of it replaced, removed or added to."""
    value = copy.deepcopy(value)
    place = value
    while isinstance(place, (dict, list)) and place:
        key = dice.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], (dict, list)) or dice.random() < 0.3:
            what = dice.random()
            if what < 0.15:
                del place[key]
            elif what < 0.3 and isinstance(place, dict):
                place[f"{key}{dice.choice('x ²_')}"] = place[key]
            else:
                place[key] = dice.choice(WEIRD)
            break
        place = place[key]
    return value


def spoil_bytes(data: bytes, dice: random.Random) -> bytes:
    """A copy with a few bytes changed, or a stretch of it cut out, doubled, shuffled or replaced."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 5))):
        at = dice.randrange(len(changed) + 1)
        stretch = slice(at, at + dice.randrange(1, 20))
        match dice.randrange(6):
            case 0 if at < len(changed):
                changed[at] ^= 1 << dice.randrange(8)
            case 1 if at < len(changed):
                changed[at] = dice.choice((0x00, 0x7F, 0x80, 0x8F, 0x90, 0xC1, 0xC7, 0xC9, 0xDB, 0xDD, 0xDF, 0xFF))
            case 2:
                del changed[stretch]
            case 3:
                changed[at:at] = changed[stretch]
            case 4:
                changed[at:at] = dice.randbytes(dice.randrange(1, 30))
            case _:
                del changed[at:]
    return bytes(changed)


def header(number: int, dice: random.Random) -> bytes:
    """One spoiled request header with this id, unless that is what was spoiled: its values, its bytes, or both."""
    request: Any = {**dice.choice(REQUESTS), "id": number}
    how = dice.randrange(3)
    if how != 0:
        request = spoil_value(request, dice)
    data: bytes = msgpack.packb(request)
    return spoil_bytes(data, dice) if how != 1 else data
