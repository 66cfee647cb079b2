"""Pictures come in, go to sRGB and back, and come out as they were wherever the result's alpha is 0."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from s2edit_cli import colour, composite, masks, openraster, pictures, targets, writing
from s2edit_cli.marking import marking
from s2edit_marks import terms
from s2edit_wire.errors import WireError

HEIGHT, WIDTH = 60, 80
CROP = (10, 8, 48, 40)


def noise(bands: int, dtype: type, seed: int = 1) -> NDArray[Any]:
    top = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, top, (HEIGHT, WIDTH, bands), dtype=dtype, endpoint=True)


def vips(samples: NDArray[Any], *, profile: str | None = None) -> pyvips.Image:
    deep, colours = samples.dtype == np.uint16, samples.shape[2] > 2
    name = {(False, False): "b-w", (True, False): "grey16", (False, True): "srgb", (True, True): "rgb16"}[deep, colours]
    image = pyvips.Image.new_from_array(samples).copy(interpretation=name)
    if profile:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", pyvips.Image.profile_load(profile))
    return image


def alpha_plane(dtype: type) -> NDArray[Any]:
    plane: NDArray[Any] = np.zeros((CROP[3], CROP[2], 1), dtype)
    plane[10:30, 12:36] = np.iinfo(dtype).max
    plane[8:10, 12:36] = 1
    return plane


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_only_what_alpha_covers_changes(tmp_path: Path, bands: int, dtype: type, suffix: str) -> None:
    if suffix == ".webp" and (dtype == np.uint16 or bands < 3):
        bands, dtype = 3, np.uint8
    source, out = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    samples = noise(bands, dtype)
    vips(samples).write_to_file(str(source), **({"lossless": True} if suffix == ".webp" else {}))
    picture = pictures.open_picture(source)
    sent = colour.to_srgb(picture, picture.crop(CROP))
    assert sent.dtype == dtype
    assert sent.shape[2] == bands
    patch = np.iinfo(dtype).max - sent[:, :, : picture.colours]
    layer = composite.native_layer(picture, patch, alpha_plane(dtype), CROP)
    writing.save(composite.composite(picture, layer), out, marking(picture, out))
    after = pictures.open_picture(out)
    assert (after.size, after.bits, after.colours, after.has_alpha) == ((WIDTH, HEIGHT), picture.bits, *_bands(bands))
    before, result = picture.crop((0, 0, WIDTH, HEIGHT)), after.crop((0, 0, WIDTH, HEIGHT))
    covered = np.zeros((HEIGHT, WIDTH), bool)
    covered[8 : 8 + CROP[3], 10 : 10 + CROP[2]] = alpha_plane(dtype)[:, :, 0] > 0
    assert np.array_equal(before[~covered], result[~covered])
    full = np.s_[18:38, 22:46]
    expected = np.iinfo(dtype).max - before[full][:, :, : picture.colours]
    assert np.array_equal(result[full][:, :, : picture.colours], expected)
    if picture.has_alpha:
        assert np.array_equal(before[:, :, -1], result[:, :, -1])


def _bands(bands: int) -> tuple[int, bool]:
    return (3 if bands > 2 else 1), bands in (2, 4)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_profile_goes_to_srgb_and_back(tmp_path: Path, dtype: type) -> None:
    source, out = tmp_path / "p3.png", tmp_path / "out.png"
    # Muted colours: those outside sRGB's gamut cannot come back.
    samples: NDArray[Any] = (noise(3, dtype) // 4 + np.iinfo(dtype).max // 3).astype(dtype)
    vips(samples, profile="p3").write_to_file(str(source))
    picture = pictures.open_picture(source)
    assert picture.profile is not None
    crop = picture.crop(CROP)
    sent = colour.to_srgb(picture, crop)
    assert sent.dtype == np.uint16
    assert not np.array_equal(sent, crop if dtype == np.uint16 else crop.astype(np.uint16) * 257)
    back = colour.from_srgb(picture, sent)
    assert back.dtype == dtype
    assert np.abs(back.astype(int) - crop.astype(int)).max() <= (1 if dtype == np.uint8 else 32)
    layer = composite.native_layer(picture, sent, alpha_plane(np.uint16), CROP)
    writing.save(composite.composite(picture, layer), out, marking(picture, out))
    after = pictures.open_picture(out)
    assert after.profile == picture.profile
    assert after.bits == picture.bits


def test_gray_profile_goes_out_as_rgb_and_comes_back_gray(tmp_path: Path) -> None:
    source = tmp_path / "gray.png"
    gray_profile = _gray_profile()
    image = vips(noise(1, np.uint8) // 2 + 64)
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", gray_profile)
    image.write_to_file(str(source))
    picture = pictures.open_picture(source)
    assert picture.profile == gray_profile
    sent = colour.to_srgb(picture, picture.crop(CROP))
    assert sent.shape[2] == 3
    back = colour.from_srgb(picture, sent)
    assert back.shape[2] == 1
    assert np.abs(back.astype(int) - picture.crop(CROP).astype(int)).max() <= 2


def _gray_profile() -> bytes:
    """A gray ICC v2 profile with gamma 2.2, as littleCMS would write it: header, white point and one curve."""
    curve = b"curv" + bytes(4) + (1).to_bytes(4, "big") + int(2.2 * 256).to_bytes(2, "big") + bytes(2)
    white = b"XYZ " + bytes(4) + b"".join(v.to_bytes(4, "big") for v in (0xF6D6, 0x10000, 0xD32D))
    offset = 128 + 4 + 12 * 2
    tags = (2).to_bytes(4, "big")
    tags += b"kTRC" + offset.to_bytes(4, "big") + len(curve).to_bytes(4, "big")
    tags += b"wtpt" + (offset + len(curve)).to_bytes(4, "big") + len(white).to_bytes(4, "big")
    body = tags + curve + white
    header = bytearray(128)
    header[0:4] = (128 + len(body)).to_bytes(4, "big")
    header[8:12] = b"\x02\x40\0\0"
    header[12:24] = b"mntrGRAYXYZ "
    header[36:40] = b"acsp"
    header[68:80] = b"".join(v.to_bytes(4, "big") for v in (0xF6D6, 0x10000, 0xD32D))
    return bytes(header) + body


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    source = tmp_path / "turned.jpg"
    image = vips(noise(3, np.uint8))
    image = image.copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", 6)
    image.write_to_file(str(source))
    picture = pictures.open_picture(source)
    assert picture.size == (HEIGHT, WIDTH)


def test_provenance_is_written_and_existing_xmp_kept(tmp_path: Path) -> None:
    source, out = tmp_path / "in.png", tmp_path / "out.png"
    image = vips(noise(3, np.uint8)).copy()
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="my camera"/>'
        b"</rdf:RDF></x:xmpmeta>"
    )
    image.set_type(pyvips.GValue.blob_type, "xmp-data", xmp)
    image.write_to_file(str(source))
    opened = pictures.open_picture(source)
    writing.save(opened.image, out, marking(opened, out))
    packet = bytes(pyvips.Image.pngload(str(out)).get("xmp-data"))
    assert terms.SOURCE_TYPE.encode() in packet
    assert b"my camera" in packet
    broken = b"<!DOCTYPE x><x/>"
    image.set("xmp-data", broken)
    again = tmp_path / "again.png"
    told = writing.save(image, again, marking(opened, again))
    assert bytes(pyvips.Image.pngload(str(again)).get("xmp-data")) == broken
    assert "has a document type" in told.xmp and told.xmp in told.sentences[0]


def test_openraster_has_the_layers(tmp_path: Path) -> None:
    source, out = tmp_path / "in.png", tmp_path / "out.ora"
    vips(noise(3, np.uint16)).write_to_file(str(source))
    picture = pictures.open_picture(source)
    patch = np.full((CROP[3], CROP[2], 3), 40_000, np.uint16)
    layer = composite.native_layer(picture, patch, alpha_plane(np.uint16), CROP)
    merged = composite.composite(picture, layer)
    openraster.save_layers(out, picture, merged, layer, "sunglasses <&>", marking(picture, out))
    with zipfile.ZipFile(out) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert archive.read("mimetype") == b"image/openraster"
        stack = ET.fromstring(archive.read("stack.xml")).find("stack")
        assert stack is not None
        top, below = stack
        assert (top.get("name"), top.get("x"), top.get("y")) == ("sunglasses <&>", "22", "16")
        edit = pyvips.Image.pngload_buffer(archive.read(str(top.get("src"))))
        assert (edit.width, edit.height, edit.bands, edit.format) == (24, 22, 4, "ushort")
        under = pyvips.Image.pngload_buffer(archive.read(str(below.get("src"))))
        assert np.array_equal(under.numpy(), picture.image.numpy())
        shown = pyvips.Image.pngload_buffer(archive.read("mergedimage.png"))
        assert np.array_equal(shown.numpy(), merged.numpy())
        assert "Thumbnails/thumbnail.png" in archive.namelist()


def test_wrong_pictures_are_refused_in_words(tmp_path: Path) -> None:
    text, cmyk, short, two = (tmp_path / name for name in ("a.png", "cmyk.jpg", "short.png", "two.tif"))
    text.write_text("not a picture")
    pyvips.Image.new_from_array(noise(4, np.uint8)).copy(interpretation="cmyk").write_to_file(str(cmyk))
    vips(noise(3, np.uint8)).write_to_file(str(short))
    short.write_bytes(short.read_bytes()[:2_000])
    joined = vips(np.concatenate([noise(3, np.uint8)] * 2)).copy()
    joined.set_type(pyvips.GValue.gint_type, "page-height", HEIGHT)
    joined.write_to_file(str(two))
    for path, words in (
        (tmp_path / "none.png", "no file"),
        (tmp_path, "cannot be read"),
        (text, "not a PNG"),
        (cmyk, "CMYK"),
        (two, "several pages"),
    ):
        with pytest.raises(WireError, match=words) as caught:
            pictures.open_picture(path)
        assert caught.value.code == "bad_image"
    with pytest.raises(WireError, match="damaged"):
        pictures.open_picture(short)


def test_masks(tmp_path: Path) -> None:
    white, empty, painted, deep = (tmp_path / f"{name}.png" for name in ("white", "empty", "painted", "deep"))
    samples = np.zeros((HEIGHT, WIDTH, 1), np.uint8)
    vips(samples).write_to_file(str(empty))
    samples[20:30, 40:60] = 255
    vips(samples).write_to_file(str(white))
    vips(np.concatenate([np.zeros((HEIGHT, WIDTH, 3), np.uint8), samples], axis=2)).write_to_file(str(painted))
    vips((samples > 0).astype(np.uint16) * 40_000).write_to_file(str(deep))
    for path in (white, painted, deep):
        mask = masks.open_mask(path, (WIDTH, HEIGHT))
        assert masks.bounding_box([mask]) == (40, 20, 20, 10)
        assert np.array_equal(mask > 0, samples[:, :, 0] > 0)
    with pytest.raises(WireError, match="marks nothing"):
        masks.open_mask(empty, (WIDTH, HEIGHT))
    with pytest.raises(WireError, match="80 × 60 pixels, the picture 81 × 60"):
        masks.open_mask(white, (WIDTH + 1, HEIGHT))
    assert masks.bounding_box([]) is None


def test_outputs_are_checked_before_work_starts(tmp_path: Path) -> None:
    source = tmp_path / "in.png"
    vips(noise(4, np.uint16)).write_to_file(str(source))
    picture = pictures.open_picture(source)
    link = tmp_path / "link.png"
    link.symlink_to(source)
    for path, words in (
        (source, "never overwritten"),
        (link, "never overwritten"),
        (tmp_path / "a.gif", "has to end in"),
        (tmp_path / "no" / "a.png", "no folder"),
    ):
        with pytest.raises(WireError, match=words):
            targets.check_output(path, [source], tuple(targets.KINDS))
    with pytest.raises(WireError, match="16 bits"):
        targets.check_fits(tmp_path / "a.jpg", picture)
    targets.check_fits(tmp_path / "a.tiff", picture)


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    out.write_bytes(b"before")
    with pytest.raises(RuntimeError), targets.replacing(out) as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError("stop")
    assert out.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [out]
