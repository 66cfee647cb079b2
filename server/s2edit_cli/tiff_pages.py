"""A TIFF's directories: which one is the picture, what its extra channels are, and how many bits a sample has.

Tags: TIFF 6.0. NewSubfileType (254) marks smaller copies and transparency masks, SubfileType (255) is its forerunner;
ExtraSamples (338) tells transparency from any other channel, such as a saved selection.
"""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2edit_wire.errors import WireError

MAX_PAGES = 1_000
EXTRA_SAMPLES, RESOLUTION_UNIT, NO_UNIT = 338, 296, 1
_NEW_SUBFILE, _SUBFILE, _BITS, _PHOTOMETRIC, _SAMPLES = 254, 255, 258, 262, 277
_PALETTE = 3
_COLOUR_TAGS = (301, 319)
_COLOURS = {0: 1, 1: 1, 2: 3, 3: 1, 6: 3}
UNSPECIFIED, ASSOCIATED = 0, 1


@dataclass(frozen=True)
class Page:
    """What one directory says.

    Args:
        number: which it is in the file, from 0. start: where in the file it begins.
        smaller: whether it is a smaller copy of another one.
        bits: per sample. palette: whether samples are indices. extra: what the channels after the colours are.
        primaries: whether colours are given by PrimaryChromaticities (319) or TransferFunction (301).
    """

    number: int
    start: int
    smaller: bool
    bits: int
    palette: bool
    extra: tuple[int, ...]
    primaries: bool = False


def pages(path: Path) -> list[Page]:
    """All directories of the file. Raises ValueError when they cannot be read."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    found: list[Page] = []
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about tags that are of no interest here
        head = file.read(8)
        if head[2:3] == b"\x2b" or head[3:4] == b"\x2b":
            head += file.read(8)
        try:
            directory = ImageFileDirectory_v2(head)
            seen: set[int] = set()
            while directory.next and directory.next not in seen and len(found) < MAX_PAGES:
                seen.add(directory.next)
                start = directory.next
                file.seek(directory.next)
                directory.reset()
                directory.load(file)
                found.append(_page(len(found), start, directory))
        except (SyntaxError, OSError, struct.error, TypeError, IndexError) as error:
            raise ValueError(str(error)) from error
    return found


def main_page(path: Path) -> tuple[Page | None, int]:
    """The one directory that is the picture, or None when the file's directories can't be read, and how many smaller
    copies of it there are.

    Raises:
        WireError: bad_image, when there are several pictures.
    """
    try:
        found = pages(path)
    except ValueError:
        return None, 0
    main = [page for page in found if not page.smaller]
    if len(main) > 1:
        raise WireError("bad_image", f"“{path.name}” has several pages or frames.", "Save the one to edit by itself.")
    if not found:
        return None, 0
    return (main or found)[0], len(found) - 1


def _page(number: int, start: int, tags: Any) -> Page:
    samples, photometric = _first(tags, _SAMPLES, 1), _first(tags, _PHOTOMETRIC, 1)
    extra = tags.get(EXTRA_SAMPLES, ())
    extra = extra if isinstance(extra, tuple) else (extra,)
    # Channels that the tag says nothing of are as good as unspecified.
    missing = samples - _COLOURS.get(photometric, samples) - len(extra)
    kinds = tuple(int(kind) for kind in extra) + (UNSPECIFIED,) * max(0, missing)
    primaries = any(tag in tags for tag in _COLOUR_TAGS)
    smaller = bool(_first(tags, _NEW_SUBFILE, 0) & 1) or _first(tags, _SUBFILE, 0) == 2
    return Page(number, start, smaller, _first(tags, _BITS, 1), photometric == _PALETTE, kinds, primaries)


def _first(tags: Any, tag: int, default: int) -> int:
    value = tags.get(tag, default)
    value = value[0] if isinstance(value, tuple) and value else value
    return int(value) if isinstance(value, (int, float)) else default
