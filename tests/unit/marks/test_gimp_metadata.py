"""The mark in GIMP's serialised metadata: set, read, and taken back to what was said before."""

from __future__ import annotations

import pytest
from s2edit_marks import gimp_metadata
from s2edit_marks.terms import NEWSCODES, PROGRAM, SOURCE_TYPE, WHOLLY
from s2edit_marks.xmp import IPTC, PROPERTIES

OTHER = '<tag name="Xmp.dc.title">“Ö” &amp; more</tag><tag name="Exif.Image.Make">A camera</tag>'


def serialised(**said: str) -> str:
    tags = "".join(f'<tag name="Xmp.iptcExt.{name}">{value}</tag>' for name, value in said.items())
    return f"<?xml version='1.0' encoding='UTF-8'?>\n<metadata>{OTHER}{tags}</metadata>\n"


@pytest.mark.parametrize(
    ("said", "then"),
    [
        ({}, SOURCE_TYPE),
        ({"DigitalSourceType": NEWSCODES + "digitalCapture"}, SOURCE_TYPE),
        ({"DigitalSourceType": WHOLLY, "AISystemUsed": "Dream", "AISystemVersionUsed": "2"}, WHOLLY),
        ({"DigitalSourceType": SOURCE_TYPE, "AISystemUsed": PROGRAM, "AISystemVersionUsed": "0.1"}, SOURCE_TYPE),
    ],
)
def test_the_mark_is_set_and_what_was_said_before_comes_back(said: dict[str, str], then: str) -> None:
    text = serialised(**said)
    before = gimp_metadata.said(text)
    assert before == {name: said.get(name, "") for name in PROPERTIES}
    once = gimp_metadata.marked(text, "1")
    twice = gimp_metadata.marked(once, "2")
    assert tuple(gimp_metadata.said(twice).values()) == (then, PROGRAM, "2")
    assert twice.count(IPTC) == 1 and "“Ö” &amp; more" in twice and "A camera" in twice
    after = gimp_metadata.saying(twice, before)
    assert gimp_metadata.said(after) == before
    assert after.count("Xmp.iptcExt.") == len(said) and "“Ö” &amp; more" in after


@pytest.mark.parametrize("text", ["", "<metadata", "<other/>", "no XML"])
def test_what_is_no_metadata_is_refused(text: str) -> None:
    for act in (
        gimp_metadata.said,
        lambda one: gimp_metadata.marked(one, "1"),
        lambda one: gimp_metadata.saying(one, {}),
    ):
        with pytest.raises(ValueError, match="can't be read"):
            act(text)
