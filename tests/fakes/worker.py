"""A worker with the real protocol and no model: it inverts the colours under the mask, a few milliseconds a step.

How it behaves is asked for by settings of the edit, by magic seeds (editors can type those), or by the environment:
    setting `fake.steps`, `fake.step_ms` (or S2EDIT_FAKE_STEP_MS): length of the editing phase; default 10 steps of 3 ms
    setting `fake.held`: true, and it edits until it is cancelled; a file's path, and it edits until that is there
    setting `fake.learns`: an identity goes into the cache, as a real worker's does
    setting `fake.chatter`: lines written to standard error
    setting `fake.fault` or seed: what goes wrong, see `FAULTS` and `SEEDS`
    S2EDIT_FAKE_START_S in the environment: seconds before it says a word
A fault ending in `_once` happens in the job's first attempt only.
"""

from __future__ import annotations

import faulthandler
import hashlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from s2edit_server import worker_link as link

from s2edit.cache import DiskCache

FAULTS = {
    "exit": "ends by itself in mid-step",
    "kill": "is killed in mid-step",
    "segv": "segfaults in mid-step",
    "stop": "is stopped (SIGSTOP): alive, but without a pulse",
    "hang": "hangs in a step for ever, pulse going on, and does not see a cancel",
    "oom": "has too little memory, at any level",
    "oom_full": "has too little memory unless `lower` is set",
    "fail": "fails with an error of its own",
    "garbage": "sends what is no message",
    "torn": "names a result file that is too short",
}
SEEDS = {666_000 + number: fault for number, fault in enumerate(FAULTS)}
"""666000 exits, 666001 is killed, … in the order of FAULTS; `_once` can't be asked for this way."""
PHASES = (("loading", 1), ("identity", 4), ("inversion", 4))
PREVIEW_SIDE = 32


class Edit:
    """One job being done."""

    def __init__(self, line: link.WorkerLine, order: link.Run) -> None:
        self._line, self._order = line, order
        settings = order.edit.get("settings", {})
        fault = str(settings.get("fake.fault", SEEDS.get(order.edit["seed"], "")))
        self._fault = fault.removesuffix("_once") if order.attempt == 1 or not fault.endswith("_once") else ""
        self._steps = int(settings.get("fake.steps", 10))
        self._step_s = float(settings.get("fake.step_ms", os.environ.get("S2EDIT_FAKE_STEP_MS", "3"))) / 1_000
        self._learns = bool(settings.get("fake.learns"))
        self._held = settings.get("fake.held", False)
        self._image = next((self._pixels(frame) for frame in order.frames if frame.role == "image"), None)

    def run(self) -> link.Done | link.Failed | link.Cancelled:
        """Do it."""
        sys.stderr.write("chatter\n" * int(self._order.edit.get("settings", {}).get("fake.chatter", 0)))
        sys.stderr.flush()
        if self._learns:
            self._learn()
        for phase, steps in (*PHASES, ("editing", self._steps), ("compositing", 1)):
            for step in range(1, steps + 1):
                if self._line.cancelled(self._order.job):
                    return link.Cancelled(self._order.job)
                time.sleep(self._step_s)
                preview = self._preview() if phase == "editing" and step % 5 == 0 else None
                self._line.say(link.Progress(self._order.job, phase, step, steps, preview))
                if phase == "editing" and step == max(1, steps // 2):
                    self._wait_until_let_go()
                    failed = self._fail()
                    if failed is not None:
                        return failed
        return link.Done(self._order.job, self._record(), self._result())

    def _learn(self) -> None:
        """A file for the identity, which is the source picture's first row here."""
        assert self._image is not None
        folder = Path(os.environ[link.STATE_VARIABLE]) / "cache"
        cache, likeness = DiskCache(folder), self._image[0].tobytes()
        key = hashlib.sha256(likeness).hexdigest()
        cache.user = self._order.holds
        cache.note(key)
        (folder / f"{key}.safetensors").write_bytes(likeness)

    def _wait_until_let_go(self) -> None:
        while self._held and not self._line.cancelled(self._order.job):
            if isinstance(self._held, str) and Path(self._held).exists():
                return
            time.sleep(0.005)

    def _fail(self) -> link.Failed | None:
        if self._fault == "exit":
            os._exit(7)
        if self._fault in {"kill", "segv", "stop"}:
            faulthandler.disable()
            os.kill(os.getpid(), {"kill": signal.SIGKILL, "segv": signal.SIGSEGV, "stop": signal.SIGSTOP}[self._fault])
            time.sleep(60)
        if self._fault == "hang":
            _hang()
        if self._fault == "garbage":
            self._line._socket.sendall(b"\0\0\0\4junk")
            time.sleep(60)
        if self._fault == "oom" or (self._fault == "oom_full" and not self._order.lower):
            hint = "Choose a smaller area, or the profile “fast”."
            return link.Failed(self._order.job, "out_of_memory", "The edit needs 9.1 GiB, 2.3 GiB are free.", hint)
        if self._fault == "fail":
            return link.Failed(self._order.job, "model_failed", "The model said no.", "Ask another one.")
        return None

    def _pixels(self, frame: link.FrameFile) -> np.ndarray[Any, Any]:
        pixels: np.ndarray[Any, Any] = np.fromfile(frame.path, dtype=f"<{frame.dtype}").reshape(frame.shape)
        return pixels

    def _preview(self) -> link.Preview | None:
        if self._image is None:
            return None
        stride = max(1, max(self._image.shape[:2]) // PREVIEW_SIDE)
        small = self._image[::stride, ::stride]
        top = {"u1": 255, "u2": 65_535, "f4": 1.0}[next(f.dtype for f in self._order.frames if f.role == "image")]
        rgb = small[:, :, :3] if small.shape[2] >= 3 else np.repeat(small[:, :, :1], 3, axis=2)
        data = (rgb.astype(np.float64) / top * 255).clip(0, 255).astype(np.uint8)
        return link.Preview((data.shape[0], data.shape[1], 3), data.tobytes())

    def _result(self) -> list[link.FrameFile]:
        kind = self._order.edit["kind"]
        if self._image is None or kind == "caption":
            return []
        frame = next(frame for frame in self._order.frames if frame.role == "image")
        mask = self._mask()
        mask_file = self._write("mask", (mask[:, :, None] * 255).astype(np.uint8), "u1", "mask")
        if kind == "mask":
            return [mask_file]
        top = {"u1": 255, "u2": 65_535, "f4": 1.0}[frame.dtype]
        colours = 3 if self._image.shape[2] >= 3 else 1
        patch = (top - self._image[:, :, :colours]).astype(self._image.dtype)
        alpha = (mask[:, :, None] * top).astype(self._image.dtype)
        files = [self._write("patch", patch, frame.dtype, "srgb"), self._write("alpha", alpha, frame.dtype, "mask")]
        if self._fault == "torn":
            Path(files[0].path).write_bytes(b"short")
        return [*files, mask_file]

    def _mask(self) -> np.ndarray[Any, Any]:
        """0 or 1 per pixel: the edit mask, the first object's, or an ellipse in the middle."""
        assert self._image is not None
        for role in ("edit_mask", "object_mask"):
            for frame in self._order.frames:
                if frame.role == role:
                    marked: np.ndarray[Any, Any] = (self._pixels(frame)[:, :, 0] > 0).astype(np.float64)
                    return marked
        height, width = self._image.shape[:2]
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        ellipse: np.ndarray[Any, Any] = ((x / 0.6) ** 2 + (y / 0.6) ** 2 <= 1).astype(np.float64)
        return ellipse

    def _write(self, role: str, pixels: np.ndarray[Any, Any], dtype: str, space: str) -> link.FrameFile:
        path = Path(self._order.out) / role
        with path.open("xb") as file:
            file.write(np.ascontiguousarray(pixels).astype(f"<{dtype}").tobytes())
        height, width, channels = pixels.shape
        return link.FrameFile(role, (height, width, channels), dtype, space, path.stat().st_size, str(path))

    def _record(self) -> dict[str, Any]:
        record = {
            "job": self._order.job,
            "seed": self._order.edit["seed"],
            "attempt": self._order.attempt,
            "lower": self._order.lower,
            "model_hash": "0" * 64,
            "inputs": {
                f"{f.role}.{f.index}" if f.role == "object_mask" else f.role: f.sha256 for f in self._order.frames
            },
            "phases": {phase: 0.01 for phase, _ in PHASES},
            "unet_forwards": {"identity": 4, "inversion": 4, "editing": self._steps},
            "cached": {"identity": False, "inversion": False},
        }
        if self._order.edit["kind"] == "caption":
            record["caption"] = "a portrait of a woman with a hat"
        return record


def _hang() -> NoReturn:
    while True:
        time.sleep(60)


def main() -> int:
    """Serve the daemon."""
    time.sleep(float(os.environ.get("S2EDIT_FAKE_START_S", "0")))
    line = link.WorkerLine.open()
    line.start()
    line.say(link.Ready("cpu (fake)"))
    while True:
        order = line.next_order()
        if isinstance(order, link.Run):
            line.say(link.Memory(1 << 30, 1 << 32, order.model.id))
            line.say(Edit(line, order).run())
        elif isinstance(order, link.Unload):
            line.say(link.Memory(0, 5 << 30))
        else:
            return 0


if __name__ == "__main__":
    sys.exit(main())
