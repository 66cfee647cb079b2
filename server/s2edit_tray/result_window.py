"""A finished edit in a window of its own: before, after, a slider between the two, and "Save as…"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QMessageBox, QSlider, QVBoxLayout, QWidget

from .text import _


def result_image(frames: Sequence[dict[str, Any]], data: Sequence[memoryview | bytearray]) -> QImage:
    """The `patch` frame with the `alpha` frame as its transparency, 8 bits a channel, for looking at."""
    pictures = {entry["role"]: _eight_bit(entry, bytes(raw)) for entry, raw in zip(frames, data, strict=True)}
    patch = pictures["patch"].convertToFormat(QImage.Format.Format_RGBA8888)
    alpha = pictures.get("alpha")
    if alpha is not None:
        patch.setAlphaChannel(alpha)
    return patch


def _eight_bit(entry: dict[str, Any], raw: bytes) -> QImage:
    height, width, channels = entry["shape"]
    if entry["dtype"] == "u2":
        raw = raw[1::2]
    elif entry["dtype"] == "f4":
        raw = bytes(min(255, max(0, round(value * 255))) for value in memoryview(raw).cast("f"))
    if channels == 2:
        raw, channels = raw[::2], 1
    formats = {1: QImage.Format.Format_Grayscale8, 3: QImage.Format.Format_RGB888, 4: QImage.Format.Format_RGBA8888}
    return QImage(raw, width, height, width * channels, formats[channels]).copy()


class Comparison(QWidget):
    """The edit over the source, up to a vertical line."""

    def __init__(self, before: QImage, after: QImage) -> None:
        super().__init__()
        self._before, self._after = before, after
        self.share = 100
        self.setMinimumSize(QSize(384, 384))
        self.setAccessibleName(_("Before and after"))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw both pictures fitted into the widget."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        fitted = self._after.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(0, 0, fitted.width(), fitted.height())
        place.moveCenter(self.rect().center())
        painter.drawImage(place, self._before)
        painter.setClipRect(place.adjusted(0, 0, -round(place.width() * (100 - self.share) / 100), 0))
        painter.drawImage(place, self._after)


class ResultWindow(QDialog):
    """One result.

    Args:
        title: the target prompt.
        before: the source as far as it is known (a thumbnail will do).
        after: the edit with its transparency.
    """

    def __init__(self, title: str, before: QImage, after: QImage, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"S²Edit: {title}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._after = after
        comparison = Comparison(before, after)
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, 100)
        slider.setValue(100)
        slider.setAccessibleName(_("How much of the edit to show"))

        def slide(share: int) -> None:
            comparison.share = share
            comparison.update()

        slider.valueChanged.connect(slide)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Close)
        buttons.accepted.connect(self._save)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(comparison, 1)
        layout.addWidget(slider)
        layout.addWidget(buttons)

    def _save(self) -> None:
        path, _filter = QFileDialog.getSaveFileName(self, _("Save the edit"), "s2edit.png", "PNG (*.png)")
        if path and not self._after.save(path, b"PNG"):
            QMessageBox.warning(self, "S²Edit", _("The picture could not be saved there. Choose another folder."))
