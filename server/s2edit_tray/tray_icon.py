"""The icon in the system tray: drawn, so that it is sharp at any size, with a ring that fills as the job goes on."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPen, QPixmap

SIZES = (16, 22, 32, 48, 64)
BASE = QColor("#3b4252")
RING = QColor("#88c0d0")
ATTENTION = QColor("#bf616a")


def icon(progress: float | None = None, *, attention: bool = False) -> QIcon:
    """The icon: idle (no progress), working (0.0 to 1.0), or with a mark when something needs attention."""
    made = QIcon()
    for side in SIZES:
        made.addPixmap(_pixmap(side, progress, attention))
    return made


def _pixmap(side: int, progress: float | None, attention: bool) -> QPixmap:
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(BASE)
    painter.drawEllipse(QRectF(0, 0, side, side))
    font = QFont()
    font.setBold(True)
    font.setPixelSize(max(8, round(side * 0.5)))
    painter.setFont(font)
    painter.setPen(Qt.GlobalColor.white)
    painter.drawText(QRectF(0, 0, side, side), Qt.AlignmentFlag.AlignCenter, "S²")
    if progress is not None:
        width = max(2.0, side / 9)
        inset = width / 2
        painter.setPen(QPen(RING, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        # Qt counts angles in sixteenths of a degree, anticlockwise from three o'clock.
        painter.drawArc(QRectF(inset, inset, side - width, side - width), 90 * 16, -round(360 * 16 * progress))
    if attention:
        dot = side * 0.4
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ATTENTION)
        painter.drawEllipse(QRectF(side - dot, side - dot, dot, dot))
    painter.end()
    return pixmap
