"""The mark in an image's metadata as GIMP hands it out and takes it back (`Gimp.Metadata.serialize`). Standard library.

GIMP keeps it with the image, saves it in XCF files, undoes changes of it, and exports it with “Save XMP data”.
"""

from __future__ import annotations

from xml.dom import minidom
from xml.parsers import expat

from .terms import PROGRAM, after_edit
from .xmp import IPTC, PROPERTIES

PREFIX = "Xmp.iptcExt."
"""exiv2's names of IPTC's extension properties."""


def marked(text: str, version: str) -> str:
    """Serialised metadata with the mark set, all else as it was.

    Raises:
        ValueError: it is none.
    """
    try:
        document = minidom.parseString(text.encode())  # noqa: S318 - GIMP's own words, not a file's
    except expat.ExpatError as error:
        raise ValueError("GIMP's metadata can't be read") from error
    root, before = document.documentElement, ""
    if root is None or root.tagName != "metadata":
        raise ValueError("GIMP's metadata can't be read")
    known = False
    for node in [child for child in root.childNodes if isinstance(child, minidom.Element)]:
        known |= node.tagName == "namespace" and node.getAttribute("url") == IPTC
        name = node.getAttribute("name")
        if node.tagName == "tag" and name in {PREFIX + wanted for wanted in PROPERTIES}:
            if name == PREFIX + PROPERTIES[0]:
                before = "".join(part.data for part in node.childNodes if isinstance(part, minidom.Text)).strip()
            root.removeChild(node)
    if not known:
        space = document.createElement("namespace")
        space.setAttribute("prefix", "iptcExt")
        space.setAttribute("url", IPTC)
        root.appendChild(space)
    for name, value in zip(PROPERTIES, (after_edit(before), PROGRAM, version), strict=True):
        tag = document.createElement("tag")
        tag.setAttribute("name", PREFIX + name)
        tag.appendChild(document.createTextNode(value))
        root.appendChild(tag)
    return str(document.toxml())
