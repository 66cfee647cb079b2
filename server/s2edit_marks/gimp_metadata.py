"""The mark in an image's metadata as GIMP hands it out and takes it back (`Gimp.Metadata.serialize`). Standard library.

GIMP keeps it with the image, saves it in XCF files, undoes changes of it, and exports it with “Save XMP data”.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.dom import minidom
from xml.parsers import expat

from .terms import PROGRAM, after_edit
from .xmp import IPTC, PROPERTIES

PREFIX = "Xmp.iptcExt."
"""exiv2's names of IPTC's extension properties."""


def said(text: str) -> dict[str, str]:
    """What serialised metadata says of IPTC's `PROPERTIES`, by name; "" for what it does not say.

    Raises:
        ValueError: it is none.
    """
    found = dict.fromkeys(PROPERTIES, "")
    for node in _tags(_parsed(text)):
        found[node.getAttribute("name").removeprefix(PREFIX)] = _text(node).strip()
    return found


def marked(text: str, version: str) -> str:
    """Serialised metadata with the mark set, all else as it was. Raises ValueError as `said`."""
    values = (after_edit(said(text)[PROPERTIES[0]]), PROGRAM, version)
    return saying(text, dict(zip(PROPERTIES, values, strict=True)))


def saying(text: str, values: Mapping[str, str]) -> str:
    """Serialised metadata that says this of `PROPERTIES`, and all else as it was. Raises ValueError as `said`."""
    document = _parsed(text)
    root = document.documentElement
    assert root is not None
    for node in _tags(document):
        root.removeChild(node)
    spaces = (node for node in root.childNodes if isinstance(node, minidom.Element) and node.tagName == "namespace")
    if not any(space.getAttribute("url") == IPTC for space in spaces):
        space = document.createElement("namespace")
        space.setAttribute("prefix", "iptcExt")
        space.setAttribute("url", IPTC)
        root.appendChild(space)
    for name, value in values.items():
        if value:
            tag = document.createElement("tag")
            tag.setAttribute("name", PREFIX + name)
            tag.appendChild(document.createTextNode(value))
            root.appendChild(tag)
    return str(document.toxml())


def _parsed(text: str) -> minidom.Document:
    try:
        document = minidom.parseString(text.encode())  # noqa: S318 - GIMP's own words, not a file's
    except expat.ExpatError as error:
        raise ValueError("GIMP's metadata can't be read") from error
    if document.documentElement is None or document.documentElement.tagName != "metadata":
        raise ValueError("GIMP's metadata can't be read")
    return document


def _tags(document: minidom.Document) -> list[minidom.Element]:
    wanted = {PREFIX + name for name in PROPERTIES}
    root = document.documentElement
    nodes = (node for node in (root.childNodes if root is not None else ()) if isinstance(node, minidom.Element))
    return [node for node in nodes if node.tagName == "tag" and node.getAttribute("name") in wanted]


def _text(node: minidom.Element) -> str:
    return "".join(part.data for part in node.childNodes if isinstance(part, minidom.Text))
