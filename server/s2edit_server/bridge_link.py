"""What the daemon and the bridge to the studio's hosts say to each other; here is no Ray.

The line is the one that a worker gets (`spawn`), with the same length before each message. Pixels never travel on it:
daemon and bridge are on one computer, and both name files.
"""

from __future__ import annotations

import asyncio
import struct

import msgspec

from .supervisor import Health
from .worker_link import MAX_LINK_MESSAGE, Cancelled, Done, Failed, LinkBroken, Progress, Run

HEAD_FILE = "cluster/head.json"
"""In the state folder of the studio's head: there, the daemon's places are those of all hosts."""
_LENGTH = struct.Struct("!I")


class SeatAddress(msgspec.Struct):
    """A seat as the daemon knows it: its name, and the address of its host."""

    name: str
    host: str


class Do(msgspec.Struct, tag=True):
    """Run this job at a seat; answered with any number of `Said` and one `Ended` or `Failure`."""

    seat: str
    order: Run


class Stop(msgspec.Struct, tag=True):
    """Stop this attempt of a job at a seat at its next step; it may come there before the job does."""

    seat: str
    job: str
    attempt: int


class Free(msgspec.Struct, tag=True):
    """Give the seat's memory back; `end`: by ending its worker."""

    seat: str
    end: bool = False


class Keep(msgspec.Struct, tag=True):
    """Delete each identity on all hosts but those that these jobs hold (`identities.digest`)."""

    needed: list[str]


Order = Do | Stop | Free | Keep


class Places(msgspec.Struct, tag=True):
    """All seats that there are now, whenever that changes; `notice`: what people have to know, or ""."""

    places: list[SeatAddress]
    notice: str = ""


class State(msgspec.Struct, tag=True):
    """How a seat's worker is."""

    seat: str
    health: Health


class Said(msgspec.Struct, tag=True):
    """A step of a seat's job."""

    seat: str
    progress: Progress


class Ended(msgspec.Struct, tag=True):
    """A seat's job has ended; its frames are files in the order's `out`."""

    seat: str
    job: str
    outcome: Done | Failed | Cancelled


class Failure(msgspec.Struct, tag=True):
    """A seat's job came to no end: its worker died, or, with `lost`, its host is gone."""

    seat: str
    job: str
    why: str
    lost: bool


Report = Places | State | Said | Ended | Failure

_encoder = msgspec.msgpack.Encoder()
orders: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
reports: msgspec.msgpack.Decoder[Report] = msgspec.msgpack.Decoder(Report)


def encode(message: Order | Report) -> bytes:
    """A message as it goes over the line; raises LinkBroken when it is too long."""
    body = _encoder.encode(message)
    if len(body) > MAX_LINK_MESSAGE:
        raise LinkBroken(f"a message of {len(body)} bytes is over the line's limit")
    return _LENGTH.pack(len(body)) + body


async def receive(reader: asyncio.StreamReader) -> bytes:
    """The next message's body; raises LinkBroken at the line's end, or when too much is announced."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > MAX_LINK_MESSAGE:
            raise LinkBroken(f"a message of {length} bytes was announced")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, OSError) as error:
        raise LinkBroken("the line was closed") from error
