"""Light or dark, also where the desktop tells Qt nothing about it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QApplication, QProxyStyle, QStyle, QStyleOption, QWidget

_WINDOW, _BASE, _RAISED = QColor("#2b2d30"), QColor("#1f2123"), QColor("#3a3d41")
_TEXT, _FAINT = QColor("#e8eaed"), QColor("#8c9197")
_ACCENT, _LINK = QColor("#28679f"), QColor("#78b4f0")


def apply(application: QApplication, theme: str) -> None:
    """Use `light` or `dark` instead of what the desktop prefers."""
    dark = theme == "dark"
    hints = application.styleHints()
    hints.setColorScheme(Qt.ColorScheme.Dark if dark else Qt.ColorScheme.Light)
    palette = application.palette()
    is_dark = (
        palette.color(QPalette.ColorRole.Window).lightness() < palette.color(QPalette.ColorRole.WindowText).lightness()
    )
    if dark != is_dark:
        # Without a desktop's theme plug-in Qt keeps its light palette; Fusion draws everything from the palette.
        application.setStyle(Outlined("Fusion") if dark else "Fusion")
        application.setPalette(dark_palette() if dark else application.style().standardPalette())


class Outlined(QProxyStyle):
    """Fusion draws outlines darker than the window, which nobody sees in the dark: these can be seen (WCAG 1.4.11)."""

    def drawPrimitive(
        self,
        element: QStyle.PrimitiveElement,
        option: QStyleOption,
        painter: QPainter,
        widget: QWidget | None = None,
    ) -> None:
        """A check box with its edge."""
        super().drawPrimitive(element, option, painter, widget)
        if element == QStyle.PrimitiveElement.PE_IndicatorCheckBox:
            _edge(option, painter)

    def drawControl(
        self, element: QStyle.ControlElement, option: QStyleOption, painter: QPainter, widget: QWidget | None = None
    ) -> None:
        """A progress bar with its edge."""
        super().drawControl(element, option, painter, widget)
        if element == QStyle.ControlElement.CE_ProgressBarGroove:
            _edge(option, painter)


def _edge(option: QStyleOption, painter: QPainter) -> None:
    painter.save()
    painter.setPen(_FAINT)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(option.rect.adjusted(0, 0, -1, -1))
    painter.restore()


def dark_palette() -> QPalette:
    """Colours with a contrast of at least 4.5:1 for text (WCAG 2.2, 1.4.3), faint ones excepted."""
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    palette = QPalette(_RAISED, _WINDOW)
    for name, colour in (
        (role.Base, _BASE),
        (role.AlternateBase, _RAISED),
        (role.ToolTipBase, _RAISED),
        (role.WindowText, _TEXT),
        (role.Text, _TEXT),
        (role.ButtonText, _TEXT),
        (role.ToolTipText, _TEXT),
        (role.HighlightedText, _TEXT),
        (role.PlaceholderText, _FAINT),
        (role.Highlight, _ACCENT),
        (role.Link, _LINK),
        (role.LinkVisited, _LINK),
    ):
        palette.setColor(name, colour)
    for name in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(group.Disabled, name, _FAINT)
    return palette
