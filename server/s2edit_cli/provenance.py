"""Saying in the file that a model had a hand in it: IPTC's digital source type, as XMP.

`compositeWithTrainedAlgorithmicMedia` is IPTC's term (NewsCodes, digitalsourcetype) for a picture of which a part was
made by a model; it goes into the XMP property Iptc4xmpExt:DigitalSourceType (IPTC Photo Metadata Standard 2023.2).
"""

from __future__ import annotations

import shutil
import struct
import zlib
from typing import BinaryIO
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


def put_into_png(xmp: bytes, png: BinaryIO, target: BinaryIO) -> None:
    """Copy a PNG stream that has no XMP, with this packet put in as XMP's specification (part 3, 1.1.5) asks for.

    libvips writes it compressed (`zTXt`, 8.18), where other programs don't look for it or take its UTF-8 for Latin-1.
    """
    # The signature and IHDR, which comes first and has a fixed size.
    target.write(png.read(8 + 25))
    # Keyword, not compressed, by no method, no language, no translated keyword.
    body = b"iTXt" + b"XML:com.adobe.xmp" + bytes(5) + xmp
    target.write(struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)))
    shutil.copyfileobj(png, target, 1 << 20)


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
