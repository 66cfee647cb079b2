"""Small pictures: thumbnails and previews as Qt images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .pixels import samples
from .qt import QBuffer, QByteArray, QImage, Qt

if TYPE_CHECKING:
    from .layers import Patch

THUMBNAIL = 96


def image_of_frame(entry: Mapping[str, Any], data: bytes | bytearray | memoryview) -> Any:
    """An 8-bit frame of 1, 3 or 4 channels as a QImage that owns its pixels; a null image for anything else."""
    height, width, channels = entry["shape"]
    formats = {1: QImage.Format.Format_Grayscale8, 3: QImage.Format.Format_RGB888, 4: QImage.Format.Format_RGBA8888}
    if entry["dtype"] != "u1" or channels not in formats:
        return QImage()
    return QImage(bytes(data), width, height, width * channels, formats[channels]).copy()


def png_of_patch(patch: Patch) -> bytes:
    """A result's small picture: the colours of the crop, at most `THUMBNAIL` pixels a side."""
    box, step = patch.box, max(1, max(patch.box.width, patch.box.height) // THUMBNAIL)
    values = samples(patch.depth, patch.colour)
    scale = 255 / patch.depth.full
    out = bytearray()
    columns = range(0, box.width, step)
    for row in range(0, box.height, step):
        for column in columns:
            at = (row * box.width + column) * patch.channels
            pixel = values[at : at + patch.channels] if patch.channels == 3 else [values[at]] * 3
            out.extend(min(255, max(0, int(value * scale + 0.5))) for value in pixel)
    width = len(columns)
    height = len(out) // (3 * width)
    image = QImage(bytes(out), width, height, width * 3, QImage.Format.Format_RGB888)
    return png(image)


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
