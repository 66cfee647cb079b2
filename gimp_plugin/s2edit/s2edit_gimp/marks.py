"""The plug-in's notes on layers and images: text or JSON in GIMP's parasites, read with distrust."""

from __future__ import annotations

import json
from typing import Any

from gi.repository import Gimp


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
