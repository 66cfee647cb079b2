"""The crop as the model will see it, with the masks laid over it: follows the brush."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from s2edit_editor.host import MaskChoice
from s2edit_editor.pixels import Box
from s2edit_wire.errors import WireError

from .document import glance
from .masks import coverage
from .pictures import scaled
from .pixels import coloured_mask
from .qt import QImage, QLabel, QPainter, QPixmap, Qt, QWidget

KritaDocument: TypeAlias = Any
KritaNode: TypeAlias = Any

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

    def show_crop(self, document: KritaDocument, layer: KritaNode, crop: Box, masks: Sequence[MaskChoice]) -> None:
        """Draw the layer's crop and the masks in it."""
        step = max(1, max(crop.width, crop.height) // _SAMPLES)
        _, _, width, height = crop.thinned(step)
        data = bytes(glance(document, layer, crop, step))
        image = QImage(data, width, height, width * 4, QImage.Format.Format_RGBA8888).copy()
        painter = QPainter(image)
        painter.setOpacity(0.55)
        for source in masks:
            try:
                tinted = bytes(coloured_mask(coverage(document, source, crop, step), _TINT))
            except WireError:
                continue  # nothing painted yet
            overlay = QImage(tinted, width, height, width * 4, QImage.Format.Format_ARGB32)
            painter.drawImage(0, 0, overlay)
        painter.end()
        self.setPixmap(QPixmap.fromImage(scaled(image, SIDE)))
        self.show()
