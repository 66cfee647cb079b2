"""Where an object's mask can come from in Krita, how large it is, and its pixels.

Sources: the model itself, the selection, an object mask layer, a transparency or selection mask of the layer.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from s2edit_editor.pixels import Box
from s2edit_editor.text import _ as tr
from s2edit_wire.errors import WireError

from . import history
from .document import canvas, glance, node_by_mark, node_mark
from .layers import is_there
from .pixels import sampled

KritaDocument: TypeAlias = Any
KritaNode: TypeAlias = Any


class MaskSource(NamedTuple):
    """One choice.

    Args:
        kind: `automatic`, `selection`, `layer` (painted) or `mask` (Krita's own transparency and selection masks).
        node: the node's id, "" for the first two.
        label: what the painter reads.
    """

    kind: str
    node: str
    label: str


AUTOMATIC = "automatic"


def automatic() -> MaskSource:
    """The choice that leaves the mask to the model."""
    return MaskSource(AUTOMATIC, "", tr("Automatic"))


def sources(document: KritaDocument, layer: KritaNode | None) -> list[MaskSource]:
    """All choices for this layer, the automatic one first."""
    found = [automatic()]
    if document.selection() is not None:
        found.append(MaskSource("selection", "", tr("Selection")))
    for mark in history.load(document).masks:
        node = node_by_mark(document, mark)
        if node is not None and is_there(document, node):
            found.append(MaskSource("layer", mark, node.name()))
    for node in layer.childNodes() if layer is not None else []:
        if node.type() in {"transparencymask", "selectionmask"}:
            found.append(MaskSource("mask", node_mark(node), node.name()))
    return found


def extent(document: KritaDocument, source: MaskSource) -> Box | None:
    """A box around all that is marked, on the canvas; None when nothing is, or when the model shall find it."""
    if source.kind == AUTOMATIC:
        return None
    if source.kind == "layer":
        node = _node(document, source)
        rect = node.bounds()
        box = Box(rect.x(), rect.y(), rect.width(), rect.height())
    else:
        marked = _marked(document, source)
        box = Box(marked.x(), marked.y(), marked.width(), marked.height())
    return box.clipped(*canvas(document))


def coverage(document: KritaDocument, source: MaskSource, box: Box, step: int = 1) -> bytes:
    """The mask's 8-bit samples in the box, every `step`-th in both directions.

    Raises WireError("bad_mask") when it marks nothing there.
    """
    if source.kind == "layer":
        data = bytes(glance(document, _node(document, source), box, step))[3::4]
    else:
        data = sampled(_marked(document, source).pixelData, box, step)
    if not data.strip(b"\0"):
        raise WireError(
            "bad_mask",
            tr("“{name}” marks nothing.", name=source.label),
            tr("Paint over the object first, or let the model find it."),
        )
    return data


def _node(document: KritaDocument, source: MaskSource) -> KritaNode:
    node = node_by_mark(document, source.node)
    if not is_there(document, node):
        raise WireError("bad_mask", tr("The mask “{name}” is gone.", name=source.label), tr("Choose another mask."))
    return node


def _marked(document: KritaDocument, source: MaskSource) -> Any:
    found = document.selection() if source.kind == "selection" else _node(document, source).selection()
    if found is None:
        raise WireError("bad_mask", tr("There is no selection any more."), tr("Choose another mask."))
    return found
