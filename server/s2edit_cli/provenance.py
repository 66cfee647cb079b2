"""Saying in the file that a model had a hand in it: IPTC's digital source type, as XMP.

`compositeWithTrainedAlgorithmicMedia` is IPTC's term (NewsCodes, digitalsourcetype) for a picture of which a part was
made by a model; it goes into the XMP property Iptc4xmpExt:DigitalSourceType (IPTC Photo Metadata Standard 2023.2).
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_META = "adobe:ns:meta/"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
MAX_XMP = 4 * 1024 * 1024
"""Bytes of existing XMP that are looked at; a longer one is left as it is."""


def with_source_type(xmp: bytes | None) -> bytes:
    """The XMP packet with the source type set, all else kept.

    An unreadable packet is returned unchanged: losing a photographer's metadata would be worse. Packets with a document
    type are not parsed, since entities could blow up.
    """
    if xmp is None:
        return _packet(ET.Element(f"{{{_META}}}xmpmeta"))
    text = xmp.rstrip(b"\0 \n")
    if len(text) > MAX_XMP or b"<!DOCTYPE" in text:
        return xmp
    try:
        root = ET.fromstring(text)  # noqa: S314 - no document type, bounded size
    except ET.ParseError:
        return xmp
    return _packet(root)


def _packet(root: ET.Element) -> bytes:
    for prefix, uri in (("x", _META), ("rdf", _RDF), ("Iptc4xmpExt", _IPTC)):
        ET.register_namespace(prefix, uri)
    rdf = root if root.tag == f"{{{_RDF}}}RDF" else root.find(f"{{{_RDF}}}RDF")
    if rdf is None:
        rdf = ET.SubElement(root, f"{{{_RDF}}}RDF")
    for description in rdf.findall(f"{{{_RDF}}}Description"):
        description.attrib.pop(f"{{{_IPTC}}}DigitalSourceType", None)
        for child in description.findall(f"{{{_IPTC}}}DigitalSourceType"):
            description.remove(child)
    ET.SubElement(
        rdf,
        f"{{{_RDF}}}Description",
        {f"{{{_RDF}}}about": "", f"{{{_IPTC}}}DigitalSourceType": SOURCE_TYPE},
    )
    body: bytes = ET.tostring(root, encoding="utf-8")
    return b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>' + body + b'<?xpacket end="w"?>'
