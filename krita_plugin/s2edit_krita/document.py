"""Krita's documents: which are open, what their layers cover, and how their pixels are read.

With `host`, `layers` and `seen` the only place that calls Krita's document API.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from krita import Krita
from s2edit_editor.blue_first import DEPTHS, Depth, to_wire
from s2edit_editor.held import Held
from s2edit_editor.pixels import Box, Picture, around
from s2edit_editor.samples import sampled
from s2edit_editor.text import _ as tr
from s2edit_editor.turns import BAND, Work, at_once
from s2edit_wire.errors import WireError

from .history import kept
from .qt import QByteArray, QUuid

KritaDocument: TypeAlias = Any
KritaNode: TypeAlias = Any
Space: TypeAlias = tuple[str, str, str]
"""Colour model, depth and profile."""

_SRGB = ("sRGB-elle-V2-srgbtrc.icc", "sRGB built-in")
MASK_TYPES = frozenset({"transparencymask", "selectionmask", "filtermask", "transformmask", "colorizemask"})
"""Nodes that hang on a layer and change how it is seen."""


def active() -> KritaDocument | None:
    """The document in front, or None."""
    return Krita.instance().activeDocument()


def everything_open() -> list[KritaDocument]:
    """All open documents, the one in front first."""
    front = active()
    return ([front] if front else []) + [one for one in Krita.instance().documents() if one != front]


def node_mark(node: KritaNode) -> str:
    """A node's unique id without braces; Krita saves it in .kra."""
    return str(node.uniqueId().toString())[1:-1]


def node_by_mark(document: KritaDocument, mark: str) -> KritaNode | None:
    """The node with this id, or None when it is gone."""
    return document.nodeByUniqueID(QUuid("{" + mark + "}")) if mark else None


def title(document: KritaDocument) -> str:
    """What people call it; a picture that is no .kra has no name of its own but its file's."""
    return document.name() or Path(document.fileName()).name or tr("Unnamed")


def bounds(node: KritaNode) -> Box | None:
    """What a layer covers, also beyond the canvas; None when nothing is on it."""
    if _passes_through(node):  # has no picture of its own
        return around([box for child in node.childNodes() if (box := bounds(child)) is not None])
    rect = node.bounds()
    box = Box(rect.x(), rect.y(), rect.width(), rect.height())
    return box if box.width > 0 and box.height > 0 else None


def srgb_profile() -> str:
    """The name of Krita's own sRGB profile."""
    known = set(Krita.instance().profiles("RGBA", "U8"))
    return next((name for name in _SRGB if name in known), "")


def depth_of(document: KritaDocument) -> Depth:
    """How the document's channels travel; raises WireError("bad_image") for a depth that Krita may yet invent."""
    depth = DEPTHS.get(document.colorDepth())
    if depth is None:
        raise WireError("bad_image", tr("S²Edit cannot read pictures of depth {depth}.", depth=document.colorDepth()))
    return depth


def read(document: KritaDocument, node: KritaNode | None, box: Box, depth: Depth | None = None) -> Picture:
    """As `reading`, at once: for little."""
    return at_once(reading(document, node, box, depth))


def reading(document: KritaDocument, node: KritaNode | None, box: Box, depth: Depth | None = None) -> Work[Picture]:
    """A layer's pixels, or the whole visible picture's when `node` is None; object masks left out.

    What a paint layer's own mask hides is there all the same. Any colour model is converted with the layer's own
    profile. Animations give the current frame. What is painted after the first turn is not among them.
    """
    depth = depth or depth_of(document)
    held = yield from _held(document, node, box, depth)
    data = yield from held.copied(box)
    return Picture(box.width, box.height, 4, depth.dtype, data)


def glance(document: KritaDocument, node: KritaNode | None, box: Box, step: int = 1) -> bytes | bytearray:
    """8-bit pixels like `read`'s, every `step`-th in both directions, without ever copying the document.

    Object masks may be in it, and a group that passes through (it has no picture of its own) is seen with all around.
    """
    depth = DEPTHS["U8"]
    take, space = _as_shown(document, None if _passes_through(node) else node)
    data = QByteArray(sampled(take, box, step))
    return to_wire(depth, converted(document, data, box.thinned(step), space, depth))


def is_costly(document: KritaDocument, node: KritaNode | None) -> bool:
    """Whether `read` has to copy the whole document: too much for anything that happens after each stroke."""
    return _passes_through(node) or bool(_hidden_from(document, node))


def converted(document: KritaDocument, data: QByteArray, box: Box, space: Space, depth: Depth) -> bytes:
    """Bytes of colour space `space` as sRGB RGBA of the working depth, in Krita's order."""
    if space == ("RGBA", depth.working, srgb_profile()):
        return bytes(data)
    layer = document.createNode("S²Edit", "paintlayer")
    if (layer.colorModel(), layer.colorDepth(), layer.colorProfile()) != space:
        layer.setColorSpace(*space)
    layer.setPixelData(data, 0, 0, box.width, box.height)
    layer.setColorSpace("RGBA", depth.working, srgb_profile())
    return bytes(layer.pixelData(0, 0, box.width, box.height))


def settled(document: KritaDocument) -> Work[None]:
    """Until Krita has done with a document what it does beside its own thread, which is not kept waiting."""
    while not document.tryBarrierLock():
        yield
    document.unlock()


def drawn(document: KritaDocument) -> Work[None]:
    """The same once all of it is drawn anew."""
    document.refreshProjection()
    yield from settled(document)


def _held(document: KritaDocument, node: KritaNode | None, box: Box, depth: Depth) -> Work[Held]:
    if is_costly(document, node):
        return (yield from _held_by_copy(document, node, depth))
    take, space = _as_shown(document, node)
    if box.width * box.height > BAND and node is not None and _is_plain(node) and not node.animated():
        twin = node.duplicate()  # shares its pixels until somebody paints
        return _converting(document, lambda band: twin.pixelData(*band), space, depth)
    data = take(*box)
    size = data.size() // (box.width * box.height)

    def part(band: Box) -> QByteArray:
        return data.mid((band.y - box.y) * box.width * size, band.width * band.height * size)

    return _converting(document, part, space, depth)


def _held_by_copy(document: KritaDocument, node: KritaNode | None, depth: Depth) -> Work[Held]:
    """By a copy of the document, where something has to be hidden first."""
    copy = document.clone()
    copy.setBatchmode(True)
    for mark in _hidden_from(document, node):
        mask = node_by_mark(copy, mark)
        if mask is not None:
            mask.setVisible(False)
    twin = None if node is None else node_by_mark(copy, node_mark(node))
    if twin is not None and _passes_through(twin):
        twin.setPassThroughMode(False)

    def end() -> None:
        copy.setModified(False)
        copy.close()

    try:
        yield from drawn(copy)
    except GeneratorExit:  # nobody waits any more
        end()
        raise
    take, space = _as_shown(copy, twin)
    held = _converting(document, lambda band: take(*band), space, depth)
    held.end = end
    return held


def _converting(document: KritaDocument, take: Callable[[Box], QByteArray], space: Space, depth: Depth) -> Held:
    return Held(lambda band: to_wire(depth, converted(document, take(band), band, space, depth)), depth.bytes_a_pixel)


def _as_shown(document: KritaDocument, node: KritaNode | None) -> tuple[Callable[..., QByteArray], Space]:
    owner = document if node is None else node
    space = (owner.colorModel(), owner.colorDepth(), owner.colorProfile())
    if node is None:
        return document.pixelData, space
    return (node.pixelData if _is_plain(node) else node.projectionPixelData), space


def _is_plain(node: KritaNode) -> bool:
    """Whether a layer's own pixels are what it shows, but for what its masks hide.

    What they hide is sent, too: the model sees the whole picture behind a vignette, or around a result.
    """
    hides = {"transparencymask", "selectionmask"}
    changed = any(child.type() not in hides and child.visible() for child in node.childNodes())
    return node.type() == "paintlayer" and not changed and not node.layerStyleToAsl()


def _passes_through(node: KritaNode | None) -> bool:
    return node is not None and node.type() == "grouplayer" and bool(node.passThroughMode())


def _hidden_from(document: KritaDocument, node: KritaNode | None) -> list[str]:
    """Marks of the visible object masks within a group, or within the whole picture."""
    if node is not None and node.type() != "grouplayer":
        return []
    found = []
    for mark in kept(document).register().masks:
        mask = node_by_mark(document, mark)
        if mask is None or not mask.visible():
            continue
        above = mask.parentNode()
        while node is not None and above is not None and node_mark(above) != node_mark(node):
            above = above.parentNode()
        if above is not None:
            found.append(mark)
    return found
