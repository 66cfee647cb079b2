"""The contract between the daemon and its worker process: the messages, and the worker's end of the line.

The line is an AF_UNIX socket pair whose number the worker inherits (`S2EDIT_WORKER_FD`); where there are none
(Windows), a loopback connection to `S2EDIT_WORKER_PORT` that begins with the 32 bytes of `S2EDIT_WORKER_TOKEN` (hex).
Each message is a big-endian uint32 length and a msgpack map, told apart by `do` (orders) or `say` (reports).
Pixels never travel here: both sides name files. The worker reads the files of `Run.frames` and must not change them.

A worker: `line = WorkerLine.open(); line.start(); line.say(Ready(device="cpu"))`, then `line.next_order()` for ever.
`start` begins the pulse and leaves the process the moment the daemon is gone.
"""

from __future__ import annotations

import ctypes
import os
import queue
import signal
import socket
import struct
import sys
import threading
from typing import Any

import msgspec

MAX_LINK_MESSAGE = 4 * 1024 * 1024
"""Bytes of one message on the line; previews are the largest thing in one."""
PULSE_INTERVAL = 1.0
"""Seconds between two pulses of a living worker."""

FD_VARIABLE = "S2EDIT_WORKER_FD"
PORT_VARIABLE = "S2EDIT_WORKER_PORT"
TOKEN_VARIABLE = "S2EDIT_WORKER_TOKEN"  # noqa: S105 - the variable's name
STATE_VARIABLE = "S2EDIT_WORKER_STATE"
"""The daemon's state folder: the worker's cache goes to `cache/` below it."""


class FrameFile(msgspec.Struct, omit_defaults=True):
    """One frame as a file of raw samples: a frame's header entry (`s2edit_wire.frames.FRAME`) and where the bytes are.

    Args:
        role, shape, dtype, space, nbytes, index: as in `s2edit_wire.frames.FRAME`.
        path: absolute path of a file of exactly `nbytes` bytes.
        sha256: digest of the bytes; always given by the daemon, computed by it when the worker leaves it out.
    """

    role: str
    shape: tuple[int, int, int]
    dtype: str
    space: str
    nbytes: int
    path: str
    index: int = 0
    sha256: str = ""


class Model(msgspec.Struct):
    """Weights to use: the catalogue's id, and the folder or `.safetensors` file on this machine."""

    id: str
    path: str


class Run(msgspec.Struct, tag_field="do", tag="run"):
    """Do a job. The worker answers with any number of `Progress` and exactly one of `Done`, `Failed`, `Cancelled`.

    Args:
        job: the job's id; attempt: 1 for its first run.
        edit: the record `s2edit_wire.records.EDIT`, already checked.
        model: the weights.
        frames: inputs, roles as in `submit`.
        out: an existing empty folder for the result's files.
        lower: True on the second try after out_of_memory: use the next lower memory level.
        threads: compute threads, 0 for the worker's own choice.
        compiled: whether the model is to be compiled.
        device, precision: what to compute on and in, by the names that `s2edit.engine.Engine` takes.
        holds: digest of what its identity depends on, "" for none: the cache notes for it what it needs.
    """

    job: str
    attempt: int
    edit: dict[str, Any]
    model: Model
    frames: list[FrameFile]
    out: str
    lower: bool = False
    threads: int = 0
    compiled: bool = False
    device: str = "auto"
    precision: str = "auto"
    holds: str = ""


class Cancel(msgspec.Struct, tag_field="do", tag="cancel"):
    """Stop the job at its next step; no matter if it ended meanwhile."""

    job: str


class Unload(msgspec.Struct, tag_field="do", tag="unload"):
    """Give the model's memory back; answered with `Memory`."""


class Exit(msgspec.Struct, tag_field="do", tag="exit"):
    """Leave with exit status 0."""


Order = Run | Cancel | Unload | Exit


class Ready(msgspec.Struct, tag_field="say", tag="ready"):
    """First message: `device` as people read it (`cpu`, `cuda:0 (NVIDIA H100)`); sent again once it is known better."""

    device: str


class Preview(msgspec.Struct):
    """A small picture of the state: `shape` (height, width, 3), `data` its uint8 sRGB samples."""

    shape: tuple[int, int, int]
    data: bytes


class Progress(msgspec.Struct, tag_field="say", tag="progress"):
    """`step` of `total` done (0 when unknown) in `phase`, one of `s2edit_wire.records.PHASES`."""

    job: str
    phase: str
    step: int
    total: int
    preview: Preview | None = None


class Done(msgspec.Struct, tag_field="say", tag="done"):
    """The job is done; its frames are files in `Run.out`, whole; the daemon flushes what it takes over.

    `record`: JSON-able, at most 32 KiB as msgpack (it must fit a header beside the job); for a `caption` job, its
    entry `caption` is the text.
    """

    job: str
    record: dict[str, Any]
    frames: list[FrameFile]


class Failed(msgspec.Struct, tag_field="say", tag="failed"):
    """The job failed: `code` of `s2edit_wire.errors.CODES`, a plain sentence (figures for out_of_memory), a hint."""

    job: str
    code: str
    message: str
    hint: str = ""


class Cancelled(msgspec.Struct, tag_field="say", tag="cancelled"):
    """The job stopped because of `Cancel`."""

    job: str


class Memory(msgspec.Struct, tag_field="say", tag="memory"):
    """Bytes the worker holds on its device, bytes free there, and the id of the loaded model ("" for none)."""

    used: int
    free: int
    model: str = ""


class Pulse(msgspec.Struct, tag_field="say", tag="pulse"):
    """The process lives; sent every second from a thread of its own."""


Report = Ready | Progress | Done | Failed | Cancelled | Memory | Pulse

_orders: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_reports: msgspec.msgpack.Decoder[Report] = msgspec.msgpack.Decoder(Report)
_encoder = msgspec.msgpack.Encoder()
_LENGTH = struct.Struct("!I")


class LinkBroken(Exception):
    """The other side is gone, or sent what is no message."""


def encode(message: Order | Report) -> bytes:
    """A message as it goes over the line, length first."""
    body = _encoder.encode(message)
    if len(body) > MAX_LINK_MESSAGE:
        raise LinkBroken(f"a message of {len(body)} bytes is over the line's limit")
    return _LENGTH.pack(len(body)) + body


def body_length(head: bytes) -> int:
    """The length that a message's first four bytes announce; raises LinkBroken when over the limit."""
    length: int = _LENGTH.unpack(head)[0]
    if length > MAX_LINK_MESSAGE:
        raise LinkBroken(f"a message of {length} bytes was announced")
    return length


def decode_order(body: bytes) -> Order:
    """An order from its body; raises LinkBroken."""
    try:
        return _orders.decode(body)
    except msgspec.MsgspecError as error:
        raise LinkBroken(f"not an order: {error}") from error


def decode_report(body: bytes) -> Report:
    """A report from its body; raises LinkBroken."""
    try:
        return _reports.decode(body)
    except msgspec.MsgspecError as error:
        raise LinkBroken(f"not a report: {error}") from error


class WorkerLine:
    """The worker's end of the line: thread-safe, blocking, without asyncio (the compute thread owns the process)."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._sending = threading.Lock()
        self._orders: queue.SimpleQueue[Run | Unload | Exit] = queue.SimpleQueue()
        self._cancelled: set[str] = set()

    @classmethod
    def open(cls) -> WorkerLine:
        """Take the line that the supervisor left in the environment; raises LinkBroken when there is none."""
        _die_with_parent()
        if FD_VARIABLE in os.environ:
            return cls(socket.socket(fileno=int(os.environ.pop(FD_VARIABLE))))
        if PORT_VARIABLE in os.environ:
            connection = socket.create_connection(("127.0.0.1", int(os.environ.pop(PORT_VARIABLE))), timeout=10)
            connection.settimeout(None)
            connection.sendall(bytes.fromhex(os.environ.pop(TOKEN_VARIABLE)))
            return cls(connection)
        raise LinkBroken("A worker is started by the daemon, not by hand. Run: python -m s2edit_server")

    def start(self) -> None:
        """Begin to listen and to pulse, each in a daemon thread."""
        threading.Thread(target=self._listen, name="line", daemon=True).start()
        threading.Thread(target=self._beat, name="pulse", daemon=True).start()

    def next_order(self) -> Run | Unload | Exit:
        """The next order; blocks. Cancellations don't come here: see `cancelled`."""
        return self._orders.get()

    def cancelled(self, job: str) -> bool:
        """Whether this job has to stop; cheap enough for every step."""
        return job in self._cancelled

    def say(self, report: Report) -> None:
        """Send a report, from any thread. Leaves the process when the daemon is gone: nobody is left to work for."""
        data = encode(report)
        try:
            with self._sending:
                self._socket.sendall(data)
        except OSError:
            os._exit(3)

    def _listen(self) -> None:
        while True:
            try:
                order = decode_order(self._exactly(body_length(self._exactly(4))))
            except (LinkBroken, OSError):
                # In mid-step no other exit is quick enough: a new daemon may start its own worker this very second.
                os._exit(3)
            if isinstance(order, Cancel):
                self._cancelled.add(order.job)
            else:
                if isinstance(order, Run):
                    # A retried job is a new run under the same id.
                    self._cancelled.discard(order.job)
                self._orders.put(order)

    def _exactly(self, count: int) -> bytes:
        data = bytearray(count)
        view, got = memoryview(data), 0
        while got < count:
            size = self._socket.recv_into(view[got:])
            if not size:
                raise LinkBroken("the daemon closed the line")
            got += size
        return bytes(data)

    def _beat(self) -> None:
        while True:
            self.say(Pulse())
            threading.Event().wait(PULSE_INTERVAL)


def _die_with_parent() -> None:
    """Ask Linux to kill this process with the daemon, even when it hangs in native code; elsewhere EOF has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG of prctl(2)
