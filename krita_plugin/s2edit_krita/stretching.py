"""A result for a picture that was changed meanwhile: what its layer shows now, and the result at another size."""

from __future__ import annotations

from typing import Any, TypeAlias

from krita import Krita
from s2edit_editor.pixels import Box
from s2edit_editor.place import Look

from .document import area, is_costly, read, srgb_profile
from .layers import Patch
from .pixels import DEPTHS, alpha_as_layer, to_krita, to_wire
from .qt import QByteArray

KritaDocument: TypeAlias = Any
KritaNode: TypeAlias = Any


def looker(document: KritaDocument, node: KritaNode | None) -> Look:
    """Tells a layer's green at a point; see `place.Look`."""
    if node is None:
        return lambda _x, _y: None
    whole, depth = area(document, node), DEPTHS["U8"]
    copied = read(document, node, whole, depth).data if is_costly(document, node) else b""

    def look(x: int, y: int) -> int | None:
        point = Box(x, y, 1, 1)
        if not whole.holds(point):
            return None
        if copied:
            return copied[4 * ((y - whole.y) * whole.width + x - whole.x) + 1]
        return read(document, node, point, depth).data[1]

    return look


def stretched(patch: Patch, box: Box) -> Patch:
    """The patch at the size of the box, by Krita's own scaling."""
    _, _, width, height = patch.box
    scratch = Krita.instance().createDocument(
        width, height, "S²Edit", "RGBA", patch.depth.working, srgb_profile(), 72.0
    )
    scratch.setBatchmode(True)
    try:
        planes = []
        for data in (to_krita(patch.depth, patch.colour, patch.channels), alpha_as_layer(patch.depth, patch.alpha)):
            node = scratch.createNode("S²Edit", "paintlayer")
            node.setPixelData(QByteArray(bytes(data)), 0, 0, width, height)
            scratch.rootNode().addChildNode(node, None)
            planes.append(node)
        scratch.scaleImage(box.width, box.height, 72, 72, "Bicubic")
        scratch.waitForDone()
        size = Box(0, 0, box.width, box.height)
        colour, alpha = (bytes(to_wire(patch.depth, bytes(node.pixelData(*size)))) for node in planes)
    finally:
        scratch.setModified(False)
        scratch.close()
    item = patch.depth.bytes_a_pixel // 4
    return Patch(box, patch.depth, _channels(colour, item, (0, 1, 2)), 3, _channels(alpha, item, (3,)))


def _channels(rgba: bytes, item: int, kept: tuple[int, ...]) -> bytes:
    """Some of four channels, of samples of `item` bytes."""
    out = bytearray(len(rgba) // 4 * len(kept))
    for place, channel in enumerate(kept):
        for byte in range(item):
            out[place * item + byte :: len(kept) * item] = rgba[channel * item + byte :: 4 * item]
    return bytes(out)
