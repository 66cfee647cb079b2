"""The wheel scrolls the docker: it turns a number or a choice only where somebody has clicked first."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from typing import Any

from .qt import QEvent, QObject, Qt, QWidget


class _Guard(QObject):
    """Sends the wheel on from a field without the cursor to what is around it."""

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Whether the field shall not see the event."""
        passed_on = event.type() == QEvent.Type.Wheel and not watched.hasFocus()
        if passed_on:
            event.ignore()
        return passed_on


def scrolls_by(*boxes: QWidget) -> None:
    """Let these number fields and choices alone when the wheel only passes over them."""
    for box in boxes:
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        box.installEventFilter(_Guard(box))
