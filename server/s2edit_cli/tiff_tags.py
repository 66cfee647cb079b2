"""A TIFF's tags as they stand in the file: read within bounds, and changed in place where libvips offers no choice.

Format: TIFF 6.0, section 2; BigTIFF has 8 bytes where TIFF has 4 (or 2, for the number of tags).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

_NUMBERS = {1: "u1", 3: "u2", 4: "u4", 16: "u8"}
"""BYTE, SHORT, LONG and LONG8, by the type's code."""
_BLOB_TYPES = (1, 7)
_MAX_TAGS = 65_535


@dataclass(frozen=True)
class _Tag:
    """Args: kind: the type's code. count: of values. at: where in the file they begin."""

    kind: int
    count: int
    at: int


class Directory:
    """One directory of an open TIFF."""

    def __init__(self, file: BinaryIO, start: int | None = None) -> None:
        """Read its list of tags, none of their values.

        Args:
            start: where it stands in the file; the first one by default.
        Raises:
            ValueError: the file ends before the list does.
        """
        self._file = file
        file.seek(0)
        head = file.read(16)
        self.order = "<" if head[:2] == b"II" else ">"
        try:
            big = struct.unpack_from(self.order + "H", head, 2)[0] == 43
            offset = "Q" if big else "I"
            inside = 8 if big else 4
            entry = struct.Struct(self.order + "HH" + offset)
            if start is None:
                (start,) = struct.unpack_from(self.order + offset, head, inside)
            file.seek(start)
            count_format = self.order + ("Q" if big else "H")
            (count,) = struct.unpack(count_format, file.read(struct.calcsize(count_format)))
            if count > _MAX_TAGS:
                raise ValueError(f"{count} tags")
            self._tags: dict[int, _Tag] = {}
            for _ in range(count):
                at = file.tell() + entry.size
                tag, kind, values = entry.unpack(file.read(entry.size))
                value = file.read(inside)
                if values * _bytes_of(kind) > inside:
                    (at,) = struct.unpack(self.order + offset, value)
                self._tags.setdefault(tag, _Tag(kind, values, at))
        except (struct.error, OSError) as error:
            raise ValueError(str(error)) from error

    def numbers(self, tag: int, most: int) -> NDArray[np.int64]:
        """The whole numbers of a tag, none without it. Raises ValueError when they aren't, or are more than `most`."""
        found = self._tags.get(tag)
        if found is None:
            return np.zeros(0, np.int64)
        if found.kind not in _NUMBERS or found.count > most:
            raise ValueError(f"tag {tag} has {found.count} values of type {found.kind}")
        kind = np.dtype(self.order + _NUMBERS[found.kind])
        data = self.read(found.at, found.count * kind.itemsize)
        return np.frombuffer(data, kind).astype(np.int64)

    def number(self, tag: int, default: int) -> int:
        """A tag's only number. Raises ValueError when it has several or none."""
        found = self.numbers(tag, 1)
        return int(found[0]) if found.size else default

    def blob(self, tag: int, most: int) -> bytes:
        """A tag's bytes, b"" without it. Raises ValueError when they are more than `most`."""
        found = self._tags.get(tag)
        if found is None:
            return b""
        if found.kind not in _BLOB_TYPES or found.count > most:
            raise ValueError(f"tag {tag} has {found.count} values of type {found.kind}")
        return self.read(found.at, found.count)

    def read(self, at: int, length: int) -> bytes:
        """A piece of the file. Raises ValueError when it ends before."""
        self._file.seek(at)
        data = self._file.read(length)
        if len(data) < length:
            raise ValueError(f"the file ends before {at + length}")
        return data

    def place(self, tag: int) -> int | None:
        """Where in the file a tag's values begin."""
        found = self._tags.get(tag)
        return found.at if found else None


def set_short(path: Path, tag: int, value: int) -> None:
    """Change a number of 16 bits in the first directory of a written TIFF. Raises ValueError of a file that is none."""
    with path.open("r+b") as file:
        directory = Directory(file)
        place = directory.place(tag)
        if place is not None:
            file.seek(place)
            file.write(struct.pack(directory.order + "H", value))


def _bytes_of(kind: int) -> int:
    """Of one value; TIFF 6.0, section 2, and BigTIFF."""
    return {3: 2, 8: 2, 4: 4, 9: 4, 11: 4, 13: 4, 5: 8, 10: 8, 12: 8, 16: 8, 17: 8, 18: 8}.get(kind, 1)
