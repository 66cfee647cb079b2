"""What the editors' one mind has to know of Krita's layers."""

from __future__ import annotations

from typing import Any, TypeAlias

from s2edit_editor.host import NORMAL, Layer

from . import history
from .document import bounds, node_mark

KritaDocument: TypeAlias = Any
KritaNode: TypeAlias = Any

_MASKS = frozenset({"transparencymask", "selectionmask", "filtermask", "transformmask", "colorizemask"})


def layers(document: KritaDocument) -> list[Layer]:
    """All layers from the top down, a group before what is in it."""
    return _in(document, document.rootNode(), "", history.load(document))


def facts(document: KritaDocument, node: KritaNode, register: history.Register, parent: str = "") -> Layer:
    """What is to be known of one layer."""
    mark = node_mark(node)
    mask = register.masks.get(mark)
    return Layer(
        mark,
        node.name(),
        bounds(document, node),
        parent,
        group=node.type() == "grouplayer",
        visible=node.visible(),
        opacity=node.opacity() / 255,
        mode=NORMAL if node.blendingMode() == "normal" else str(node.blendingMode()),
        masked=any(child.type() in _MASKS and child.visible() for child in node.childNodes()),
        made_for=mask.layer if mask else "",
        word=mask.word if mask else "",
        made_from=register.made_from.get(mark, ""),
    )


def _in(document: KritaDocument, parent: KritaNode, mark: str, register: history.Register) -> list[Layer]:
    found = []
    for node in reversed(parent.childNodes()):
        if node.type() not in _MASKS:
            found.append(facts(document, node, register, mark))
            found += _in(document, node, node_mark(node), register)
    return found
