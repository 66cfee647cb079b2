"""How a job looks in the list: before and after, prompts, phase with progress, time left, place in the queue."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionProgressBar, QStyleOptionViewItem

from .job_words import headline, state_line, title
from .jobs_model import JOB_ROLE
from .text import isolated
from .thumbnails import Thumbnails

_PICTURE = 72
_GAP = 8
_BAR = 14

Index = QModelIndex | QPersistentModelIndex


class JobCard(QStyledItemDelegate):
    """Paints one job; all geometry follows from the font and `_PICTURE`."""

    def __init__(self, thumbnails: Thumbnails) -> None:
        super().__init__(thumbnails)
        self._thumbnails = thumbnails

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Room for two pictures and four lines of text."""
        lines = option.fontMetrics.lineSpacing() * 3 + _BAR + 2 * _GAP
        return QSize(2 * _PICTURE + 260, max(_PICTURE + 2 * _GAP, lines))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw background, pictures and text, mirrored for right-to-left languages."""
        job = index.data(JOB_ROLE)
        style = option.widget.style() if option.widget else QApplication.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        area = option.rect.adjusted(_GAP, _GAP, -_GAP, -_GAP)
        pictures = self._thumbnails.of(job)
        for number, role in enumerate(("image", "preview")):
            place = QRect(area.left() + number * (_PICTURE + _GAP), area.top(), _PICTURE, _PICTURE)
            self._picture(painter, option, place, pictures.get(role))
        text = area.adjusted(2 * (_PICTURE + _GAP) + _GAP, 0, 0, 0)
        self._text(painter, option, QStyle.visualRect(option.direction, area, text), job)

    def _picture(self, painter: QPainter, option: QStyleOptionViewItem, place: QRect, picture: QPixmap | None) -> None:
        area = option.rect.adjusted(_GAP, _GAP, -_GAP, -_GAP)
        place = QStyle.visualRect(option.direction, area, place)
        if picture is None or picture.isNull():
            painter.fillRect(place, option.palette.color(QPalette.ColorRole.AlternateBase))
            return
        fitted = picture.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
        # Scaled as it is painted, so that a screen with several dots to the pixel gets all that the picture has.
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(QStyle.alignedRect(option.direction, Qt.AlignmentFlag.AlignCenter, fitted, place), picture)

    def _text(self, painter: QPainter, option: QStyleOptionViewItem, area: QRect, job: dict[str, Any]) -> None:
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        strong = option.palette.color(QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text)
        weak = QColor(strong)
        weak.setAlphaF(0.7)
        line = option.fontMetrics.lineSpacing()
        # The painter itself mirrors this for languages written from the right.
        side = Qt.AlignmentFlag.AlignLeft
        font = painter.font()
        texts = ((title(job), True, strong), (headline(job), False, weak))
        for number, (text, bold, colour) in enumerate(texts):
            font.setBold(bold)
            painter.setFont(font)
            painter.setPen(colour)
            place = QRect(area.left(), area.top() + number * line, area.width(), line)
            shown = painter.fontMetrics().elidedText(isolated(text), Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, side | Qt.AlignmentFlag.AlignVCenter, shown)
        painter.setPen(strong)
        # Why a job failed and what to do about it may take more than a line; the tool tip has what doesn't fit.
        rest = QRect(area.left(), area.top() + 2 * line, area.width(), area.height() - 2 * line)
        painter.drawText(rest, side | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap, isolated(state_line(job)))
        if job["state"] == "running":
            bar = QRect(area.left(), area.top() + 3 * line + 4, min(area.width(), 360), _BAR)
            self._bar(painter, option, QStyle.visualRect(option.direction, area, bar), job)

    def _bar(self, painter: QPainter, option: QStyleOptionViewItem, place: QRect, job: dict[str, Any]) -> None:
        bar = QStyleOptionProgressBar()
        bar.rect = place
        bar.palette = option.palette
        bar.direction = option.direction
        bar.minimum, bar.maximum, bar.progress = 0, max(1, job["total"]), job["step"]
        bar.state = QStyle.StateFlag.State_Enabled | QStyle.StateFlag.State_Horizontal
        style = option.widget.style() if option.widget else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ProgressBar, bar, painter, option.widget)
