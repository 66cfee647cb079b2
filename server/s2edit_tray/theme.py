"""Light or dark, also where the desktop tells Qt nothing about it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QApplication, QProxyStyle, QStyle, QStyleOption, QStyleOptionComplex, QWidget

_WINDOW, _BASE, _RAISED = QColor("#2b2d30"), QColor("#1f2123"), QColor("#3a3d41")
_TEXT, _FAINT = QColor("#e8eaed"), QColor("#8c9197")
_ACCENT, _LINK = QColor("#28679f"), QColor("#78b4f0")
_WARNING = {"light": QColor("#b3261e"), "dark": QColor("#f2938c")}
_WARNING_GROUND = {"light": QColor("#fbe3c0"), "dark": QColor("#4f3b1c")}


def apply(application: QApplication, theme: str) -> None:
    """Use `light` or `dark` instead of what the desktop prefers."""
    dark = theme == "dark"
    hints = application.styleHints()
    hints.setColorScheme(Qt.ColorScheme.Dark if dark else Qt.ColorScheme.Light)
    if theme != _kind(application.palette()):
        # Without a desktop's theme plug-in Qt keeps its light palette; Fusion draws everything from the palette.
        application.setStyle(Outlined("Fusion") if dark else "Fusion")
        application.setPalette(dark_palette() if dark else application.style().standardPalette())


def warning(palette: QPalette) -> QColor:
    """The colour of words about what went wrong; can be read (4.5:1) on the palette's base and window."""
    return _WARNING[_kind(palette)]


def warning_ground(palette: QPalette) -> QColor:
    """The colour behind the palette's own words where they warn."""
    return _WARNING_GROUND[_kind(palette)]


def _kind(palette: QPalette) -> str:
    """Whether a palette is `light` or `dark`."""
    window, words = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText)
    return "dark" if window.lightness() < words.lightness() else "light"


class Outlined(QProxyStyle):
    """Fusion draws outlines darker than the window, which nobody sees in the dark: these can be seen (WCAG 1.4.11)."""

    def drawPrimitive(
        self,
        element: QStyle.PrimitiveElement,
        option: QStyleOption,
        painter: QPainter,
        widget: QWidget | None = None,
    ) -> None:
        """A check box, and a field to type into, with its edge."""
        super().drawPrimitive(element, option, painter, widget)
        if element in (QStyle.PrimitiveElement.PE_IndicatorCheckBox, QStyle.PrimitiveElement.PE_FrameLineEdit):
            _edge(option, painter)

    def drawComplexControl(
        self,
        control: QStyle.ComplexControl,
        option: QStyleOptionComplex,
        painter: QPainter,
        widget: QWidget | None = None,
    ) -> None:
        """A number to type or step, with its edge."""
        super().drawComplexControl(control, option, painter, widget)
        if control == QStyle.ComplexControl.CC_SpinBox:
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
