"""How long the plug-in keeps Krita's own thread while an edit goes its way."""

from __future__ import annotations

import sys
import time
from inspect import CO_GENERATOR
from types import CodeType
from typing import Any

from stage import OBJECT, Scene, document_with, edit, layer, select

LARGE = 1_024
COPIES = frozenset({"read", "glance", "coverage", "add_result", "png_of_layer"})
"""The plug-in's functions that copy pixels: meanwhile Krita may be kept waiting."""
SETTLED_S = 2.0


class Stopwatch:
    """Processor time of every call from Qt into the plug-in, what copies pixels not counted.

    Processor time and not the clock's, since other programs are not the plug-in's doing; Python's own monitoring and no
    profile function, since that would be called for each step of each generator and be measured with them.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[float, str]] = []
        self._inside: list[CodeType] = []
        self._copying = 0
        self._since = self._copying_since = self._copied = 0.0
        self._monitoring: Any = vars(sys)["monitoring"]  # Python 3.12's, which the type checkers' 3.11 lacks

    def start(self) -> None:
        """From now on."""
        tool, events = self._monitoring.PROFILER_ID, self._monitoring.events
        self._monitoring.use_tool_id(tool, "s2edit frames")
        self._monitoring.register_callback(tool, events.PY_START, self._entered)
        for event in (events.PY_RETURN, events.PY_UNWIND):
            self._monitoring.register_callback(tool, event, self._left)
        self._monitoring.set_events(tool, events.PY_START | events.PY_RETURN | events.PY_UNWIND)

    def stop(self) -> None:
        """That was all."""
        self._monitoring.set_events(self._monitoring.PROFILER_ID, 0)
        self._monitoring.free_tool_id(self._monitoring.PROFILER_ID)

    def _entered(self, code: CodeType, _offset: int) -> Any:
        if not _counts(code):
            return self._monitoring.DISABLE
        if not self._inside:
            self._copied, self._copying, self._since = 0.0, 0, time.thread_time()
        self._inside.append(code)
        if not self._copying and code.co_name in COPIES:
            self._copying, self._copying_since = len(self._inside), time.thread_time()
        return None

    def _left(self, code: CodeType, _offset: int, _result: object) -> None:
        if not self._inside or not _counts(code):
            return
        if self._copying == len(self._inside):
            self._copying, self._copied = 0, self._copied + time.thread_time() - self._copying_since
        self._inside.pop()
        if not self._inside:
            took = time.thread_time() - self._since - self._copied
            self.calls.append((1_000 * took, f"{code.co_filename.rpartition('/')[2]}:{code.co_qualname}"))


def _counts(code: CodeType) -> bool:
    """A function of the plug-in; no generator, which may be left half-way and is part of who runs it."""
    return "s2edit_krita" in code.co_filename and not code.co_flags & CO_GENERATOR


def scene_frames(docker: Any) -> Scene:
    """A whole edit, from the words to the layer: what each call from Qt took, in milliseconds."""
    document = document_with(docker, side=LARGE)
    node = layer(document, "Picture", OBJECT, side=LARGE)
    select(document, docker, (300, 300, 300, 300))
    watch = Stopwatch()
    watch.start()
    try:
        docker.form.target.setText("a portrait of a woman with a bow")
        yield from edit(docker, document, node)
        stop = time.monotonic() + SETTLED_S
        yield lambda: time.monotonic() > stop
    finally:
        watch.stop()
    watch.calls.sort(reverse=True)
    seen = [took for took, name in watch.calls if name.endswith("Menus.eventFilter")]
    return {
        "calls": len(watch.calls),
        "longest": [[round(took, 2), name] for took, name in watch.calls[:12]],
        "events": [len(seen), round(sum(seen) / max(1, len(seen)), 4)],
    }
