"""`s2edit detect` on files of ours, of other programs, of neither kind, and on hostile ones."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from s2edit_cli import pictures, writing
from s2edit_cli.main import main
from s2edit_cli.marking import marking
from s2edit_marks import carriers, detection, xmp
from s2edit_marks.terms import NEWSCODES, SOURCE_TYPE, WHOLLY

from .test_watermark import edited, photo

ENDINGS = ("png", "jpg", "webp", "tif")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2EDIT_HOME", str(tmp_path / "state"))


def picture(path: Path, seed: int = 0) -> Path:
    """A picture of soft noise, of no program that leaves marks."""
    small: Any = pyvips.Image.new_from_array(np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8))
    small.copy(interpretation="srgb").resize(4).write_to_file(str(path))
    return path


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_layer_of_a_file_of_ours(ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = pictures.open_picture(picture(tmp_path / f"in.{ending}")), tmp_path / f"out.{ending}"
    writing.save(source.image, out, marking(source, out))
    assert main(["detect", "--json", str(source.path), str(out)]) == 0
    told = json.loads(capsys.readouterr().out)
    before, after = told["files"]
    assert (before["says_model"], before["marks"], told["exit_code"]) == (False, [], 0)
    packet, manifest = after["marks"]
    assert packet == {"layer": "xmp", "says_model": True, "source_type": SOURCE_TYPE, "system": "S²Edit", **VERSION}
    assert manifest["state"] == "Valid" and manifest["self_made"] and manifest["source_types"] == [SOURCE_TYPE]
    assert main(["detect", str(out)]) == 0
    assert "self-made credential: whole; who signed is on no list" in capsys.readouterr().out


VERSION = {"version": version("s2edit")}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_changed_file_is_told_as_such(ending: str, tmp_path: Path) -> None:
    source, out = pictures.open_picture(picture(tmp_path / f"in.{ending}")), tmp_path / f"out.{ending}"
    writing.save(source.image, out, marking(source, out))
    data = out.read_bytes()
    at = data.index(b"AISystemUsed")  # covered by the signature, and no pixel
    out.write_bytes(data[:at] + b"B" + data[at + 1 :])
    (manifest,) = (mark for mark in detection.detect(out).marks if mark.layer == "c2pa")
    assert manifest.details["state"] == "Invalid" and "not to be relied on" in manifest.sentence


def test_the_watermark_is_told_when_nothing_else_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(edited(photo())).save(tmp_path / "a.jpg", quality=80)
    assert main(["detect", "--json", str(tmp_path / "a.jpg")]) == 0
    (mark,) = json.loads(capsys.readouterr().out)["files"][0]["marks"]
    assert (mark["layer"], mark["scale"]) == ("watermark", 1) and mark["score"] >= mark["threshold"]


def test_a_hundred_pictures_of_neither_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [picture(tmp_path / f"{seed}.{ENDINGS[seed % 4]}", seed) for seed in range(100)]
    assert main(["detect", "--json", *map(str, files)]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [finding["marks"] + finding["unread"] for finding in told["files"]] == [[]] * 100
    assert detection.NOTHING in told["files"][0]["sentences"]


LARGE = "looked for at the picture's own size alone"


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("cut", [False, True])
def test_a_large_picture_is_looked_through_once_and_says_how_far(
    cut: bool, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"large.{ending}"
    Image.effect_noise((2_100, 1_200), 40).convert("RGB").save(path)
    if cut:
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 9 // 10])
    monkeypatch.setattr(detection, "MANY_PIXELS", 2_000_000)
    heard: list[int] = []
    found = detection.detect(path, watch=lambda _file, percent: heard.append(percent))
    (said,) = found.unread
    assert LARGE in said or (cut and "can't be decoded" in said)
    assert not found.says_model and heard == sorted(heard)
    assert not heard or (heard[0], len(heard)) == (0, 4 * 2), "each piece once, at one size"


def test_a_search_ends_when_its_listener_says_so(tmp_path: Path) -> None:
    def stop(_file: Path, _percent: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        detection.detect(picture(tmp_path / "a.png"), watch=stop)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_picture_that_is_too_large_is_not_decoded(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection, "MAX_PIXELS", 64 * 48 - 1)
    monkeypatch.setattr(pyvips.Image, "numpy", lambda _image: pytest.fail("decoded"))
    (said,) = detection.detect(picture(tmp_path / f"a.{ending}")).unread
    assert said.startswith("No watermark was looked for: the picture has over")


def test_the_largest_webp_is_refused_by_its_header(tmp_path: Path) -> None:
    """16,383 pixels a side, which would be 805 MB of samples (RFC 6386, 9.1: two sides of 14 bits)."""
    path = tmp_path / "large.webp"
    Image.effect_noise((64, 48), 40).convert("RGB").save(path, lossless=False)
    data = bytearray(path.read_bytes())
    assert data[12:16] == b"VP8 " and data[23:26] == b"\x9d\x01\x2a"
    data[26:30] = struct.pack("<HH", 16_383, 16_383)
    path.write_bytes(data)
    (said,) = detection.detect(path).unread
    assert said.startswith("No watermark was looked for: the picture has over 100 million pixels")


@pytest.mark.parametrize(
    ("keyword", "text", "program"),
    [
        ("parameters", "a cat\nSteps: 20, Sampler: Euler", "Stable Diffusion web UI"),
        ("prompt", '{"3": {"class_type": "KSampler"}}', "ComfyUI"),
        ("invokeai_metadata", '{"generation_mode": "txt2img"}', "InvokeAI"),
        ("parameters", "of the camera", None),
        ("Software", "GIMP", None),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_notes_of_generators(keyword: str, text: str, program: str | None, zipped: bool, tmp_path: Path) -> None:
    info = PngInfo()
    info.add_text(keyword, text, zip=zipped)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", pnginfo=info)
    assert [mark.details["program"] for mark in detection.detect(tmp_path / "a.png").marks] == [program] * bool(program)


def other_xmp(term: str) -> bytes:
    """What another program may write: the property as an element, in a packet without a wrapper."""
    element = f'<e:DigitalSourceType xmlns:e="{xmp.IPTC}">{NEWSCODES}{term}</e:DigitalSourceType>'
    inner = f'<r:RDF xmlns:r="{xmp.RDF}"><r:Description>{element}</r:Description></r:RDF>'
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{inner}</x:xmpmeta>'.encode()


def carried_by(kind: str, packet: bytes, folder: Path) -> Path:
    """A file of that kind that carries the packet."""
    path = folder / f"other.{kind}"
    if kind in ENDINGS:
        image: Any = pyvips.Image.black(16, 16, bands=3).copy(interpretation="srgb").copy()
        image.set_type(pyvips.GValue.blob_type, "xmp-data", packet)
        image.write_to_file(str(path), keep="all")
    elif kind == "kra":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("mimetype", "application/x-krita")
            archive.writestr("n/annotations/s2edit-marks", packet)
    elif kind == "ora":
        png = io.BytesIO()
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet.decode())
        Image.new("RGB", (8, 8)).save(png, "png", pnginfo=info)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("mergedimage.png", png.getvalue())
    elif kind == "gif":
        path.write_bytes(b"GIF89a" + bytes(20) + b"\x21\xff\x0bXMP DataXMP" + packet + bytes(range(256)))
    else:
        path.write_bytes(bytes(2_000_000 - 20) + packet + bytes(50))  # across the blocks that are read
    return path


@pytest.mark.parametrize("kind", [*ENDINGS, "kra", "ora", "gif", "psd"])
@pytest.mark.parametrize(("term", "says"), [("trainedAlgorithmicMedia", True), ("digitalCapture", False)])
def test_packets_of_other_programs_in_every_carrier(kind: str, term: str, says: bool, tmp_path: Path) -> None:
    found = detection.detect(carried_by(kind, other_xmp(term), tmp_path))
    (mark,) = found.marks
    assert (mark.layer, mark.says_model, found.says_model, mark.details["source_type"]) == (
        "xmp",
        says,
        says,
        NEWSCODES + term,
    )
    assert says == (mark.details["source_type"] == WHOLLY)


def _chunk(name: bytes, data: bytes, size: int | None = None) -> bytes:
    length = struct.pack(">I", len(data) if size is None else size)
    return length + name + data + struct.pack(">I", zlib.crc32(name + data))


HOSTILE = {
    "png that lies about a length": b"\x89PNG\r\n\x1a\n" + _chunk(b"iTXt", b"XML:com.adobe.xmp\0", 2**31 - 1),
    "png bomb": b"\x89PNG\r\n\x1a\n" + _chunk(b"zTXt", b"parameters\0\0" + zlib.compress(bytes(200_000_000), 9)),
    "png with a broken stream": b"\x89PNG\r\n\x1a\n" + _chunk(b"zTXt", b"XML:com.adobe.xmp\0\0no zlib"),
    "jpeg of fill bytes": b"\xff\xd8\xff" + b"\xff" * 500_000,
    "jpeg with a short segment": b"\xff\xd8\xff\xe1\0\0",
    "webp": b"RIFF\xff\xff\xff\xffWEBPXMP \xff\xff\xff\xff",
    "tiff that points at itself": b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 700, 1, 2**22, 0),
    "bigtiff": b"II+\0\x08\0\0\0" + b"\xff" * 40,
    "xcf": b"gimp xcf v011\0" + bytes(16) + struct.pack(">II", 21, 60) + b"\xff" * 60,
    "old xcf": b"gimp xcf file\0" + b"\xff" * 90,
    "zip": b"PK\x03\x04" + b"\xff" * 90,
    "endless packet": b"<x:xmpmeta" * 900_000,
    "empty": b"",
    "text": b"a text of nobody",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.timeout(30)
def test_hostile_files_are_read_within_bounds(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(HOSTILE[name])
    assert not detection.detect(tmp_path / "file").says_model
    assert sum(map(len, carriers.read(tmp_path / "file").xmp)) <= carriers.MAX_PACKET


def test_what_is_not_there_is_told_and_the_rest_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = picture(tmp_path / "a.png")
    assert main(["detect", "--json", str(tmp_path / "none.png"), str(there)]) == 3
    missing, found = json.loads(capsys.readouterr().out)["files"]
    assert "No such file" in missing["error"] and found["file"] == str(there)
