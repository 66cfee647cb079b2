"""A result for a picture that was scaled meanwhile."""

from __future__ import annotations

from typing import Any, TypeAlias

from krita import Krita
from s2edit_editor.blue_first import DEPTHS, to_krita, to_wire
from s2edit_editor.pixels import Picture
from s2edit_editor.samples import as_gray, without_alpha

from .document import srgb_profile
from .qt import QByteArray

KritaDocument: TypeAlias = Any
KritaNode: TypeAlias = Any


def stretched(picture: Picture, width: int, height: int) -> Picture:
    """A picture of 1 or 3 channels at another size, by Krita's own scaling."""
    depth = next(one for one in DEPTHS.values() if one.dtype == picture.dtype)
    scratch = Krita.instance().createDocument(
        picture.width, picture.height, "S²Edit", "RGBA", depth.working, srgb_profile(), 72.0
    )
    scratch.setBatchmode(True)
    try:
        node = scratch.createNode("S²Edit", "paintlayer")
        data = QByteArray(bytes(to_krita(depth, picture.data, picture.channels)))
        node.setPixelData(data, 0, 0, picture.width, picture.height)
        scratch.rootNode().addChildNode(node, None)
        scratch.scaleImage(width, height, 72, 72, "Bicubic")
        scratch.waitForDone()
        rgba = to_wire(depth, bytes(node.pixelData(0, 0, width, height)))
    finally:
        scratch.setModified(False)
        scratch.close()
    colour = without_alpha(Picture(width, height, 4, picture.dtype, rgba))
    return as_gray(colour) if picture.channels == 1 else colour
