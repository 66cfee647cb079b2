"""The plug-in's notes on layers and images: text or JSON in GIMP's parasites, read with distrust; and the mark for all.

The mark that says that a model had a hand in the image stands in its metadata, which GIMP saves, exports and undoes. It
comes with a result, in the same step, and goes when that is undone; else `keeping` sees to it (`s2edit_editor.marked`).
A layer that was merged or copied is younger than the first result, since GIMP numbers each anew. In a file layers are
known by their tattoos instead; a merged one has its lowest's, so that this goes off the list of older ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gi.repository import Gimp
from s2edit_editor.marked import Before, due
from s2edit_marks import gimp_metadata
from s2edit_marks.terms import PROGRAM

from . import VERSION

BEFORE_PARASITE = "s2edit-before"
"""On an open image: the ids of the layers older than its first result, and what its metadata said then."""
FILED_PARASITE = "s2edit-before-filed"
"""The same for the image's file: the tattoos of those layers, and of all of them."""
FORM = "s2edit-form"
"""On an open image: what was in the form last."""
PASSING = 0
"""Flags of a note that is neither saved nor undone."""


def read_text(owner: Gimp.Image | Gimp.Item, name: str) -> str:
    """The note of this name; "" when there is none."""
    parasite = owner.get_parasite(name)
    # The bytes come as signed numbers.
    return "" if parasite is None else bytes(byte & 255 for byte in parasite.get_data()).decode("utf-8", "replace")


def read_map(owner: Gimp.Image | Gimp.Item, name: str) -> dict[str, Any]:
    """The note of this name as a JSON map; {} when there is none, or anything else in it."""
    try:
        value = json.loads(read_text(owner, name) or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def write(owner: Gimp.Image | Gimp.Item, name: str, text: str, flags: int) -> None:
    """Leave a note; `flags` are GIMP's, such as PARASITE_PERSISTENT to be kept in XCF files."""
    # GIMP's introspection calls them C's char, which is signed: what is no ASCII has to be given as negative numbers.
    signed = [byte - 256 if byte > 127 else byte for byte in text.encode()]
    owner.attach_parasite(Gimp.Parasite.new(name, flags, signed))


def say_model(image: Gimp.Image, older: Sequence[int]) -> None:
    """Put the mark into the image's metadata; metadata that can't be read stays as it is.

    Args:
        older: the ids of the layers that there were before the result.
    """
    metadata = image.get_metadata() or Gimp.Metadata.new()
    try:
        before = gimp_metadata.said(metadata.serialize())
        text = gimp_metadata.marked(metadata.serialize(), VERSION)
    except ValueError:
        return
    if before["AISystemUsed"] != PROGRAM:
        write(image, BEFORE_PARASITE, json.dumps({"layers": list(older), "said": before}), PASSING)
    image.set_metadata(Gimp.Metadata.deserialize(text))


def settle(image: Gimp.Image, layers: Mapping[int, int]) -> None:
    """Take the mark back when no layer is left that is younger than the first result, and put it there again.

    GIMP's history is left out of it, so that undo and redo go on where they were; what they bring is seen next time.

    Args:
        layers: tattoos by ids of the layers that hold pixels, painted masks aside.
    """
    before, metadata = _before(image, layers), image.get_metadata()
    if before is None or metadata is None:
        return
    text = metadata.serialize()
    marked = gimp_metadata.said(text)["AISystemUsed"] == PROGRAM
    wanted = due(before.layers, layers, marked=marked)
    filed = before.filed(layers)
    if (wanted or (marked and wanted is None)) and read_map(image, FILED_PARASITE) != filed:
        # No step to undo, and it makes no saved image unsaved.
        write(image, FILED_PARASITE, json.dumps(filed), Gimp.PARASITE_PERSISTENT)
    if wanted is None:
        return
    text = gimp_metadata.marked(text, VERSION) if wanted else gimp_metadata.saying(text, before.said)
    image.undo_freeze()
    try:
        image.set_metadata(Gimp.Metadata.deserialize(text))
    finally:
        image.undo_thaw()


def _before(image: Gimp.Image, layers: Mapping[int, int]) -> Before | None:
    """What is noted of an open image, else what its file says."""
    note = read_map(image, BEFORE_PARASITE)
    if note:
        return Before(**note)
    before = Before.from_filed(read_map(image, FILED_PARASITE), layers)
    if before is not None:
        write(image, BEFORE_PARASITE, json.dumps(vars(before)), PASSING)
    return before
