"""A field for a sentence that may go over several lines."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from typing import Any

from .qt import QEvent, QPlainTextEdit, Qt, QWidget, pyqtSignal

_LINES = 2
"""Lines that are seen; more are scrolled to, so that nothing moves while somebody types."""
_SPARE = 1
"""Pixels for a mark's line, which else would bring a bar along."""
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class PromptEdit(QPlainTextEdit):
    """Enter begins a new line, which models don't know of; with Ctrl or Shift it sends.

    Signals:
        submitted().
    """

    submitted = pyqtSignal()

    def __init__(self, placeholder: str, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setPlaceholderText(placeholder)
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        frame = 2 * (self.frameWidth() + round(self.document().documentMargin()) + _SPARE)
        self.setFixedHeight(_LINES * self.fontMetrics().lineSpacing() + frame)

    def text(self) -> str:
        """What is typed."""
        return str(self.toPlainText())

    def setText(self, text: str) -> None:
        """Put a text in, with the cursor at its end."""
        self.setPlainText(text)

    def event(self, event: Any) -> bool:
        """Before Krita takes the keys for a shortcut of its own."""
        if event.type() == QEvent.Type.ShortcutOverride and _sends(event):
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: Any) -> None:
        """See the class."""
        if _sends(event):
            self.submitted.emit()
        else:
            super().keyPressEvent(event)


def _sends(event: Any) -> bool:
    held = event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    return event.key() in _ENTER and bool(held)
