"""Lines to read in a window of their own: a job's log, or the end of the daemon's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from .text import _

TAIL_BYTES = 64 * 1024


def tail(path: Path) -> list[str]:
    """The last lines of a file, of its last 64 KiB at most; one saying so when there is nothing to read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            text = file.read(TAIL_BYTES).decode("utf-8", "replace")
    except OSError:
        text = ""
    return text.splitlines() or [_("The log is empty.")]


class LogWindow(QDialog):
    """Lines, scrolled to the newest one."""

    def __init__(self, title: str, lines: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(720, 420)
        text = QPlainTextEdit("\n".join(lines))
        text.setReadOnly(True)
        text.setAccessibleName(title)
        # Logs are English and read from the left whatever the window's own direction.
        text.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(text)
        layout.addWidget(buttons)
        text.verticalScrollBar().setValue(text.verticalScrollBar().maximum())
