"""How long a 4096 x 4096 RGBA layer takes plug-in -> daemon -> plug-in: our client, libzmq's, and a plain memcpy.

    python -m tests.benchmarks.transport [--rounds N] [--json FILE]

The far end is the same for all: a process with libzmq's ROUTER that hands every frame back without copying it; "gated"
is our client again, with the daemon's gate in front of that. Rounds take turns, so that whatever else the machine does
hits all alike. On a busy machine the best round says more than the median one, it is the one that was disturbed least,
and most is said by the processor time that the client's process takes, libzmq's own thread counted in.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import msgpack
import zmq
from s2edit_server.front_door import FrontDoor
from s2edit_server.painters import only
from s2edit_wire.auth import daemon_proof, plain_credentials
from s2edit_wire.client import Client
from s2edit_wire.connection import read_connection_file, write_connection_file
from s2edit_wire.frames import describe
from s2edit_wire.limits import MAGIC, MAX_FRAME
from s2edit_wire.link import SEND_BUFFER

SHAPE = (4096, 4096, 4)
GATED = "gated"
"""Folder, below the far end's, of the connection file that leads through the gate."""
KEY, BOOT = "5e" * 32, "0" * 32
EDIT = {"kind": "mask", "model": "m", "profile": "fast", "source": "", "objects": [], "seed": 0}


def serve(state: str, tcp: bool, parent: Connection) -> None:
    """The far end: greets, and gives back what it gets."""
    context = zmq.Context()
    zap = context.socket(zmq.REP)
    zap.bind("inproc://zeromq.zap.01")
    router = context.socket(zmq.ROUTER)
    router.plain_server = True
    router.maxmsgsize = MAX_FRAME
    router.sndbuf = SEND_BUFFER
    router.bind("tcp://127.0.0.1:*" if tcp else f"ipc://{state}/s")
    endpoint = router.getsockopt_string(zmq.LAST_ENDPOINT).rstrip("\0")
    write_connection_file(Path(state), endpoint=endpoint, key=KEY, version="1", boot=BOOT)
    gated = Path(state) / GATED
    gated.mkdir(mode=0o700)
    gate = FrontDoor(only(*plain_credentials(KEY)), endpoint)
    through = gate.bind(None if tcp else gated / "s")
    write_connection_file(gated, endpoint=through, key=KEY, version="1", boot=BOOT)
    threading.Thread(target=_run, args=(gate,), daemon=True).start()
    parent.send(endpoint)
    poller = zmq.Poller()
    for socket in (zap, router):
        poller.register(socket, zmq.POLLIN)
    while True:
        ready = dict(poller.poll())
        if zap in ready:
            request = zap.recv_multipart()
            zap.send_multipart([b"1.0", request[1], b"200", b"OK", b"me", b""])
        if router in ready:
            identity, _, packed, *frames = router.recv_multipart(copy=False)
            header = msgpack.unpackb(packed.buffer)
            reply = {"op": "reply", "id": header["id"]}
            if header["op"] == "hello":
                reply |= {"version": "1", "protocol": 1, "boot": BOOT, "capabilities": []}
                reply["proof"] = daemon_proof(KEY, header["nonce"])
            else:
                reply["frames"] = header["frames"]
            router.send_multipart([identity, MAGIC, msgpack.packb(reply), *frames], copy=False)


def _run(gate: FrontDoor) -> None:
    async def run() -> None:
        gate.start()
        await asyncio.Event().wait()

    asyncio.run(run())


Round = tuple[float, float]
"""Seconds by the clock, and of this process's processor time."""


def ours(state: Path, pixels: bytearray) -> Callable[[], Round]:
    """A round through our client, and nothing but the standard library."""
    client = Client("other", "1", state)
    client.connect()
    fields = {"job": "0" * 32, "edit": EDIT, "frames": [describe("image", SHAPE)]}

    def run() -> Round:
        begun, worked = time.perf_counter(), time.process_time()
        answer = client.request("submit", fields, [pixels])
        spent = time.perf_counter() - begun, time.process_time() - worked
        assert bytes(answer.frames[0][-4:]) == bytes(pixels[-4:])
        return spent

    return run


def libzmqs(state: Path, pixels: bytearray) -> Callable[[], Round]:
    """A round through pyzmq's DEALER without copies."""
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
    username, password = plain_credentials(KEY)
    socket.plain_username, socket.plain_password = username.encode(), password.encode()
    socket.connect(read_connection_file(state).endpoint)
    header = {"op": "submit", "id": 1, "job": "0" * 32, "edit": EDIT, "frames": [describe("image", SHAPE)]}

    def run() -> Round:
        begun, worked = time.perf_counter(), time.process_time()
        socket.send_multipart([MAGIC, msgpack.packb(header), pixels], copy=False)
        frame = socket.recv_multipart(copy=False)[2]
        spent = time.perf_counter() - begun, time.process_time() - worked
        assert bytes(frame.buffer[-4:]) == bytes(pixels[-4:])
        return spent

    return run


def memcpy(pixels: bytearray) -> Callable[[], Round]:
    """The same bytes copied once in memory into a buffer that is there already."""
    target = memoryview(bytearray(len(pixels)))

    def run() -> Round:
        begun, worked = time.perf_counter(), time.process_time()
        target[:] = pixels
        return time.perf_counter() - begun, time.process_time() - worked

    return run


def measure(tcp: bool, rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of each way's best and median round by the clock, and of the median one's processor time."""
    pixels = bytearray(SHAPE[0] * SHAPE[1] * SHAPE[2])
    pixels[-4:] = b"last"
    near, far = multiprocessing.Pipe()
    with tempfile.TemporaryDirectory(prefix="s2b") as name:
        process = multiprocessing.get_context("spawn").Process(target=serve, args=(name, tcp, far), daemon=True)
        process.start()
        near.recv()
        ways = {
            "ours": ours(Path(name), pixels),
            GATED: ours(Path(name) / GATED, pixels),
            "libzmq": libzmqs(Path(name), pixels),
            "memcpy": memcpy(pixels),
        }
        spent: dict[str, list[Round]] = {way: [] for way in ways}
        for turn in range(rounds + 1):
            for way, run in ways.items():
                seconds = run()
                if turn:  # the first one warms up
                    spent[way].append(seconds)
        process.terminate()
        process.join()
    return {way: _figures(times) for way, times in spent.items()}


def _figures(rounds: list[Round]) -> dict[str, float]:
    clock, processor = ([1_000 * seconds for seconds in kind] for kind in zip(*rounds, strict=True))
    return {"best": min(clock), "median": statistics.median(clock), "processor": statistics.median(processor)}


def main() -> None:
    """Print the table, and write it as JSON when asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    figures = {transport: measure(transport == "tcp", options.rounds) for transport in ("ipc", "tcp")}
    print(f"{SHAPE[0]} x {SHAPE[1]} RGBA there and back, {options.rounds} rounds")
    for transport, ways in figures.items():
        for kind in ("best", "median", "processor"):
            us, gated, them, copy = (ways[way][kind] for way in ("ours", GATED, "libzmq", "memcpy"))
            print(
                f"{transport}, {kind}: ours {us:.0f} ms, libzmq {them:.0f} ms, memcpy {copy:.0f} ms;"
                f" ours is {us / them:.2f} x libzmq, {us / copy:.1f} x memcpy;"
                f" through the gate {gated:.0f} ms, {gated / them:.2f} x libzmq"
            )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
