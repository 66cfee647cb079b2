"""What the plug-in does in each call from Qt while an edit goes its way: how long, and how many bytes of pixels."""

from __future__ import annotations

import os
import sys
import time
from inspect import CO_GENERATOR
from types import CodeType
from typing import Any

from PyQt5.QtWidgets import QApplication
from stage import OBJECT, Scene, document_with, edit, layer, select

LARGE, MARKED = 1_024, 512
"""Pixels a side of the picture, and at most of what is marked in it: of a larger one, it is a part."""
SETTLED_S = 2.0
_PARTS = 6
"""The longest of the calls within a call that are told."""


class Ledger:
    """Every call from Qt into the plug-in: its processor time, and the bytes that the plug-in's functions gave back.

    Processor time and not the clock's, since other programs are not the plug-in's doing; Python's own monitoring and no
    profile function, since that would be called for each step of each generator and be measured with them. The bytes
    are all that its functions return within the call: each is a copy that was made there.
    """

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self._inside: list[tuple[CodeType, float]] = []
        self._bytes = 0
        self._parts: list[tuple[float, str]] = []
        self._monitoring: Any = vars(sys)["monitoring"]  # Python 3.12's, which the type checkers' 3.11 lacks

    def start(self) -> None:
        """From now on."""
        tool, events = self._monitoring.PROFILER_ID, self._monitoring.events
        self._monitoring.use_tool_id(tool, "s2edit frames")
        self._monitoring.register_callback(tool, events.PY_START, self._entered)
        self._monitoring.register_callback(tool, events.PY_RETURN, self._left)
        self._monitoring.register_callback(tool, events.PY_UNWIND, self._left)
        self._monitoring.set_events(tool, events.PY_START | events.PY_RETURN | events.PY_UNWIND)

    def stop(self) -> None:
        """That was all."""
        self._monitoring.set_events(self._monitoring.PROFILER_ID, 0)
        self._monitoring.free_tool_id(self._monitoring.PROFILER_ID)

    def _entered(self, code: CodeType, _offset: int) -> Any:
        if not _counts(code):
            return self._monitoring.DISABLE
        if not self._inside:
            self._bytes, self._parts = 0, []
        self._inside.append((code, time.thread_time()))
        return None

    def _left(self, code: CodeType, _offset: int, given: object) -> None:
        if not self._inside or not _counts(code):
            return
        _, since = self._inside.pop()
        took, place = 1_000 * (time.thread_time() - since), f"{code.co_filename.rpartition('/')[2]}:{code.co_qualname}"
        if isinstance(given, (bytes, bytearray)):
            self._bytes += len(given)
        if self._inside:
            self._parts.append((round(took, 2), place))
            return
        longest = sorted(self._parts, reverse=True)[:_PARTS]
        self.calls.append({"ms": round(took, 3), "bytes": self._bytes, "place": place, "parts": longest})


def _counts(code: CodeType) -> bool:
    """A function of the plug-in; no generator, which may be left half-way and is part of who runs it."""
    return "/pykrita/s2edit_krita/" in code.co_filename and not code.co_flags & CO_GENERATOR


def scene_frames(docker: Any) -> Scene:
    """A whole edit, from the words to the layer, and a look at a variation: what each call from Qt did."""
    side = int(os.environ.get("S2EDIT_FRAMES_SIDE", LARGE))
    document = document_with(docker, side=side)
    node = layer(document, "Picture", OBJECT, side=side)
    marked = min(side // 4, MARKED)
    select(document, docker, (side // 4, side // 4, marked, marked))
    ledger = Ledger()
    ledger.start()
    try:
        docker.form.target.setText("a portrait of a woman with a bow")
        yield from edit(docker, document, node)
        known, order = set(docker.desk.book.all), docker.form.order()
        docker.submit(order, order.wish.variations([], 2, []))
        yield lambda: len([job for job in docker.previewed.waiting()[0] if job not in known]) == 2
        docker.previewed.step(1)
        yield lambda: any(one.objectName() == "s2edit_overlay" for one in QApplication.allWidgets())
        stop = time.monotonic() + SETTLED_S
        yield lambda: time.monotonic() > stop
    finally:
        ledger.stop()
    return ledger.calls
