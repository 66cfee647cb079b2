"""The mark in an XMP packet: set, read, taken back; all else in the packet stays as it is. Standard library only.

IPTC Photo Metadata Standard 2025.1: Iptc4xmpExt:DigitalSourceType, AISystemUsed, AISystemVersionUsed and
AIPromptInformation. Packets: XMP specification part 1 (ISO 16684-1:2019), 7.3 and 7.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.dom import minidom
from xml.parsers import expat

from .terms import PROGRAM, after_edit

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
META = "adobe:ns:meta/"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
OURS = "urn:s2edit:marks"
"""Namespace of the one property of our own: the source type before, so that taking the mark back restores it."""
PROPERTIES = ("DigitalSourceType", "AISystemUsed", "AISystemVersionUsed")
"""IPTC's names of what `Mark` holds, in its order."""
MAX_XMP = 4 * 1024 * 1024
"""Bytes of XMP that are parsed."""
MAX_DEPTH = 64
"""Elements within elements; the deepest structures that programs write have about ten."""
MAX_ELEMENTS = 100_000
_HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
_TAIL = '<?xpacket end="w"?>'


class Unreadable(ValueError):
    """The packet is no XMP that can be changed without risk; the message says why."""


@dataclass(frozen=True)
class Mark:
    """What an XMP packet says about models.

    Args:
        source_type: IPTC's digital source type, as it stands there, or "".
        system, version: the AI system used and its version, or "".
    """

    source_type: str = ""
    system: str = ""
    version: str = ""


def marked(packet: bytes | None, version: str, prompt: str = "") -> bytes:
    """The packet with the mark set; a digital source type that says more already stays.

    Args:
        packet: what the picture has, or None.
        version: this program's.
        prompt: what was asked of the model, where the painter wants it told.
    Raises:
        Unreadable: it can't be parsed, has a document type (whose entities could blow up), or is too large.
    """
    document = parse(packet) if packet else None
    if document is None:
        document = minidom.Document()
        document.appendChild(document.createElementNS(META, "x:xmpmeta")).setAttribute("xmlns:x", META)
    before = read_from(document)
    kept = before.source_type if before.system != PROGRAM else take(document, OURS, "SourceTypeBefore")
    for name in PROPERTIES:
        take(document, IPTC, name)
    values = {
        "DigitalSourceType": after_edit(before.source_type),
        "AISystemUsed": PROGRAM,
        "AISystemVersionUsed": version,
    }
    if prompt:
        take(document, IPTC, "AIPromptInformation")
        values["AIPromptInformation"] = prompt
    added = _description(document)
    added.setAttribute("xmlns:Iptc4xmpExt", IPTC)
    for name, value in values.items():
        added.setAttributeNS(IPTC, f"Iptc4xmpExt:{name}", value)
    if kept:
        added.setAttribute("xmlns:s2edit", OURS)
        added.setAttributeNS(OURS, "s2edit:SourceTypeBefore", kept)
    return serialise(document)


def unmarked(packet: bytes) -> bytes | None:
    """The packet without this program's mark, as it was before; None when nothing else is in it.

    Raises:
        Unreadable: as `marked`.
    """
    document = parse(packet)
    if read_from(document).system != PROGRAM:
        return packet
    before = take(document, OURS, "SourceTypeBefore")
    for name in (*PROPERTIES, "AIPromptInformation"):
        take(document, IPTC, name)
    for found in list(descriptions(document)):
        if found.parentNode and not found.childNodes and not any(map(_is_property, _attributes(found))):
            found.parentNode.removeChild(found)
    if before:
        added = _description(document)
        added.setAttribute("xmlns:Iptc4xmpExt", IPTC)
        added.setAttributeNS(IPTC, "Iptc4xmpExt:DigitalSourceType", before)
    return serialise(document) if any(descriptions(document)) else None


def read(packet: bytes) -> Mark:
    """What the packet says; an empty mark for nothing. Raises Unreadable as `marked`."""
    return read_from(parse(packet))


def read_from(document: minidom.Document) -> Mark:
    """What a parsed packet says."""
    return Mark(*(find(document, IPTC, name) for name in PROPERTIES))


def parse(packet: bytes) -> minidom.Document:
    """The packet as a document that can be changed. Raises Unreadable as `marked`."""
    text = packet if packet[:2] in (b"\xff\xfe", b"\xfe\xff") else packet.strip(b"\0 \t\r\n")
    if len(text) > MAX_XMP:
        raise Unreadable(f"it is over {MAX_XMP >> 20} MiB")
    try:
        _check(text)
        return minidom.parseString(text)  # noqa: S318 - checked: no document type, bounded in size and depth
    except (expat.ExpatError, LookupError, UnicodeError, ValueError) as error:
        raise error if isinstance(error, Unreadable) else Unreadable("it is no well-formed XML") from error


def serialise(document: minidom.Document) -> bytes:
    """The document as a packet with its wrapper."""
    parts = [node.toxml() for node in document.childNodes]
    wrapped = parts[0].startswith("<?xpacket")
    return "".join(parts if wrapped else [_HEAD, *parts, _TAIL]).encode()


def descriptions(document: minidom.Document) -> Iterator[minidom.Element]:
    """The top level descriptions, which hold the properties."""
    for node in document.getElementsByTagNameNS(RDF, "RDF")[:1]:
        yield from _children(node, RDF, "Description")


def find(document: minidom.Document, space: str, name: str) -> str:
    """A simple property's text, "" when it is not there."""
    for found in descriptions(document):
        if found.hasAttributeNS(space, name):
            return str(found.getAttributeNS(space, name)).strip()
        for child in _children(found, space, name):
            resource = child.getAttributeNS(RDF, "resource")
            return str(resource).strip() if resource else _text(child).strip()
    return ""


def take(document: minidom.Document, space: str, name: str | None) -> str:
    """Take a property out, or all of a namespace for None; returns what `find` would have said, "" for a namespace."""
    value = find(document, space, name) if name else ""
    for found in descriptions(document):
        for attribute in _attributes(found):
            if attribute.namespaceURI == space and name in (None, attribute.localName):
                found.removeAttributeNode(attribute)
        for child in _children(found, space, name):
            found.removeChild(child)
    return value


def _check(text: bytes) -> None:
    """Walk over the text without building anything; raises Unreadable or ExpatError."""
    parser, depth, count = expat.ParserCreate(), 0, 0

    def opened(*_: object) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > MAX_DEPTH or count > MAX_ELEMENTS:
            raise Unreadable("its elements are too many or too deep")

    def closed(_: object) -> None:
        nonlocal depth
        depth -= 1

    def document_type(*_: object) -> None:
        raise Unreadable("it has a document type")

    parser.StartElementHandler, parser.EndElementHandler = opened, closed
    parser.StartDoctypeDeclHandler = document_type
    parser.Parse(text, True)


def _description(document: minidom.Document) -> minidom.Element:
    """A new description. All of a packet have to be about the same thing (7.4), so it takes over what they say."""
    first = next(descriptions(document), None)
    nodes = document.getElementsByTagNameNS(RDF, "RDF")
    if nodes:
        rdf = nodes[0]
    else:
        rdf = document.createElementNS(RDF, "rdf:RDF")
        rdf.setAttribute("xmlns:rdf", RDF)
        (document.documentElement or document).appendChild(rdf)
    added = document.createElementNS(RDF, "rdf:Description")
    added.setAttribute("xmlns:rdf", RDF)
    added.setAttributeNS(RDF, "rdf:about", first.getAttributeNS(RDF, "about") if first is not None else "")
    rdf.appendChild(added)
    return added


def _attributes(node: minidom.Element) -> list[minidom.Attr]:
    found = (node.attributes.item(at) for at in range(node.attributes.length))
    return [attribute for attribute in found if isinstance(attribute, minidom.Attr)]


def _is_property(attribute: minidom.Attr) -> bool:
    return attribute.namespaceURI not in (RDF, "http://www.w3.org/2000/xmlns/")


def _children(node: minidom.Element, space: str, name: str | None) -> list[minidom.Element]:
    return [
        child
        for child in node.childNodes
        if isinstance(child, minidom.Element) and child.namespaceURI == space and name in (None, child.localName)
    ]


def _text(node: minidom.Element) -> str:
    return "".join(child.data for child in node.childNodes if isinstance(child, minidom.Text))
