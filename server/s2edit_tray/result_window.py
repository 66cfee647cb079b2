"""A finished edit in a window of its own: before, after, a slider between the two, and "Save as…"."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QRect, QSize, Qt
from PySide6.QtGui import QImage, QImageWriter, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QSlider,
    QVBoxLayout,
    QWidget,
)
from s2edit_marks import embedding

from .connection import VERSION
from .text import _

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def result_image(frames: Sequence[dict[str, Any]], data: Sequence[memoryview | bytearray]) -> QImage:
    """The `patch` frame with the `alpha` frame as its transparency, 8 bits a channel, not premultiplied.

    By arithmetic of its own, since `QImage.setAlphaChannel` premultiplies, which spoils colours where alpha is low.
    """
    # Not at the top: the tray starts without NumPy.
    import numpy as np

    pictures = {entry["role"]: _eight_bit(entry, bytes(raw)) for entry, raw in zip(frames, data, strict=True)}
    patch = pictures["patch"]
    height, width, channels = patch.shape
    shown = np.full((height, width, 4), 255, np.uint8)
    shown[:, :, :3] = patch[:, :, :3] if channels >= 3 else patch[:, :, :1]
    for alpha in (patch[:, :, -1] if channels in (2, 4) else None, pictures.get("alpha")):
        if alpha is not None:
            product = shown[:, :, 3].astype(np.uint16) * alpha.reshape(height, width)
            shown[:, :, 3] = (product + 127) // 255
    return QImage(shown.tobytes(), width, height, width * 4, QImage.Format.Format_RGBA8888).copy()


def _eight_bit(entry: dict[str, Any], raw: bytes) -> NDArray[np.uint8]:
    """The frame as height x width x channels, uint8."""
    import numpy as np

    pixels: NDArray[Any] = np.frombuffer(raw, np.dtype(f"<{entry['dtype']}")).reshape(entry["shape"])
    if entry["dtype"] == "u2":
        pixels = (pixels.astype(np.uint32) * 255 + 32_767) // 65_535
    elif entry["dtype"] == "f4":
        pixels = np.rint(np.nan_to_num(pixels).clip(0, 1) * 255)
    return pixels.astype(np.uint8)


def save_marked(image: QImage, path: Path) -> bool:
    """Save a result as a PNG that says that a model made it; whether that could be done. All or nothing."""
    name = ""
    try:
        descriptor, name = tempfile.mkstemp(prefix=".s2edit-", dir=path.parent)
        os.close(descriptor)
        # Not `QImage.save`, which (PySide6 6.11) refuses the bytes that its own signature asks for.
        if not QImageWriter(name, QByteArray(b"PNG")).write(image):
            return False
        embedding.mark_file(Path(name), VERSION)
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    except (OSError, embedding.CannotEmbed):
        return False
    finally:
        if name:
            Path(name).unlink(missing_ok=True)
    return True


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


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
        # The picture is the same in every language, and so is the side from which the edit comes.
        scale = QWidget()
        scale.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        slider.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        row = QHBoxLayout(scale)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (QLabel(_("Before")), slider, QLabel(_("After"))):
            row.addWidget(widget)

        def slide(share: int) -> None:
            comparison.share = share
            comparison.update()

        slider.valueChanged.connect(slide)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Close)
        buttons.accepted.connect(self._save)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(comparison, 1)
        layout.addWidget(scale)
        layout.addWidget(buttons)

    def _save(self) -> None:
        path, _filter = QFileDialog.getSaveFileName(self, _("Save the edit"), "s2edit.png", "PNG (*.png)")
        if path and not save_marked(self._after, Path(path)):
            QMessageBox.warning(self, "S²Edit", _("The picture could not be saved there. Choose another folder."))
