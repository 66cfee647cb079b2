"""Krita's layers: a result becomes one layer with an editable mask, in one undo step; object masks are layers too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from krita import Krita, ManagedColor, Selection
from s2edit_editor.blue_first import DEPTHS, Depth, alpha_as_layer, to_krita
from s2edit_editor.host import Insertion
from s2edit_editor.pixels import Box, Picture, coloured, kept_where
from s2edit_editor.settling import Settling
from s2edit_editor.text import _ as tr
from s2edit_editor.turns import BAND, Work

from .document import Space, depth_of, node_by_mark, node_mark, srgb_profile
from .qt import QApplication, QByteArray
from .seen import own_alpha, see_through
from .session_qt import QtLoop

KritaDocument: TypeAlias = Any
KritaNode: TypeAlias = Any

_MASK_COLOURS = ((40, 40, 230), (230, 120, 30), (60, 180, 40), (200, 60, 200))
"""Blue, green, red of the first, second, … object mask."""
_MASK_OPACITY = 128
_RED_LABEL = 6
_SETTLING = Settling(QtLoop(QApplication.instance()))


def made(document: KritaDocument, result: Insertion) -> Work[KritaNode]:
    """A result's layer that hangs nowhere yet: opaque under a mask that holds its alpha, in the document's colours."""
    own, dtype = depth_of(document), result.colour.dtype
    depth = own if own.dtype == dtype else next(depth for depth in DEPTHS.values() if depth.dtype == dtype)
    source = node_by_mark(document, result.source)
    layer = yield from _masked(document)
    layer.setName(result.name)
    selection = Selection()
    for band in result.box.bands(BAND):
        colour, alpha = (one.rows(band.y - result.box.y, band.height) for one in (result.colour, result.alpha))
        layer.setPixelData(_in_document_space(document, depth, colour), *band)
        shown = _alpha_bytes(document, depth, alpha)
        if source is not None and result.clipped:  # closed where it has nothing; a brush can open it again
            shown = kept_where(shown, own_alpha(source, band).there, "u1")
        selection.setPixelData(QByteArray(shown), *band)
        yield
    if source is not None and result.blended:
        yield from see_through(document, source, layer, result.box)
    layer.setInheritAlpha(result.clipped)
    (mask,) = layer.childNodes()
    mask.setName(tr("Where it changed"))
    mask.setSelection(selection)
    yield
    return layer


_MASKED: dict[Space, KritaNode] = {}
"""By colour space, an empty layer under a mask, which hangs nowhere."""


def _masked(document: KritaDocument) -> Work[KritaNode]:
    """A new one. Put together in the document itself, layer and mask would be two steps of its undo, of which the
    second does nothing, and the document would count as changed by a result that is only looked at.
    """
    space = (document.colorModel(), document.colorDepth(), document.colorProfile())
    if space not in _MASKED:
        scratch = Krita.instance().createDocument(1, 1, "S²Edit", *space, 72.0)
        scratch.setBatchmode(True)
        yield
        layer = scratch.createNode("S²Edit", "paintlayer")
        layer.addChildNode(scratch.createTransparencyMask("S²Edit"), None)
        _MASKED[space] = layer.duplicate()
        scratch.setModified(False)
        scratch.close()
        QApplication.instance().aboutToQuit.connect(_MASKED.clear)
        yield
    return _MASKED[space].duplicate()


def put_in(document: KritaDocument, layer: KritaNode, result: Insertion) -> None:
    """Put in what was `made`, in one undo step.

    The active layer stays the active one, unless the new one is to be.
    """
    before = document.activeNode()
    parent = node_by_mark(document, result.parent) or document.rootNode()
    parent.addChildNode(layer, node_by_mark(document, result.above))
    added = [layer, *layer.childNodes()]
    wanted, others = (layer, [before, *added[1:]]) if result.choose else (before, added)
    if wanted is not None:
        _settle_on(document, wanted, others)


def choose(document: KritaDocument, node: KritaNode) -> None:
    """Make a layer the active one because the painter asked for it."""
    _SETTLING.chosen()
    document.setActiveNode(node)


def _settle_on(document: KritaDocument, wanted: KritaNode, others: Sequence[KritaNode | None]) -> None:
    """Make a layer the active one once Krita's windows know of it, in place of those that Krita chooses by itself."""

    def active() -> str | None:
        if not is_there(document, wanted):
            return None
        now = document.activeNode()
        return node_mark(now) if now is not None else ""

    marks = frozenset(node_mark(node) for node in others if node is not None)
    _SETTLING.wish(node_mark(wanted), marks, active, lambda: document.setActiveNode(wanted))


def add_mask(
    document: KritaDocument, above: KritaNode, name: str, number: int, filled: tuple[Box, bytes] | None
) -> KritaNode:
    """A half opaque layer directly over `above`, which becomes the active one: a brush must not land on the picture.

    Args:
        number: chooses its colour. filled: what it shows at first, to be corrected; None takes the brush in hand.
    """
    colour = _MASK_COLOURS[number % len(_MASK_COLOURS)]
    layer = document.createNode(name, "paintlayer")
    layer.setOpacity(_MASK_OPACITY)
    layer.setColorLabel(_RED_LABEL)
    if filled is not None:
        space = (layer.colorModel(), layer.colorDepth(), layer.colorProfile())
        layer.setColorSpace("RGBA", "U8", srgb_profile())
        layer.setPixelData(QByteArray(bytes(coloured(filled[1], colour))), *filled[0])
        layer.setColorSpace(*space)
    before = document.activeNode()
    above.parentNode().addChildNode(layer, above)
    document.waitForDone()
    _settle_on(document, layer, (before, above))
    if filled is None:
        _take_brush(colour)
    else:
        document.refreshProjection()
    return layer


def is_there(document: KritaDocument, node: KritaNode | None) -> bool:
    """Whether the node hangs in the document's tree (after an undo it may exist without), and that is still open."""
    root = document.rootNode()
    while root is not None and node is not None:
        if node_mark(node) == node_mark(root):
            return True
        node = node.parentNode()
    return False


def _take_brush(bgr: tuple[int, int, int]) -> None:
    """Take the brush and this colour in hand."""
    view = _view()
    if view is None:
        return
    _Own.colour = _Own.colour or view.foregroundColor()
    colour = ManagedColor("RGBA", "U8", srgb_profile())
    colour.setComponents([*(part / 255 for part in bgr), 1.0])
    view.setForeGroundColor(colour)
    brush = Krita.instance().action("KritaShape/KisToolBrush")
    if brush is not None:
        brush.trigger()


class _Own:
    """The painter's own colour while a mask's is in hand."""

    colour: ManagedColor | None = None


def give_back_colour() -> None:
    """The painter's own colour, after the mask is done; kept as it is when another was chosen meanwhile."""
    view, colour = _view(), _Own.colour
    _Own.colour = None
    if view is not None and colour is not None:
        held = [round(part * 255) for part in view.foregroundColor().componentsOrdered()[:3]]
        if any(held == list(reversed(bgr)) for bgr in _MASK_COLOURS):
            view.setForeGroundColor(colour)


def _view() -> Any:
    window = Krita.instance().activeWindow()
    return window.activeView() if window else None


def _in_document_space(document: KritaDocument, depth: Depth, colour: Picture) -> QByteArray:
    """Colours, opaque, as bytes of the document's colour space."""
    data = QByteArray(bytes(to_krita(depth, colour.data, colour.channels)))
    space = (document.colorModel(), document.colorDepth(), document.colorProfile())
    if space == ("RGBA", depth.working, srgb_profile()):
        return data
    size = (0, 0, colour.width, colour.height)
    scratch = document.createNode("S²Edit", "paintlayer")
    scratch.setColorSpace("RGBA", depth.working, srgb_profile())
    scratch.setPixelData(data, *size)
    scratch.setColorSpace(*space)
    converted: QByteArray = scratch.pixelData(*size)
    return converted


def _alpha_bytes(document: KritaDocument, depth: Depth, alpha: Picture) -> bytes:
    if depth.dtype == "u1":
        return bytes(alpha.data)
    if depth.dtype == "u2":
        return bytes(alpha.data)[1::2]
    layer = document.createNode("S²Edit", "paintlayer")
    layer.setColorSpace("RGBA", depth.working, srgb_profile())
    layer.setPixelData(QByteArray(alpha_as_layer(depth, alpha.data)), 0, 0, alpha.width, alpha.height)
    layer.setColorSpace("RGBA", "U8", srgb_profile())
    return bytes(layer.pixelData(0, 0, alpha.width, alpha.height))[3::4]
