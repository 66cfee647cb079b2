"""The crop as the model will see it, with the masks laid over it: follows the brush."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from .document import glance
from .masks import MaskSource, coverage
from .pictures import scaled
from .pixels import Box, coloured_mask
from .qt import QImage, QLabel, QPainter, QPixmap, Qt, QWidget
from .wire import WireError

KritaDocument: TypeAlias = Any
KritaNode: TypeAlias = Any

SIDE = 180
_LARGEST = 2_000_000
"""Pixels of a crop above which the overlay is left out: copying more would be felt while painting."""
_TINT = (60, 60, 255)


class MaskPreview(QLabel):
    """A small picture; empty when there is nothing to show."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("s2edit_preview")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hide()

    def show_crop(self, document: KritaDocument, layer: KritaNode, crop: Box, masks: Sequence[MaskSource]) -> None:
        """Draw the layer's crop and the masks in it."""
        if crop.width * crop.height > _LARGEST:
            self.hide()
            return
        data = bytes(glance(document, layer, crop))
        image = QImage(data, crop.width, crop.height, crop.width * 4, QImage.Format.Format_RGBA8888).copy()
        painter = QPainter(image)
        painter.setOpacity(0.55)
        for source in masks:
            try:
                tinted = bytes(coloured_mask(coverage(document, source, crop), _TINT))
            except WireError:
                continue  # nothing painted yet
            overlay = QImage(tinted, crop.width, crop.height, crop.width * 4, QImage.Format.Format_ARGB32)
            painter.drawImage(0, 0, overlay)
        painter.end()
        self.setPixmap(QPixmap.fromImage(scaled(image, SIDE)))
        self.show()
