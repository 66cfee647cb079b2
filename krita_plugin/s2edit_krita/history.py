"""What a document remembers of its edits (`s2edit_editor.kept`), in annotations that Krita saves inside .kra."""

from __future__ import annotations

from typing import Any, TypeAlias

from s2edit_editor.kept import Kept

from .qt import QByteArray

KritaDocument: TypeAlias = Any


def kept(document: KritaDocument) -> Kept:
    """What this one remembers."""
    return Kept(_Annotations(document))


class _Annotations:
    """A `kept.Drawer`."""

    def __init__(self, document: KritaDocument) -> None:
        self._document = document

    def get(self, name: str) -> bytes:
        """See `kept.Drawer`, as for all that follows."""
        return bytes(self._document.annotation(name))

    def put(self, name: str, title: str, data: bytes) -> None:
        """Krita counts the document as changed then."""
        self._document.setAnnotation(name, title, QByteArray(data))

    def remove(self, name: str) -> None:
        """As an annotation."""
        self._document.removeAnnotation(name)
