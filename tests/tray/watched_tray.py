"""The tray as its users start it, telling on its standard output what it shows: one JSON map a line, for each change.

`jobs`: each card's words for a screen reader and its middle on the screen, from the top; `front`: whether GIMP's window
is in front, as far as the tray can tell.
"""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication
from s2edit_tray import foreground
from s2edit_tray.main import main
from s2edit_tray.window import Window

_EVERY_MS = 100


def shown(window: Window, front: bool) -> dict[str, Any]:
    """What is to be seen now."""
    cards, rows = window.jobs_view.list, window.jobs_view.order
    jobs = []
    for row in range(rows.rowCount()):
        index = rows.index(row, 0)
        middle = cards.viewport().mapToGlobal(cards.visualRect(index).center())
        jobs.append({"words": index.data(Qt.ItemDataRole.AccessibleTextRole), "at": [middle.x(), middle.y()]})
    return {"jobs": jobs, "front": front}


def run() -> int:
    """In place of `QApplication.exec`."""
    window = next(widget for widget in QApplication.topLevelWidgets() if isinstance(widget, Window))
    told: list[dict[str, Any]] = []

    ticks = count()
    front = False

    def tell() -> None:
        nonlocal front
        # Asking for the window in front takes two programs, so once a second.
        if next(ticks) % (1_000 // _EVERY_MS) == 0:
            front = foreground.is_editor("gimp")
        now = shown(window, front)
        if told[-1:] != [now]:
            told[:] = [now]
            print(json.dumps(now), flush=True)

    timer = QTimer()
    timer.timeout.connect(tell)
    timer.start(_EVERY_MS)
    return qt_exec()


if __name__ == "__main__":
    qt_exec = QApplication.exec
    QApplication.exec = staticmethod(run)  # type: ignore[method-assign]
    main([])
