"""The smallest valid value of each kind, and with it the smallest valid request of each message."""

from __future__ import annotations

from typing import Any

from s2edit_wire.kinds import (
    Anything,
    Choice,
    Field,
    Flag,
    Hex,
    Integer,
    Kind,
    ListOf,
    MapOf,
    Real,
    Record,
    Scalar,
    Text,
)
from s2edit_wire.schema import MESSAGES


def value(kind: Kind) -> Any:
    """The smallest value that `kind` accepts."""
    match kind:
        case Text():
            return "a" * kind.shortest
        case Hex():
            return "0" * kind.length
        case Integer() | Real():
            return kind.low
        case Flag():
            return False
        case Choice():
            return kind.words[0]
        case Scalar():
            return 0
        case ListOf():
            return [value(kind.item)] * kind.fewest
        case MapOf() | Anything():
            return {}
        case Record():
            return fields(kind.fields)
    raise AssertionError(f"no smallest value for {kind}")


def fields(wanted: tuple[Field, ...]) -> dict[str, Any]:
    """The smallest map with the required fields."""
    return {field.name: value(field.kind) for field in wanted if field.required}


def request(op: str) -> dict[str, Any]:
    """The smallest valid request of this name."""
    return {"op": op, "id": 1, **fields(MESSAGES[op].request)}
