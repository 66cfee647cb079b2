"""Small pictures: thumbnails and previews as Qt images."""

from __future__ import annotations

from typing import Any, TypeAlias

from s2edit_editor.pixels import Box, Picture

from .qt import QBuffer, QByteArray, QImage, Qt

KritaNode: TypeAlias = Any

THUMBNAIL = 96


def image_of(picture: Picture) -> Any:
    """An 8-bit picture of 1, 3 or 4 channels as a QImage that owns its pixels; a null image for anything else."""
    formats = {1: QImage.Format.Format_Grayscale8, 3: QImage.Format.Format_RGB888, 4: QImage.Format.Format_RGBA8888}
    if picture.dtype != "u1" or picture.channels not in formats:
        return QImage()
    width, height, channels = picture.width, picture.height, picture.channels
    return QImage(bytes(picture.data), width, height, width * channels, formats[channels]).copy()


def png_of_layer(layer: KritaNode, box: Box) -> bytes:
    """The small picture of a layer that fills the box, without its masks: at most `THUMBNAIL` pixels a side."""
    scale = THUMBNAIL / max(box.width, box.height)
    return png(layer.thumbnail(max(1, round(box.width * scale)), max(1, round(box.height * scale))))


def png(image: Any) -> bytes:
    """A QImage as PNG."""
    held = QByteArray()
    buffer = QBuffer(held)
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    buffer.close()
    return bytes(held)


def scaled(image: Any, side: int) -> Any:
    """The image, shrunk or enlarged to fit a square."""
    return image.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
