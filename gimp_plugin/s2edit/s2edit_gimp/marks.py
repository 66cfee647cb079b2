"""The plug-in's notes on layers and images: text or JSON in GIMP's parasites, read with distrust; and the mark for all.

The mark that says that a model had a hand in the image stands in its metadata, which GIMP saves, exports and undoes. It
comes with a result, in the same step, and goes when that is undone. It stays when a result's layer is deleted: a layer
that was merged is gone as well, and what it showed is still there.
"""

from __future__ import annotations

import json
from typing import Any

from gi.repository import Gimp
from s2edit_marks import gimp_metadata

from . import VERSION


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


def say_model(image: Gimp.Image) -> None:
    """Put the mark into the image's metadata; metadata that can't be read stays as it is."""
    metadata = image.get_metadata() or Gimp.Metadata.new()
    try:
        text = gimp_metadata.marked(metadata.serialize(), VERSION)
    except ValueError:
        return
    image.set_metadata(Gimp.Metadata.deserialize(text))
