"""Thumbnails of the picture before: in EXIF, makers' notes, Photoshop's resources, PNG texts; exiftool looks too."""

from __future__ import annotations

import io
import json
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
import pyvips
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from s2edit_marks import previews, terms
from s2edit_marks.pictures import ready, save_png


def jpeg(colour: str = "red") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(file, "jpeg")
    return file.getvalue()


OLD = jpeg()


def exif(order: str = "<") -> bytes:
    """EXIF with GPS, a thumbnail, and a preview in the maker's note; offsets count from the TIFF header."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    note = b"MAKER\0" + OLD + b"after the preview"

    def directory(entries: list[tuple[int, int, int, int]], following: int) -> bytes:
        body = b"".join(struct.pack(order + "HHII", *entry) for entry in entries)
        return struct.pack(order + "H", len(entries)) + body + struct.pack(order + "I", following)

    # Header 8; IFD0 with three entries 42; Exif IFD with one 18; GPS with one 18; IFD1 with three 42.
    first, photo, gps, second = 8, 50, 68, 86
    data = 128
    parts = [mark + struct.pack(order + "I", first)]
    model = b"Camera\0\0"
    parts.append(directory([(0x0110, 2, 8, data), (0x8769, 4, 1, photo), (0x8825, 4, 1, gps)], second))
    parts.append(directory([(0x927C, 7, len(note), data + 8)], 0))
    version = struct.unpack(order + "I", bytes((2, 3, 0, 0)))[0]
    parts.append(directory([(0x0000, 1, 4, version)], 0))
    thumbnail = data + 8 + len(note)
    compressed = 6 if order == "<" else 6 << 16
    parts.append(directory([(0x0103, 3, 1, compressed), (0x0201, 4, 1, thumbnail), (0x0202, 4, 1, len(OLD))], 0))
    return b"Exif\0\0" + b"".join(parts) + model + note + OLD


def resource(number: int, content: bytes, name: bytes = b"") -> bytes:
    named = bytes((len(name),)) + name
    named += bytes(len(named) & 1)
    return (
        b"8BIM"
        + struct.pack(">H", number)
        + named
        + struct.pack(">I", len(content))
        + content
        + bytes(len(content) & 1)
    )


IPTC = resource(0x0404, b"\x1c\x02\x50\0\x02Me")


@pytest.mark.parametrize("order", "<>")
def test_exif_loses_thumbnail_and_makers_preview_and_nothing_else(order: str) -> None:
    before = exif(order)
    after = previews.from_exif(before)
    assert len(after) == len(before) and OLD not in after and b"\xff\xd8\xff" not in after
    assert b"Camera" in after and b"after the preview" in after
    assert previews.from_exif(after) == after
    assert previews.from_exif(before[6:]) == after[6:], "TIFF and PNG have it without a header"


@pytest.mark.parametrize("cut", [0, 1, 5, 6, 8, 13, 14, 40, 200, 400])
def test_a_damaged_block_stays_a_block(cut: int) -> None:
    for block in (exif()[:cut], exif()[:10] + b"\xff" * cut, b"II*\0" + b"\xff" * cut):
        assert len(previews.from_exif(block)) == len(block)
    whole = b"Photoshop 3.0\0" + IPTC + resource(0x040C, OLD)
    assert whole[:cut].startswith(previews.from_photoshop(whole[:cut])[: len(b"Photoshop 3.0\0" + IPTC)])


def test_photoshops_thumbnails_go_and_iptc_stays() -> None:
    for head in (b"", b"Photoshop 3.0\0"):
        block = head + IPTC + resource(0x0409, OLD, b"odd") + resource(0x040C, OLD + b"x") + resource(0x0425, bytes(16))
        assert previews.from_photoshop(block) == head + IPTC + resource(0x0425, bytes(16))
    assert previews.from_photoshop(IPTC + b"no resource") == IPTC + b"no resource"


def told(file: Path) -> dict[str, Any]:
    """What exiftool finds, makers' notes and text chunks included."""
    ran = subprocess.run(["exiftool", "-j", "-a", "-u", "-G1", str(file)], capture_output=True, check=True)
    found: dict[str, Any] = json.loads(ran.stdout)[0]
    return found


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
def test_a_written_file_shows_nothing_of_the_picture_before(ending: str, tmp_path: Path) -> None:
    source, out = tmp_path / "in.jpg", tmp_path / f"out.{ending}"
    photoshop = b"Photoshop 3.0\0" + IPTC + resource(0x040C, b"\0\0\0\1" + bytes(24) + OLD)
    app = b"".join(
        b"\xff" + bytes((code,)) + struct.pack(">H", len(data) + 2) + data
        for code, data in ((0xE1, exif()), (0xED, photoshop))
    )
    picture = jpeg("blue")
    source.write_bytes(picture[:2] + app + picture[2:])
    assert "IFD1:ThumbnailImage" in told(source) and OLD in source.read_bytes()
    image: Any = pyvips.Image.jpegload(str(source))
    ready(image, "1").image.write_to_file(str(out), keep="all")
    found = told(out)
    assert not [name for name in found if "Thumbnail" in name or "Preview" in name], found
    assert OLD[2:200] not in out.read_bytes()
    if ending != "tif":  # libvips writes no EXIF into TIFF
        assert found["IFD0:Model"] == "Camera" and found["GPS:GPSVersionID"] == "2.3.0.0"


def test_a_pngs_texts_are_cleaned_and_kept_as_they_were(tmp_path: Path) -> None:
    """ImageMagick before version 7 kept EXIF as hexadecimal text; thumbnails name the picture that they show."""
    digits = exif().hex()
    lines = ["", "exif", f"{len(digits) // 2:8d}", *(digits[at : at + 72] for at in range(0, len(digits), 72)), ""]
    told = {
        "Raw profile type exif": "\n".join(lines),
        "Thumb::URI": "file:///old",
        "Creation Time": "a “Tuesday”",
        "parameters": "robot, Steps: 20",
    }
    texts = PngInfo()
    for name, text in told.items():
        texts.add_itxt(name, text)
    Image.new("RGB", (32, 32)).save(tmp_path / "in.png", pnginfo=texts)
    cleaned = ready(pyvips.Image.pngload(str(tmp_path / "in.png")), "1").image
    with (tmp_path / "out.png").open("wb") as file:
        save_png(cleaned, file, keep="all")
    with Image.open(tmp_path / "out.png") as picture:
        picture.load()
        found = {name: text for name, text in picture.info.items() if name in told}
        assert terms.SOURCE_TYPE in picture.info["XML:com.adobe.xmp"]
    raw = found.pop("Raw profile type exif").replace("\n", "")
    assert OLD.hex()[:60] not in raw and b"Camera".hex() in raw
    assert found == {name: told[name] for name in ("Creation Time", "parameters")}
