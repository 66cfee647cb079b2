"""How long the plug-in keeps Krita's own thread while an edit goes its way."""

from __future__ import annotations

import sys
import time
from types import FrameType
from typing import Any

from stage import OBJECT, Scene, document_with, edit, layer, select

LARGE = 1_024
COPIES = frozenset({"read", "glance", "coverage", "add_result", "png_of_layer"})
"""The plug-in's functions that copy pixels: meanwhile Krita may be kept waiting."""
SETTLED_S = 2.0


class Stopwatch:
    """A profile function: processor time of every call from Qt into the plug-in, what copies pixels not counted.

    Processor time and not the clock's, since other programs are not the plug-in's doing.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[float, str]] = []
        self._outer: FrameType | None = None
        self._copy: FrameType | None = None
        self._since = self._copying_since = self._copied = 0.0

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            self._enter(frame)
        elif event == "return":
            self._leave(frame)

    def _enter(self, frame: FrameType) -> None:
        code = frame.f_code
        if "s2edit_krita" not in code.co_filename:
            return
        if self._outer is None:
            self._outer, self._copied, self._since = frame, 0.0, time.thread_time()
        elif self._copy is None and code.co_name in COPIES:
            self._copy, self._copying_since = frame, time.thread_time()

    def _leave(self, frame: FrameType) -> None:
        if frame is self._copy:
            self._copy, self._copied = None, self._copied + time.thread_time() - self._copying_since
        elif frame is self._outer:
            code = frame.f_code
            took = time.thread_time() - self._since - self._copied
            self.calls.append((1_000 * took, f"{code.co_filename.rpartition('/')[2]}:{code.co_qualname}"))
            self._outer = None


def scene_frames(docker: Any) -> Scene:
    """A whole edit, from the words to the layer: what each call from Qt took, in milliseconds."""
    document = document_with(docker, side=LARGE)
    node = layer(document, "Picture", OBJECT, side=LARGE)
    select(document, docker, (300, 300, 300, 300))
    watch = Stopwatch()
    sys.setprofile(watch)
    try:
        docker.form.target.setText("a portrait of a woman with a bow")
        yield from edit(docker, document, node)
        stop = time.monotonic() + SETTLED_S
        yield lambda: time.monotonic() > stop
    finally:
        sys.setprofile(None)
    watch.calls.sort(reverse=True)
    seen = [took for took, name in watch.calls if name.endswith("Menus.eventFilter")]
    return {
        "calls": len(watch.calls),
        "longest": [[round(took, 2), name] for took, name in watch.calls[:12]],
        "events": [len(seen), round(sum(seen) / max(1, len(seen)), 4)],
    }
