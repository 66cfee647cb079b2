"""A result for a picture that was changed meanwhile: what its layer shows now, and the result at another size."""

from __future__ import annotations

from typing import Any, TypeAlias

from krita import Krita
from s2edit_editor.blue_first import DEPTHS, to_krita, to_wire
from s2edit_editor.pixels import Box, Picture
from s2edit_editor.place import Look
from s2edit_editor.samples import as_gray, without_alpha

from .document import bounds, is_costly, read, srgb_profile
from .qt import QByteArray

KritaDocument: TypeAlias = Any
KritaNode: TypeAlias = Any


def looker(document: KritaDocument, node: KritaNode) -> Look:
    """Tells a layer's green at a point; see `place.Look`."""
    box = bounds(node)
    whole = box and box.clipped(document.width(), document.height())
    if whole is None:
        return lambda _x, _y: None
    depth = DEPTHS["U8"]
    copied = read(document, node, whole, depth).data if is_costly(document, node) else b""

    def look(x: int, y: int) -> int | None:
        point = Box(x, y, 1, 1)
        if not whole.holds(point):
            return None
        if copied:
            return copied[4 * ((y - whole.y) * whole.width + x - whole.x) + 1]
        return read(document, node, point, depth).data[1]

    return look


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
