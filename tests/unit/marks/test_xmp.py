"""Packets of other programs, hostile ones, and the mark set, read and taken back in them."""

from __future__ import annotations

import pytest
from s2edit_marks import previews, xmp
from s2edit_marks.terms import NEWSCODES, PROGRAM, SOURCE_TYPE, WHOLLY

RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
EXT = f'xmlns:Iptc4xmpExt="{xmp.IPTC}"'
DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'


def packet(*descriptions: str) -> bytes:
    body = (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 6.0"><rdf:RDF {RDF}>{"".join(descriptions)}</rdf:RDF>'
    )
    return f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{body}</x:xmpmeta><?xpacket end="w"?>'.encode()


CAMERA = (
    f'<rdf:Description rdf:about="uuid:7" {DC} dc:source="my camera">'
    "<dc:title>“Ö” &amp; &lt;b&gt;</dc:title></rdf:Description>"
)
CAPTURED = f'<rdf:Description rdf:about="uuid:7" {EXT} Iptc4xmpExt:DigitalSourceType="{NEWSCODES}digitalCapture"/>'
AS_ELEMENT = (
    f"<rdf:Description {EXT}>"
    f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{NEWSCODES}digitalCapture"/></rdf:Description>'
)
OTHER_PREFIX = (
    f'<rdf:Description xmlns:e="{xmp.IPTC}" xmlns:Iptc4xmpExt="urn:other" e:DigitalSourceType="{NEWSCODES}x"/>'
)
GENERATED = f'<rdf:Description {EXT} Iptc4xmpExt:DigitalSourceType="{WHOLLY}" Iptc4xmpExt:AISystemUsed="Dream"/>'


@pytest.mark.parametrize(
    ("before", "kept", "says"),
    [
        (None, b"", SOURCE_TYPE),
        (packet(), b"x:xmptk", SOURCE_TYPE),
        (packet(CAMERA), "<dc:title>“Ö” &amp; &lt;b&gt;</dc:title>".encode(), SOURCE_TYPE),
        (packet(CAPTURED, CAMERA), b'dc:source="my camera"', SOURCE_TYPE),
        (packet(AS_ELEMENT), b"x:xmpmeta", SOURCE_TYPE),
        (packet(OTHER_PREFIX), b"urn:other", SOURCE_TYPE),
        (packet(GENERATED), b"", WHOLLY),
        (f"<rdf:RDF {RDF}/>".encode(), b"rdf:RDF", SOURCE_TYPE),
        (packet(CAMERA).decode().encode("utf-16"), b"my camera", SOURCE_TYPE),
        (packet(CAMERA) + b" " * 2_000 + b"\n\0", b"my camera", SOURCE_TYPE),
    ],
)
def test_the_mark_is_set_once_and_all_else_stays(before: bytes | None, kept: bytes, says: str) -> None:
    once = xmp.marked(before, "1.2")
    twice = xmp.marked(once, "1.3", prompt="a “hat” & <more>")
    for text, version in ((once, "1.2"), (twice, "1.3")):
        assert xmp.read(text) == xmp.Mark(says, PROGRAM, version)
        assert kept in text and text.count(b"DigitalSourceType=") == 1
    assert xmp.find(xmp.parse(twice), xmp.IPTC, "AIPromptInformation") == "a “hat” & <more>"
    abouts = {node.getAttributeNS(xmp.RDF, "about") for node in xmp.descriptions(xmp.parse(twice))}
    assert len(abouts) == 1, "all descriptions are about one thing"


@pytest.mark.parametrize(
    "before", [packet(CAMERA), packet(CAPTURED, CAMERA), packet(GENERATED), packet(AS_ELEMENT, CAMERA)]
)
def test_the_mark_taken_back_leaves_what_was(before: bytes) -> None:
    after = xmp.unmarked(xmp.marked(xmp.marked(before, "1"), "2"))
    assert after is not None
    source_type = xmp.read(before).source_type
    assert xmp.read(after).source_type == source_type and PROGRAM.encode() not in after
    assert (b"my camera" in after) == (b"my camera" in before)
    assert xmp.unmarked(before) == before, "what is not ours is left alone"
    assert xmp.unmarked(xmp.marked(None, "1")) is None


@pytest.mark.parametrize(
    "hostile",
    [
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
        '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'.encode("utf-16"),
        b"<a>" * 200 + b"</a>" * 200,
        b"<x>" + b"<a/>" * 150_000 + b"</x>",
        b"<x",
        b"",
        b"\xff\xfe\0",
        b'<?xml version="1.0" encoding="no-such"?><x/>',
        b"<x>" + b" " * xmp.MAX_XMP + b"</x>",
    ],
)
def test_what_cannot_be_parsed_is_refused_in_words(hostile: bytes) -> None:
    for act in (xmp.read, xmp.unmarked, previews.from_xmp):
        with pytest.raises(xmp.Unreadable, match=r"^it(s| )"):
            act(hostile)


PREVIEWS = {
    "thumbnail": '<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="3">'
    "<xmp:Thumbnails><rdf:Alt><rdf:li "
    'xmlns:g="http://ns.adobe.com/xap/1.0/g/img/" g:image="OLD"/></rdf:Alt></xmp:Thumbnails></rdf:Description>',
    "motion photo": '<rdf:Description xmlns:G="http://ns.google.com/photos/1.0/camera/" G:MotionPhoto="OLD" '
    'G:MicroVideoOffset="OLD" G:burst_id="keep" xmlns:C="http://ns.google.com/photos/1.0/container/">'
    "<C:Directory><rdf:Seq><rdf:li>OLD</rdf:li></rdf:Seq></C:Directory></rdf:Description>",
    "gain map": '<rdf:Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="OLD" '
    'xmlns:H="http://ns.apple.com/HDRGainMap/1.0/" H:HDRGainMapVersion="OLD"/>',
    "depth": '<rdf:Description xmlns:D="http://ns.google.com/photos/1.0/depthmap/" D:Mime="OLD"/>',
    "extended": '<rdf:Description xmlns:n="http://ns.adobe.com/xmp/note/" n:HasExtendedXMP="OLD"/>',
}


@pytest.mark.parametrize("name", PREVIEWS)
def test_claims_about_the_picture_before_go_and_the_rest_stays(name: str) -> None:
    after = previews.from_xmp(packet(PREVIEWS[name], CAMERA))
    assert b"OLD" not in after and b"my camera" in after
    assert (b"Rating" in after, b"keep" in after) == (name == "thumbnail", name == "motion photo")
    assert previews.from_xmp(after) == after and previews.from_xmp(packet(CAMERA)) == packet(CAMERA)
