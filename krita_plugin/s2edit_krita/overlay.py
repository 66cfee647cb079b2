"""A result over the canvas, which the document knows nothing of: nothing of it can be saved, merged or undone."""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from typing import Any, TypeAlias

from krita import Krita
from s2edit_editor.blue_first import DEPTHS
from s2edit_editor.host import Insertion
from s2edit_editor.pixels import Box
from s2edit_editor.samples import sampled
from s2edit_editor.turns import BAND, Work

from .document import converted
from .qt import QByteArray, QEvent, QImage, QMdiArea, QPainter, QRectF, Qt, QWidget

KritaDocument: TypeAlias = Any
KritaNode: TypeAlias = Any

_SAMPLES = 2_048
"""Pixels along the longer side that are drawn at most: screens show no more."""


def is_canvas(widget: Any) -> bool:
    """Whether a widget is the inner one of Krita's, on which pictures are drawn, with or without OpenGL."""
    name = str(widget.metaObject().className())
    return name.endswith("Canvas2") or "QPainterCanvas" in name


class Overlay(QWidget):
    """A `host.Previewed` on the canvas of the view in front: drawn over all layers, and deaf to pointer and pen.

    Args:
        image: what is shown (`drawing`). box: where it lies in the picture.
    """

    def __init__(self, image: QImage, box: Box) -> None:
        window = Krita.instance().activeWindow()
        canvas = _canvas(window.qwindow())
        super().__init__(canvas)
        self.over = ""
        self.setObjectName("s2edit_overlay")
        self._view, self._box, self._image = window.activeView(), QRectF(*box), image
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        if canvas is not None:
            canvas.installEventFilter(self)
            self.resize(canvas.size())
            self.show()

    def is_there(self) -> bool:
        """See `host.Previewed`; its canvas may be gone."""
        try:
            return bool(self.isVisible())
        except RuntimeError:
            return False

    def end(self) -> None:
        """See `host.Previewed`."""
        try:
            self.hide()
            self.deleteLater()
        except RuntimeError:
            return

    def eventFilter(self, canvas: Any, event: Any) -> bool:
        """Stays as large as the canvas; swallows nothing."""
        if event.type() == QEvent.Type.Resize:
            self.resize(canvas.size())
        return False

    def paintEvent(self, _event: Any) -> None:
        """Whenever the canvas is drawn, as it lies then: moved, zoomed, turned or mirrored."""
        to_flake, _is_possible = self._view.flakeToImageTransform().inverted()
        painter = QPainter(self)
        painter.setTransform(to_flake * self._view.flakeToCanvasTransform())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(self._box, self._image)
        painter.end()


def _canvas(main: QWidget) -> QWidget | None:
    area = main.findChild(QMdiArea)
    front = area.activeSubWindow() if area is not None else None
    return next(filter(is_canvas, front.findChildren(QWidget)), None) if front is not None else None


def drawing(document: KritaDocument, layer: KritaNode, result: Insertion) -> Work[QImage]:
    """The colours of a result as it was `made` under its mask, thinned, 8 bits a sample."""
    step = max(1, max(result.box.width, result.box.height) // _SAMPLES)
    space, data = (layer.colorModel(), layer.colorDepth(), layer.colorProfile()), bytearray()
    (mask,) = layer.childNodes()
    for rows in result.box.thinned(step).bands(BAND):
        top = rows.y * step
        part = Box(result.box.x, result.box.y + top, result.box.width, min(rows.height * step, result.box.height - top))
        own = QByteArray(sampled(layer.pixelData, part, step))
        colours = bytearray(converted(document, own, rows, space, DEPTHS["U8"]))
        colours[3::4] = sampled(mask.pixelData, part, step)
        data += colours
        yield
    _x, _y, width, height = result.box.thinned(step)
    return QImage(bytes(data), width, height, width * 4, QImage.Format.Format_ARGB32).copy()
