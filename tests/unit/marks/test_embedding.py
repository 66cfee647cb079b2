"""The mark put into files of other programs: read back by exiftool and ImageMagick's kin, every pixel as it was."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image
from s2edit_marks import carriers, embedding, gimp_metadata, xmp
from s2edit_marks.terms import NEWSCODES, PROGRAM, SOURCE_TYPE, WHOLLY

from .test_previews import exif

ENDINGS: dict[str, dict[str, Any]] = {
    "png": {},
    "jpg": {},
    "webp": {"lossless": True},
    "lossy.webp": {"Q": 80},
    "tif": {},
    "big.tif": {"bigtiff": True},
    "tiled.tif": {"tile": True, "compression": "deflate"},
}


def written(path: Path, *, alpha: bool = False, packet: bytes | None = None) -> Path:
    samples = np.random.default_rng(3).integers(0, 256, (40, 52, 4 if alpha else 3), dtype=np.uint8)
    image: Any = pyvips.Image.new_from_array(samples).copy(interpretation="srgb").copy()
    image.set_type(pyvips.GValue.blob_type, "exif-data", exif())
    if packet is not None:
        image.set_type(pyvips.GValue.blob_type, "xmp-data", packet)
    image.write_to_file(str(path), keep="all", **ENDINGS[path.name.partition(".")[2]])
    return path


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("had", [False, True])
def test_a_files_pixels_and_metadata_stay_and_the_mark_is_read_by_others(
    ending: str, alpha: bool, had: bool, tmp_path: Path
) -> None:
    if alpha and ending == "jpg":
        alpha = False
    described = '<r:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="me"/>'
    before = f'<r:RDF xmlns:r="{xmp.RDF}">{described}</r:RDF>'
    file = written(tmp_path / f"a.{ending}", alpha=alpha, packet=before.encode() if had else None)
    with Image.open(file) as picture:
        pixels, model = np.asarray(picture), picture.getexif().get(0x0110)
    for version in ("1", "2"):
        embedding.mark_file(file, version)
        with Image.open(file) as picture:
            assert np.array_equal(np.asarray(picture), pixels) and picture.getexif().get(0x0110) == model
        (packet,) = carriers.read(file).xmp
        assert xmp.read(packet) == xmp.Mark(SOURCE_TYPE, PROGRAM, version)
        assert (b"dc:source" in packet) == had
    assert sorted(path.name for path in tmp_path.iterdir()) == [file.name], "no draft is left"
    asked = ["exiftool", "-j", "-G1", "-validate", "-warning", "-a", "-XMP-iptcExt:DigitalSourceType", str(file)]
    told = json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)[0]
    assert told["XMP-iptcExt:DigitalSourceType"] == SOURCE_TYPE
    seen: Any = pyvips.Image.new_from_file(str(file), fail_on="error")
    assert seen.avg() > 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"GIF89a", "no place"),
        (b"", "no place"),
        (b"\xff\xd8\xff\xe0\0\x10", "damaged"),
        (b"RIFF\0\0\0\0WEBP", "damaged"),
        (b"II*\0\xff\xff\xff\xff", "damaged"),
    ],
)
def test_what_cannot_carry_it_stays_as_it_was(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(embedding.CannotEmbed, match=words):
        embedding.mark_file(tmp_path / "a", "1")
    assert (tmp_path / "a").read_bytes() == content and len(list(tmp_path.iterdir())) == 1


def test_gimps_form_of_metadata() -> None:
    tag = '<tag name="Xmp.iptcExt.{}">{}</tag>'
    other = '<tag name="Exif.Image.Model">“A” &amp; B</tag>'
    for before, says in ((f"{NEWSCODES}digitalCapture", SOURCE_TYPE), (WHOLLY, WHOLLY), ("", SOURCE_TYPE)):
        held = tag.format("DigitalSourceType", before) if before else ""
        text = f"<?xml version='1.0' encoding='UTF-8'?>\n<metadata>\n{other}\n{held}</metadata>\n"
        once = gimp_metadata.marked(text, "1")
        twice = gimp_metadata.marked(once, "2")
        assert twice.count("Xmp.iptcExt.") == 3 and twice.count("<namespace") == 1 and other in twice
        assert tag.format("DigitalSourceType", says) in twice and tag.format("AISystemVersionUsed", "2") in twice
    for wrong in ("", "<other/>", "<metadata>"):
        with pytest.raises(ValueError, match="can't be read"):
            gimp_metadata.marked(wrong, "1")
