"""What a result has to hold where its source is seen through a mask, faintly, or in another mode than Normal.

`s2edit_editor.delivery` says why: the colours that Krita itself would show if the source were the result.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from s2edit_editor.blue_first import Own, alpha_planes, opaque, with_alpha
from s2edit_editor.pixels import Box
from s2edit_editor.turns import BAND, Work

from .document import MASK_TYPES, drawn, node_by_mark, node_mark, settled
from .history import kept
from .qt import QByteArray

KritaDocument: TypeAlias = Any
KritaNode: TypeAlias = Any


def own_alpha(node: KritaNode, box: Box) -> Own:
    """Where a layer has pixels of its own, whatever its masks hide."""
    take = node.pixelData if node.type() == "paintlayer" else node.projectionPixelData
    return Own.of(bytes(take(*box)), node.colorDepth(), box.width * box.height)


def see_through(document: KritaDocument, source: KritaNode, layer: KritaNode, box: Box) -> Work[None]:
    """Give a layer the colours with which the source's group would show it in the source's place.

    Args:
        source: the edited layer.
        layer: an unattached one in the document's colour space, opaque in the box, with the new colours.
    """
    copy = document.clone()
    copy.setBatchmode(True)
    try:
        for mark in kept(document).register().masks:
            painted = node_by_mark(copy, mark)
            if painted is not None:
                painted.setVisible(False)
        twin = node_by_mark(copy, node_mark(source))
        assert twin is not None, "a clone has all layers, under the same ids"
        if twin.type() == "grouplayer" and twin.passThroughMode():
            twin.setPassThroughMode(False)  # only then it has a picture of its own
            yield from drawn(copy)
        other = yield from _stand_in(copy, twin, layer, box)
        yield
        owner = _only_below(copy, other)
        twin.setVisible(False)
        copy.crop(*box)  # which draws all anew
        yield
        yield from settled(copy)
        take = copy.pixelData if owner is None else owner.projectionPixelData
        for band in Box(0, 0, box.width, box.height).bands(BAND):
            seen = opaque(bytes(take(*band)), copy.colorDepth(), band.width * band.height)
            layer.setPixelData(QByteArray(seen), *band.out_of(box))
            yield
    finally:
        copy.setModified(False)
        copy.close()


def _stand_in(copy: KritaDocument, twin: KritaNode, colours: KritaNode, box: Box) -> Work[KritaNode]:
    """A layer over the source's twin that has the new colours and is seen just like it."""
    other = copy.createNode("S²Edit", "paintlayer")
    for band in box.bands(BAND):
        size = band.width * band.height
        shown = alpha_planes(bytes(twin.projectionPixelData(*band)), copy.colorDepth(), size)
        other.setPixelData(QByteArray(with_alpha(bytes(colours.pixelData(*band)), shown, size)), *band)
        yield
    other.setOpacity(twin.opacity())
    other.setBlendingMode(twin.blendingMode())
    other.setInheritAlpha(twin.inheritAlpha())
    twin.parentNode().addChildNode(other, twin)
    return other


def _only_below(copy: KritaDocument, node: KritaNode) -> KritaNode | None:
    """Hide all that lies over the node; returns the group whose picture it is part of, None for the whole picture."""
    while True:
        parent = node.parentNode()
        above = False
        for child in parent.childNodes():
            if above:
                child.setVisible(False)
            above = above or node_mark(child) == node_mark(node)
        if node_mark(parent) == node_mark(copy.rootNode()):
            return None
        for mask in parent.childNodes():
            if mask.type() in MASK_TYPES:
                mask.setVisible(False)
        if not parent.passThroughMode():
            return parent
        parent.setOpacity(255)
        node = parent
