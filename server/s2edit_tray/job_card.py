"""How a job looks in the list: before and after, prompts, phase with progress, time left, place in the queue."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from . import theme
from .job_words import headline, origin, state_line, title
from .jobs_model import JOB_ROLE
from .text import isolated
from .thumbnails import Thumbnails

_PICTURE = 72
_GAP = 8
_BAR = 6
_BAR_LENGTH = 360

Index = QModelIndex | QPersistentModelIndex


class JobCard(QStyledItemDelegate):
    """Paints one job; all geometry follows from the font and `_PICTURE`."""

    def __init__(self, thumbnails: Thumbnails) -> None:
        super().__init__(thumbnails)
        self._thumbnails = thumbnails

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Room for two pictures and four lines of text."""
        lines = option.fontMetrics.lineSpacing() * 4 + _BAR + 3 * _GAP
        return QSize(2 * _PICTURE + 260, max(_PICTURE + 2 * _GAP, lines))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw background, pictures and text, mirrored for right-to-left languages."""
        job = index.data(JOB_ROLE)
        style = option.widget.style() if option.widget else QApplication.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        painter.fillRect(option.rect.adjusted(0, option.rect.height() - 1, 0, 0), option.palette.alternateBase())
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
        # A desktop's own colours for what is selected leave no contrast to give away.
        weak.setAlphaF(1.0 if selected else 0.7)
        failed = job["state"] == "failed"
        line = option.fontMetrics.lineSpacing()
        # The painter itself mirrors this for languages written from the right.
        side = Qt.AlignmentFlag.AlignLeft
        font = painter.font()
        # Why it failed, and what to do about it, is worth more here than what the picture showed.
        faint = [headline(job)] if failed else [text for text in (origin(job), headline(job)) if text]
        texts = [(title(job), True, strong), *((text, False, weak) for text in faint)]
        for number, (text, bold, colour) in enumerate(texts):
            font.setBold(bold)
            painter.setFont(font)
            painter.setPen(colour)
            place = QRect(area.left(), area.top() + number * line, area.width(), line)
            shown = painter.fontMetrics().elidedText(isolated(text), Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, side | Qt.AlignmentFlag.AlignVCenter, shown)
        painter.setPen(theme.warning(option.palette) if failed and not selected else strong)
        # Whole lines only; the tool tip has what doesn't fit.
        rest = QRect(area.left(), area.top() + len(texts) * line, area.width(), (4 - len(texts)) * line)
        painter.drawText(rest, side | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap, isolated(state_line(job)))
        if job["state"] == "running":
            bar = QRect(area.left(), area.top() + 4 * line + _GAP // 2, min(area.width(), _BAR_LENGTH), _BAR)
            self._bar(painter, option, QStyle.visualRect(option.direction, area, bar), job)

    def _bar(self, painter: QPainter, option: QStyleOptionViewItem, place: QRect, job: dict[str, Any]) -> None:
        """How far this phase is, by the palette's own colours: styles' bars are as high as two lines."""
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        done = QRect(place)
        done.setWidth(round(place.width() * job["step"] / max(1, job["total"])))
        role = QPalette.ColorRole
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(option.palette.color(role.Highlight if selected else role.AlternateBase).darker(120))
        painter.drawRoundedRect(place, _BAR / 2, _BAR / 2)
        painter.setBrush(option.palette.color(role.HighlightedText if selected else role.Highlight))
        if job["step"]:
            painter.drawRoundedRect(QStyle.visualRect(option.direction, place, done), _BAR / 2, _BAR / 2)
        painter.restore()
