"""When a picture says that a model had a hand in it, once for both editors: while anything of a result is left in it.

The mark comes with the first result. It goes when all layers that are left are older than that: a result that was
merged, copied or pasted is a younger one; and it comes again with an undo.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Any, TypeVar

from s2edit_wire.errors import WireError

from .text import _

T = TypeVar("T")
LOOK_S = 0.5
"""Seconds between two looks at the layers: no editor tells plug-ins of one that was removed."""

STEADY = 6
"""Looks in a row at which a file has to be the same: editors write metadata last."""


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


class Written:
    """Files that an editor exports while it tells nobody of it: each counts as written once it stays as it is.

    Attributes:
        waiting: those that are not known to be written yet, or to carry the mark.
    """

    def __init__(self) -> None:
        self.waiting: dict[Path, tuple[tuple[int, int], int]] = {}
        self._names: dict[int, str] = {}

    def named(self, picture: int, name: str) -> bool:
        """Whether a picture's exported file is another one than at the last look; "" for none."""
        changed = self._names.get(picture, "") != name
        self._names[picture] = name
        return changed

    def expect(self, file: Path) -> None:
        """It is to be looked at."""
        self.waiting[file] = ((0, 0), 0)

    def is_written(self, file: Path) -> bool:
        """Look at it once: whether it has been the same for `STEADY` looks. Then it waits no more, nor what is no file.

        Raises OSError when it is gone.
        """
        before, looks = self.waiting.pop(file)
        status = file.stat()
        if not S_ISREG(status.st_mode):
            return False
        now = (status.st_mtime_ns, status.st_size)
        if looks < STEADY:
            self.waiting[file] = (now, looks + 1 if now == before else 0)
        return looks >= STEADY


@dataclass(frozen=True)
class Before:
    """What an open picture was before its first result, for an editor that numbers layers anew in every run.

    Args:
        layers: ids of the layers that it had. said: what its metadata said then.
    """

    layers: Collection[int]
    said: Mapping[str, Any]

    def filed(self, now: Mapping[int, int]) -> dict[str, Any]:
        """The same for the picture's file.

        Args:
            now: the layers' marks that files keep, by their ids; a merged one has its lowest's.
        """
        older = sorted(mark for layer, mark in now.items() if layer in self.layers)
        return {"older": older, "all": sorted(now.values()), "said": self.said}

    @classmethod
    def from_filed(cls, filed: Mapping[str, Any], now: Mapping[int, int]) -> Before | None:
        """Of a picture that was opened; None when it has no note, or was changed where nobody saw to that."""
        if not filed or filed["all"] != sorted(now.values()):
            return None
        return cls([layer for layer, mark in now.items() if mark in filed["older"]], filed["said"])
