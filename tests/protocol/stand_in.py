"""A program that a session can start as its daemon: crashes at the first `ping` ever, ends at `shutdown`."""

import os
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "server")]

from s2edit_wire.connection import remove_connection_file  # noqa: E402
from s2edit_wire.paths import state_folder  # noqa: E402

from tests.protocol.router import Header, Router  # noqa: E402


def main() -> None:
    """Listen until told otherwise."""
    state = state_folder()
    crashed = state / "crashed"
    ending = threading.Event()

    def answer(header: Header, _frames: list[bytes]) -> tuple[Header, list[bytes]]:
        if header["op"] == "ping" and not crashed.exists():
            crashed.touch()
            os._exit(1)
        if header["op"] == "shutdown":
            ending.set()
        return ({"seq": 0, "jobs": []} if header["op"] == "subscribe" else {}), []

    with Router(state, answer) as router:
        ending.wait()
        remove_connection_file(state, router.boot)


if __name__ == "__main__":
    main()
