"""The crop as the model will see it, with the masks laid over it: follows the brush."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Sequence

from s2edit_editor.host import Host, MaskChoice
from s2edit_editor.pixels import Box, coloured
from s2edit_wire.errors import WireError

from .pictures import image_of, scaled
from .qt import QImage, QLabel, QPainter, QPixmap, Qt, QWidget

SIDE = 150
_SAMPLES = 2 * SIDE
"""Pixels looked at along the longer side, however large the crop is: copying more would be felt while painting."""
_TINT = (60, 60, 255)


class MaskPreview(QLabel):
    """A small picture; empty when there is nothing to show."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("s2edit_preview")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hide()

    def show_crop(self, host: Host, layer: str, crop: Box, masks: Sequence[MaskChoice]) -> None:
        """Draw the layer's crop and the masks in it."""
        step = max(1, max(crop.width, crop.height) // _SAMPLES)
        image = image_of(host.glance(layer, crop, step))
        painter = QPainter(image)
        painter.setOpacity(0.55)
        for choice in masks:
            try:
                tinted = bytes(coloured(host.coverage(choice, crop, step), _TINT))
            except WireError:
                continue  # gone meanwhile
            width, height = image.width(), image.height()
            painter.drawImage(0, 0, QImage(tinted, width, height, width * 4, QImage.Format.Format_ARGB32))
        painter.end()
        self.setPixmap(QPixmap.fromImage(scaled(image, SIDE)))
        self.show()
