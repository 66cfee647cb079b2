"""Messages as they lie in ZeroMQ parts: `[magic][msgpack header][pixel frames …]`, in both directions.

Sizes are compared before anything is decoded, and the decoder's own limits stop what a size can't.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgpack
import zmq
from s2edit_wire.errors import WireError
from s2edit_wire.limits import MAGIC, MAX_DEPTH, MAX_FRAMES, MAX_HEADER, MAX_ITEMS, MAX_TEXT

Pixels = bytes | memoryview | zmq.Frame


def encode(header: dict[str, object]) -> bytes:
    """A header as msgpack; RuntimeError when it is over the wire's limit, which is a fault of ours."""
    data: bytes = msgpack.packb(header)
    if len(data) > MAX_HEADER:
        raise RuntimeError(f"the header of “{header.get('op')}” would have {len(data)} bytes")
    return data


def parts(identity: bytes, header: dict[str, object], frames: Sequence[Pixels] = ()) -> list[Pixels]:
    """All parts of a message to one client."""
    return [identity, MAGIC, encode(header), *frames]


def decode(message: Sequence[memoryview]) -> tuple[dict[str, Any], Sequence[memoryview]]:
    """(header, pixel frames) of a message without its identity.

    Raises:
        WireError: bad_request or too_large, for anything that is not a map within the limits.
    """
    if not message or bytes(message[0][: len(MAGIC)]) != MAGIC or len(message[0]) != len(MAGIC):
        raise WireError("bad_request", "This is no S²Edit message, or one of another framing version.")
    if len(message) < 2 or len(message) > MAX_FRAMES + 2:
        raise WireError("bad_request", f"A message has a header and at most {MAX_FRAMES} frames.")
    if len(message[1]) > MAX_HEADER:
        raise WireError("too_large", f"The header has more than {MAX_HEADER} bytes.")
    try:
        header = msgpack.unpackb(
            message[1],
            raw=False,
            strict_map_key=True,
            unicode_errors="strict",
            max_str_len=MAX_TEXT,
            max_bin_len=MAX_TEXT,
            max_array_len=MAX_ITEMS,
            max_map_len=MAX_ITEMS,
            max_ext_len=0,
            object_pairs_hook=_map,
            ext_hook=_no_extension,
        )
    except (ValueError, msgpack.UnpackException, RecursionError) as error:
        raise WireError("bad_request", "The header can't be read.") from error
    if not isinstance(header, dict):
        raise WireError("bad_request", "The header is not a map.")
    _check_values(header, MAX_DEPTH)
    return header, message[2:]


def _map(pairs: list[tuple[object, object]]) -> dict[str, object]:
    result: dict[str, object] = {}
    for name, value in pairs:
        if not isinstance(name, str) or name in result:
            raise ValueError("a map's names must be text, each once")
        result[name] = value
    return result


def _no_extension(code: int, _data: bytes) -> object:
    raise ValueError(f"extension type {code}")


def _check_values(value: object, depth: int) -> None:
    if isinstance(value, dict | list):
        if depth == 0:
            raise WireError("bad_request", "The header is nested too deeply.")
        for entry in value.values() if isinstance(value, dict) else value:
            _check_values(entry, depth - 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise WireError("bad_request", "The header holds a number that is not finite.")
    elif not isinstance(value, bool | int | str | bytes):
        raise WireError("bad_request", "The header holds a value of a kind that the wire doesn't know.")
