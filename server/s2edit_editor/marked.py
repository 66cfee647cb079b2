"""When a picture says that a model had a hand in it, once for both editors: while anything of a result is left in it.

The mark comes with the first result. It goes when all layers that are left are older than that: a result that was
merged, copied or pasted is a younger one; and it comes again with an undo.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TypeVar

from s2edit_wire.errors import WireError

from .text import _

T = TypeVar("T")
LOOK_S = 0.5
"""Seconds between two looks at the layers: no editor tells plug-ins of one that was removed."""


def due(older: Collection[T], now: Iterable[T], *, marked: bool) -> bool | None:
    """Whether the mark is to be put (True) or taken back (False) now; None to leave it.

    Args:
        older: the layers with pixels that were there before the first result, by whatever names them for good.
        now: those that are there, painted object masks aside.
        marked: whether the picture says so already.
    """
    wanted = any(layer not in older for layer in now)
    return None if wanted == marked else wanted


class Unable:
    """Kinds of files that can't carry the mark: each is told of once."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def knows(self, file: Path) -> bool:
        """Whether files of its kind were told of."""
        return file.suffix.lower() in self._told

    def tell(self, file: Path) -> WireError | None:
        """What is to be said of a file that does not carry it; None when files of its kind were told of."""
        if self.knows(file):
            return None
        self._told.add(file.suffix.lower())
        return WireError(
            "bad_image",
            _("“{name}” does not say that a model had a hand in it.", name=file.name),
            _("Save it as PNG, JPEG, TIFF or WebP to have that in the file."),
        )
