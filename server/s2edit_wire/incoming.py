"""A message from the daemon, taken out of its parts: `[magic][msgpack header][pixel frames …]`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .errors import ProtocolError, WireError
from .frames import check_frames
from .limits import MAGIC, MAX_FRAMES, MAX_HEADER
from .pack import unpack
from .zmtp import Buffer


@dataclass(frozen=True)
class Incoming:
    """A message from the daemon.

    Args:
        id: the request it answers; 0 for an event.
        op: `reply`, `error` or `event`.
        header: all its fields.
        frames: its pixel frames, in the order of `header["frames"]`.
        error: what an `error` says, else None.
    """

    id: int
    op: str
    header: dict[str, Any]
    frames: list[memoryview | bytearray] = field(default_factory=list)
    error: WireError | None = None


def decode(parts: list[Buffer]) -> Incoming:
    """The message that its parts make up; ProtocolError when they make none."""
    if not 2 <= len(parts) <= MAX_FRAMES + 2 or parts[0] != MAGIC or len(parts[1]) > MAX_HEADER:
        raise ProtocolError("The daemon sent something that is no S²Edit message.")
    header = unpack(parts[1])
    if not isinstance(header, dict):
        raise ProtocolError("The daemon sent a header that is no map.")
    op, number = header.get("op"), header.get("id", 0)
    if op not in ("reply", "error", "event") or isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise ProtocolError("The daemon sent a header without a known `op` and `id`.")
    frames: list[Any] = list(parts[2:])
    entries: Any = header.get("frames", [])
    if not isinstance(entries, list):
        raise ProtocolError("The daemon sent a header whose `frames` is no list.")
    try:
        check_frames(entries, [len(frame) for frame in frames])
    except WireError as error:
        raise ProtocolError(error.message) from error
    fault = WireError.from_header(dict(header)) if op == "error" else None
    return Incoming(number if op != "event" else 0, str(op), header, frames, fault)
