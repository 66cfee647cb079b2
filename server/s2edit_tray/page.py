"""What the pages are made of: a column that scrolls where the window is too low for it, headings, a banner."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFormLayout, QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from . import theme
from .text import leading


class Page(QScrollArea):
    """A page of the window; `column` takes what stands on it, from the top."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        body = QWidget()
        self.column = QVBoxLayout(body)
        self.setWidget(body)


def heading(text: str) -> QLabel:
    """A line above what belongs together, away from what stands before it."""
    label = leading(QLabel(text))
    bold = label.font()
    bold.setBold(True)
    label.setFont(bold)
    label.setContentsMargins(0, 12, 0, 0)
    return label


def form() -> QFormLayout:
    """Names beside values, whose fields stand below one another across headings; in a narrow window below the names."""
    made = QFormLayout()
    made.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
    made.setHorizontalSpacing(16)
    made.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return made


class Banner(QLabel):
    """A sentence that everybody should see, on the colour of a warning; hidden as long as it says nothing."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        leading(self)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setMargin(8)
        self.setAutoFillBackground(True)
        self._tint()
        self.hide()

    def say(self, text: str) -> None:
        """Show a sentence, or nothing any more."""
        self.setText(text)
        self.setVisible(bool(text))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the desktop from light to dark."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ApplicationPaletteChange:
            self._tint()

    def _tint(self) -> None:
        palette = QPalette()
        palette.setColor(QPalette.ColorRole.Window, theme.warning_ground(palette))
        self.setPalette(palette)
