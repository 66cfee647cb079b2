"""One whole conversation with a real daemon, written down for PROTOCOL.md.

`python -m tests.protocol.conversation` writes it anew; test_conversation.py says whether it is still what the two say
to each other. What differs from day to day (ids, times, digests) is written as `…`.
"""

from __future__ import annotations

import json
import select
import sys
import tempfile
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from s2edit_wire import document
from s2edit_wire.client import Client, new_job_id
from s2edit_wire.frames import describe
from s2edit_wire.incoming import Incoming
from s2edit_wire.link import Link
from s2edit_wire.zmtp import Buffer

from tests.fakes.daemon import RunningDaemon

WIDTH = 116
DIFFERS = frozenset(
    (
        *("version", "nonce", "client_id", "proof", "boot", "capabilities"),
        *("seq", "created", "started", "finished", "eta", "result_sha256", "record", "sha256"),
        *("memory", "memory_free", "first_s", "next_s", "measured"),
    )
)
EDIT = {
    "kind": "edit",
    "model": "portraits",
    "profile": "fast",
    "source": "a smiling woman with pink hair",
    "target": "a smiling woman with sunglasses and pink hair",
    "objects": [{"word": "woman", "masked": True}],
    "seed": 1,
    "settings": {"blend.feather": 3},
}
CANVAS = [640, 480]


class Spoken(Client):
    """A client that writes down what goes over its socket; of events, those of its job's first step and its end."""

    def __init__(self, folder: Path) -> None:
        super().__init__("other", "1.0", folder)
        self.lines: list[str] = []
        self._job: dict[str, Any] = {}

    def ask(self, op: str, fields: dict[str, Any], frames: Sequence[Buffer] = ()) -> dict[str, Any]:
        """A request and its answer's header."""
        incoming = self.request(op, fields, frames)
        self._write("←", incoming.header, len(incoming.frames))
        return incoming.header

    def follow(self, job: str) -> None:
        """Until it has ended."""
        first = True
        while True:
            for incoming in self.pump():
                told = incoming.header.get("job")
                if told is None or told["job"] != job or told["state"] == "queued":
                    continue
                if first or told["state"] != "running":
                    self._write("←", incoming.header, len(incoming.frames))
                    self.lines += ["  … and so on, an event for each step …"] * first
                first = False
                if told["state"] != "running":
                    return
            select.select([self.fileno()], [], [], 60)

    def _queue(self, link: Link, op: str, fields: Any, frames: Sequence[Buffer] = ()) -> int:
        self._write("→", {"op": op, "id": self._next_id, **fields}, len(frames))
        return super()._queue(link, op, fields, frames)

    def _take_hello(self, incoming: Incoming) -> None:
        self._write("←", incoming.header, 0)
        super()._take_hello(incoming)

    def _write(self, arrow: str, header: dict[str, Any], frames: int) -> None:
        told = {name: self._plain(name, value) for name, value in header.items()}
        if header["op"] == "reply" and "settings" in told:
            told["settings"] = "…"  # all there are, with the profile's values
        text = json.dumps(told, ensure_ascii=False)
        parts = f" + {frames} {'frame' if frames == 1 else 'frames'} of pixels" if frames else ""
        self.lines += textwrap.wrap(
            text.replace('"…"', "…").replace("…: …", "…") + parts,
            WIDTH,
            initial_indent=f"{arrow} ",
            subsequent_indent="    ",
            break_on_hyphens=False,
            break_long_words=False,
        )

    def _plain(self, name: str, value: Any) -> Any:
        """The value as it is written: of a job, only what has changed since it was last told."""
        if name in DIFFERS or (name == "job" and isinstance(value, str)):
            return "…"
        if name == "job":
            before, self._job = self._job, value
            value = {key: item for key, item in value.items() if key not in before or before[key] != item}
            return {key: self._plain(key, item) for key, item in value.items()} | ({"…": "…"} if before else {})
        if isinstance(value, dict):
            return {key: self._plain(key, item) for key, item in value.items()}
        return [self._plain("", item) for item in value] if isinstance(value, list) else value


def hold(folder: Path) -> str:
    """Greet, plan, subscribe, hand an edit in, follow it, fetch and acknowledge its result; returns what was said."""
    # x, y, width and height of the painted mask in the canvas.
    box = [270, 180, 60, 40]
    client = Spoken(folder)
    with client:
        asked = {name: value for name, value in EDIT.items() if name != "seed"}
        x, y, width, height = client.ask("plan", {**asked, "canvas": CANVAS, "mask_box": box})["crop"]
        client.ask("subscribe", {"after": 0})
        picture = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
        mask = np.zeros((height, width, 1), np.uint8)
        mask[box[1] - y : box[1] - y + box[3], box[0] - x : box[0] - x + box[2]] = 255
        from_where = {"host": "other", "canvas": CANVAS, "crop": [x, y, width, height]}
        entries = [describe("image", picture.shape), describe("object_mask", mask.shape, space="mask")]
        job = new_job_id()
        fields = {"job": job, "edit": {**EDIT, "document": from_where}, "frames": entries}
        client.ask("submit", fields, [memoryview(picture.tobytes()), memoryview(mask.tobytes())])
        client.follow(job)
        client.ask("result", {"job": job})
        client.ask("acknowledge", {"job": job})
    return "\n".join(client.lines) + "\n"


def held() -> str:
    """The same with a daemon of its own, whose worker is the tests'."""
    # A short path: a socket's may have at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="s2w") as name, RunningDaemon(Path(name) / "s") as daemon:
        return hold(daemon.folder)


if __name__ == "__main__":
    document.CONVERSATION.write_text(held(), encoding="utf-8")
    sys.exit(document.main([]))
