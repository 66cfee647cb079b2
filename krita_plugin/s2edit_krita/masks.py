"""Where an object's mask can come from in Krita, how large it is, and its pixels.

Sources: the model itself, the selection, an object mask layer, a transparency or selection mask of the layer.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from s2edit_editor.host import AUTOMATIC, LAYER_MASK, PAINTED, SELECTION, MaskChoice
from s2edit_editor.masks import automatic, nothing_marked
from s2edit_editor.pixels import Box
from s2edit_editor.text import _ as tr
from s2edit_editor.turns import BAND, Work
from s2edit_wire.errors import WireError

from . import history
from .document import Held, canvas, glance, node_by_mark, node_mark
from .layers import is_there
from .pixels import sampled

KritaDocument: TypeAlias = Any
KritaNode: TypeAlias = Any


def sources(document: KritaDocument, layer: KritaNode | None) -> list[MaskChoice]:
    """All choices for this layer, the automatic one first."""
    found = [automatic()]
    if document.selection() is not None:
        found.append(MaskChoice(SELECTION, label=tr("Selection")))
    for mark, entry in history.load(document).masks.items():
        node = node_by_mark(document, mark)
        if node is not None and is_there(document, node):
            found.append(MaskChoice(PAINTED, mark, node.name(), entry.word))
    for node in layer.childNodes() if layer is not None else []:
        if node.type() in {"transparencymask", "selectionmask"}:
            found.append(MaskChoice(LAYER_MASK, node_mark(node), node.name()))
    return found


def extent(document: KritaDocument, source: MaskChoice) -> Box | None:
    """A box around all that is marked, on the canvas; None when nothing is, or when the model shall find it."""
    if source.kind == AUTOMATIC:
        return None
    if source.kind == PAINTED:
        node = _node(document, source)
        rect = node.bounds()
        box = Box(rect.x(), rect.y(), rect.width(), rect.height())
    else:
        marked = _marked(document, source)
        box = Box(marked.x(), marked.y(), marked.width(), marked.height())
    return box.clipped(*canvas(document))


def coverage(document: KritaDocument, source: MaskChoice, box: Box, step: int = 1) -> bytes:
    """The mask's 8-bit samples in the box, every `step`-th in both directions.

    Raises WireError("bad_mask") when it marks nothing there.
    """
    if source.kind == PAINTED:
        data = bytes(glance(document, _node(document, source), box, step))[3::4]
    else:
        data = sampled(_marked(document, source).pixelData, box, step)
    if not data.strip(b"\0"):
        raise nothing_marked(source)
    return data


def covering(document: KritaDocument, source: MaskChoice, box: Box) -> Work[bytearray]:
    """As `coverage` of every pixel, a band in each turn; what is painted after the first is not in it."""
    if source.kind == PAINTED:
        twin = _node(document, source).duplicate()
        held = Held(lambda band: bytes(glance(document, twin, band))[3::4], 1)
    else:
        marked = _marked(document, source).duplicate()
        held = Held(lambda band: bytes(marked.pixelData(*band)), 1)
    data = yield from held.copied(box)
    if not any(data[place : place + BAND].strip(b"\0") for place in range(0, len(data), BAND)):
        raise nothing_marked(source)
    return data


def _node(document: KritaDocument, source: MaskChoice) -> KritaNode:
    node = node_by_mark(document, source.mark)
    if not is_there(document, node):
        raise WireError("bad_mask", tr("The mask “{name}” is gone.", name=source.label), tr("Choose another mask."))
    return node


def _marked(document: KritaDocument, source: MaskChoice) -> Any:
    found = document.selection() if source.kind == SELECTION else _node(document, source).selection()
    if found is None:
        raise WireError("bad_mask", tr("There is no selection any more."), tr("Choose another mask."))
    return found
