"""One choice of mask for all objects of an edit, as GIMP's form has it."""

from __future__ import annotations

from s2edit_wire.errors import WireError

from .host import AUTOMATIC, Host, MaskChoice
from .masks import for_objects
from .submission import area_in


class Together:
    """The masks of a form that has one choice for all objects; looked for once, until the document is looked at again.

    Args:
        host: the document. layer: mark of what is edited.
    """

    def __init__(self, host: Host, layer: str) -> None:
        self._host, self._layer = host, layer
        self._found: dict[tuple[str, str], tuple[list[MaskChoice], str]] = {}

    def found(self, kind: str, mark: str) -> tuple[list[MaskChoice], str]:
        """The masks of this kind (`for_objects`), and why they can't be had, as a sentence; "" when they can."""
        if (kind, mark) not in self._found:
            try:
                self._found[kind, mark] = self._look(kind, mark), ""
            except WireError as error:
                self._found[kind, mark] = [], error.sentence
        return self._found[kind, mark]

    def _look(self, kind: str, mark: str) -> list[MaskChoice]:
        if kind == AUTOMATIC:
            return []
        return for_objects(self._host, self._layer, area_in(self._host, self._layer), kind, mark)

    def forget(self) -> None:
        """The document may have changed."""
        self._found.clear()
