"""The mark that says that a model had a hand in a picture: kept with the document, and put into files that are written.

Krita's exporters (5.2, 5.3) write of a document's information a title and keywords, and no source type; so the mark
goes into a PNG, JPEG, TIFF or WebP when the document was saved or exported as one. `s2edit_editor.kept` says when.
"""
# mypy: disallow-subclassing-any=False

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from krita import Krita
from s2edit_editor.marked import LOOK_S, Unable
from s2edit_marks import embedding, xmp
from s2edit_wire.errors import WireError

from . import VERSION
from .document import active, node_mark
from .history import kept
from .qt import QObject, QTimer

KritaDocument: TypeAlias = Any
KritaNode: TypeAlias = Any

_HOLD_PIXELS = frozenset({"paintlayer", "clonelayer", "filelayer"})


def say_model(document: KritaDocument, result: KritaNode) -> None:
    """Note the mark in the document, which saves it in .kra."""
    kept(document).say_model(lambda: _pictures(document), node_mark(result), _packet)


def settle(document: KritaDocument) -> None:
    """Take the mark back, or put it there again, as what is left of results says."""
    kept(document).settle(lambda: _pictures(document), _packet)


def is_carried(document: KritaDocument, file: Path) -> bool:
    """Put a marked document's mark into the file that it was saved or exported as; False when that can't carry it."""
    settle(document)
    if file.suffix.lower() in (".kra", ".krz") or not kept(document).is_marked:
        return True
    try:
        embedding.mark_file(file, VERSION)
    except (embedding.CannotEmbed, OSError):
        return False
    return True


class Keeper(QObject):
    """Sees to the marks of all documents as long as Krita runs.

    Args:
        complain: told of a file that can't carry the mark, once for each kind.
    """

    def __init__(self, parent: QObject, complain: Callable[[WireError], None]) -> None:
        super().__init__(parent)
        self._complain = complain
        self._unable = Unable()
        Krita.instance().notifier().imageSaved.connect(self._written)
        self._clock = QTimer(self)
        self._clock.timeout.connect(self._look)
        self._clock.start(round(1_000 * LOOK_S))

    def _look(self) -> None:
        document = active()
        if document is not None:
            settle(document)

    def _written(self, filename: str) -> None:
        """A file was saved, or exported: then no document is called so, and it is the one in front."""
        saved = [one for one in Krita.instance().documents() if one.fileName() == filename]
        file = Path(filename)
        for document in saved or filter(None, [active()]):
            told = None if is_carried(document, file) else self._unable.tell(file)
            if told is not None:
                self._complain(told)


def _packet() -> bytes:
    return xmp.marked(None, VERSION)


def _pictures(document: KritaDocument) -> Iterator[str]:
    """Ids of the layers that hold pixels."""
    return (node_mark(node) for node in _nodes(document.rootNode()) if node.type() in _HOLD_PIXELS)


def _nodes(parent: KritaNode) -> Iterator[KritaNode]:
    for node in parent.childNodes() if parent is not None else ():
        yield node
        yield from _nodes(node)
