"""What a file says of its colours, resolution and channels: read as it is meant, and said again by the result."""

from __future__ import annotations

import io
import logging
import os
import shutil
import struct
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image
from s2edit_cli import colour, complaints, composite, decoding, openraster, png_file, targets, writing
from s2edit_cli.editing import Task, fetch, open_inputs
from s2edit_cli.marking import marking
from s2edit_cli.pictures import PictureFile, open_picture
from s2edit_wire.errors import WireError

from tests.field.files.colours import ADOBE_POINTS, gamma
from tests.field.files.samples import drawing, image, jpeg, png
from tests.field.files.throwing import BOX, HERE

# Adobe RGB (1998), 4.3.5.3 and IEC 61966-2-1: to XYZ, and from XYZ, both for D65.
ADOBE_TO_XYZ = [[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]]
XYZ_TO_SRGB = [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2EDIT_HOME", str(tmp_path_factory.mktemp("home")))


def muted() -> NDArray[np.uint8]:
    """Colours that every space has."""
    return (drawing() // 3 + 80).astype(np.uint8)


def result(picture: PictureFile, out: Path, layers: Path | None = None) -> Path:
    """Written as a job's result is; what was sent comes back."""
    sent = colour.to_srgb(picture, picture.crop(BOX))
    alpha = np.full((BOX[3], BOX[2], 1), np.iinfo(sent.dtype).max, sent.dtype)
    layer = composite.native_layer(picture, np.ascontiguousarray(sent[:, :, :3]), alpha, BOX)
    merged, marks = composite.composite(picture, layer), marking(picture, out, without=frozenset({"c2pa"}))
    writing.save(merged, out, marks, picture)
    if layers is not None:
        openraster.save_layers(layers, picture, merged, layer, "edit", marks)
    return out


def adobe_in_srgb(samples: NDArray[Any]) -> NDArray[np.float64]:
    linear = (samples / 255.0) ** (563 / 256) @ np.array(ADOBE_TO_XYZ).T @ np.array(XYZ_TO_SRGB).T
    encoded: NDArray[np.float64] = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return encoded * 65_535


def test_the_models_colours_are_those_that_the_chunks_mean(tmp_path: Path) -> None:
    chunks = {b"gAMA": gamma(45_470), b"cHRM": ADOBE_POINTS}
    picture = open_picture(png(tmp_path, muted(), chunks))
    sent = colour.to_srgb(picture, picture.crop(BOX))
    assert np.abs(sent - adobe_in_srgb(picture.crop(BOX))).max() < 0.004 * 65_535
    assert np.abs(sent - picture.crop(BOX) * 257.0).max() > 0.01 * 65_535
    back = colour.from_srgb(picture, sent)
    assert np.abs(back.astype(int) - picture.crop(BOX)).max() <= 1


def test_adobe_rgb_by_exif_is_read_and_then_said_by_a_profile(tmp_path: Path) -> None:
    picture = open_picture(Path(shutil.copy(HERE / "adobe-by-exif-r03.jpg", tmp_path)))
    sent = colour.to_srgb(picture, picture.crop(BOX)).astype(float)
    # Beyond sRGB's gamut everything ends at its border.
    assert np.abs(sent - adobe_in_srgb(picture.crop(BOX)).clip(0, 65_535)).mean() < 0.01 * 65_535
    for suffix in (".jpg", ".png", ".tif", ".webp"):
        again = open_picture(result(picture, tmp_path / f"out{suffix}"))
        assert again.profile == picture.profile


def test_a_code_for_display_p3_means_what_its_profile_means(tmp_path: Path) -> None:
    picture = open_picture(png(tmp_path, muted(), {b"cICP": bytes((12, 13, 0, 1))}))
    sent = colour.to_srgb(picture, picture.crop(BOX)).astype(float)
    tagged = image(picture.crop(BOX).astype(np.uint16) * 257)
    meant = tagged.icc_transform("srgb", input_profile="p3", intent="relative", depth=16).numpy()
    assert np.abs(sent - meant).max() < 0.003 * 65_535


@pytest.mark.parametrize(
    "chunks",
    [
        {b"gAMA": gamma(45_470), b"cHRM": ADOBE_POINTS},
        {b"gAMA": gamma(100_000)},
        {b"cICP": bytes((12, 13, 0, 1))},
        {b"sRGB": b"\2"},
        {b"gAMA": gamma(45_455), b"pHYs": struct.pack(">IIB", 11_811, 5_906, 1)},
        {b"pHYs": struct.pack(">IIB", 2, 1, 0)},
        {},
    ],
    ids=lambda chunks: " ".join(kind.decode() for kind in chunks) or "none",
)
def test_a_png_says_what_it_said_and_nothing_new(tmp_path: Path, chunks: dict[bytes, bytes]) -> None:
    picture = open_picture(png(tmp_path, muted(), chunks))
    out = result(picture, tmp_path / "out.png", tmp_path / "out.ora")
    again = png_file.chunks(out)
    assert {kind: data for kind, data in again.items() if kind not in (b"IHDR", b"iTXt")} == chunks
    with zipfile.ZipFile(tmp_path / "out.ora") as archive:
        for name in ("data/edit.png", "data/source.png", "mergedimage.png"):
            # Layers have a profile where the picture speaks by chunks, which editors don't all read.
            tagged = Image.open(io.BytesIO(archive.read(name))).info.get("icc_profile")
            assert (tagged is not None) == (picture.profile is not None)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
@pytest.mark.parametrize("known", [False, True])
def test_no_resolution_and_no_exif_from_nowhere(tmp_path: Path, suffix: str, known: bool) -> None:
    source = tmp_path / "in.jpg"
    if known:
        Image.fromarray(muted()).save(source, dpi=(300, 300))
    else:
        Image.fromarray(muted()).save(source)
    out = result(open_picture(source), tmp_path / f"out{suffix}")
    if suffix == ".webp":
        assert bool(pyvips.Image.new_from_file(str(out)).get_typeof("resolution-unit")) == known
    else:
        with Image.open(out) as written:
            assert tuple(round(float(value)) for value in written.info.get("dpi", ())) == ((300, 300) if known else ())
    if not known:
        assert not pyvips.Image.new_from_file(str(out)).get_typeof("exif-data")


@pytest.mark.parametrize("kind", [0, 2])
def test_an_extra_channel_stays_what_it_is(tmp_path: Path, kind: int) -> None:
    from s2edit_cli import tiff_pages, tiff_tags

    source = tmp_path / "in.tif"
    image(drawing(4)).tiffsave(str(source))
    tiff_tags.set_short(source, tiff_pages.EXTRA_SAMPLES, kind)
    picture = open_picture(source)
    assert colour.to_srgb(picture, picture.crop(BOX)).shape[2] == (3 if kind == 0 else 4)
    out = result(picture, tmp_path / "out.tif", tmp_path / "out.ora")
    with Image.open(out) as written:
        assert written.tag_v2[338] == (kind,)  # type: ignore[attr-defined]
    with zipfile.ZipFile(tmp_path / "out.ora") as archive:
        assert Image.open(io.BytesIO(archive.read("data/source.png"))).mode == ("RGB" if kind == 0 else "RGBA")


def test_a_picture_that_changed_meanwhile_is_noticed(tmp_path: Path) -> None:
    source = jpeg(tmp_path)
    picture = open_picture(source)
    assert picture.changed() == ""
    os.utime(source, ns=(1, 1))
    assert picture.changed() == "was changed"
    source.unlink()
    assert picture.changed() == "is no longer there"


def test_a_link_is_written_through_and_a_mode_kept(tmp_path: Path) -> None:
    real, link = tmp_path / "real.png", tmp_path / "link.png"
    real.write_bytes(b"before")
    real.chmod(0o600)
    link.symlink_to(real)
    with targets.replacing(link) as temporary:
        temporary.write_bytes(b"after")
    assert (link.is_symlink(), real.read_bytes(), real.stat().st_mode & 0o777) == (True, b"after", 0o600)
    real.unlink()
    with targets.replacing(link) as temporary:
        temporary.write_bytes(b"anew")
    assert (link.is_symlink(), real.read_bytes()) == (True, b"anew")
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(WireError), targets.replacing(link):
        raise AssertionError


def test_what_is_odd_is_told_before_the_job_and_in_the_object(tmp_path: Path) -> None:
    source = Path(shutil.copy(HERE / "notags-icc.jpg", tmp_path))
    side = open_picture(source).size[0]
    mask = tmp_path / "mask.png"
    image(np.full((side, side, 1), 255, np.uint8)).pngsave(str(mask))
    words = {"source": "a man", "target": "a man with a hat", "words": ("man",), "model": "m", "profile": "balanced"}
    out = tmp_path / "out.png"
    task = Task(kind="edit", image=source, output=out, layers=None, seed=0, mask=mask, **words)  # type: ignore[arg-type]
    (profile, first), (share, second) = open_inputs(task).remarks()
    assert "profile" in profile
    assert share.startswith("The mask marks 100 %")
    assert (first, second) == (True, True)


@pytest.mark.parametrize(
    ("line", "damaged"),
    [
        ("read gave 3 warnings", False),
        ("VipsJpeg: Premature end", False),
        ("", False),
        ("Bad code word at line 3", True),
    ],
)
def test_what_another_picture_logs_when_it_is_let_go_harms_no_tiff(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, damaged: bool
) -> None:
    drain = complaints.drain

    def drained(opened: pyvips.Image, path: Path | None) -> None:
        drain(opened, path)
        logging.getLogger("pyvips").warning("VIPS: %s", line)

    source = tmp_path / "in.tif"
    image(drawing()).tiffsave(str(source))
    monkeypatch.setattr(complaints, "drain", drained)
    if damaged:
        with pytest.raises(WireError, match="damaged"):
            decoding.load(source, "tiff")
    else:
        decoding.load(source, "tiff")


@pytest.mark.parametrize("quality", [5, 75, 100])
@pytest.mark.parametrize("size", [(1, 1), (7, 9), (9, 7), (16, 8), (33, 64), (130, 75)])
def test_no_whole_picture_of_any_size_is_doubted(tmp_path: Path, size: tuple[int, int], quality: int) -> None:
    for colours in (1, 3):
        whole = image(drawing(colours, 200)).crop(0, 0, *size)
        names = [
            "in.jpg[subsample_mode=on]",
            "apart.jpg[subsample_mode=off]",
            "in.tif[compression=jpeg,tile,tile_width=16,tile_height=16]",
            "strips.tif[compression=jpeg]",
        ]
        for name in [*names, *["in.webp", "webp.tif[compression=webp]"] * (colours == 3)]:
            whole.write_to_file(str(tmp_path / name), Q=quality)
            assert open_picture(tmp_path / name.split("[")[0]).notes == (), name


def test_looking_through_a_picture_is_watched(tmp_path: Path) -> None:
    seen: list[int] = []
    before = complaints.WATCH.set(lambda _, percent: seen.append(percent))
    try:
        for suffix, options in {".jpg": "", ".png": "", ".tif": "", ".webp": "", ".tiff": "[compression=jpeg]"}.items():
            source = tmp_path / f"in{suffix}"
            image(drawing(side=1_200)).write_to_file(f"{source}{options}")
            seen.clear()
            open_picture(source)
            assert seen
            assert seen == sorted(seen)
    finally:
        complaints.WATCH.reset(before)


def test_nothing_is_laid_over_a_picture_that_changed_while_the_job_ran(tmp_path: Path) -> None:
    source, out = jpeg(tmp_path), tmp_path / "out.png"
    picture = open_picture(source)
    width, height = BOX[2:]
    samples = {"patch": np.zeros((height, width, 3), np.uint8), "alpha": np.zeros((height, width, 1), np.uint8)}
    entries = [{"role": role, "dtype": "u1", "shape": list(plane.shape)} for role, plane in samples.items()]
    answer = SimpleNamespace(header={"frames": entries, "record": {}}, frames=[p.tobytes() for p in samples.values()])
    client = SimpleNamespace(request=lambda *_, **__: answer)
    job = {"job": "1" * 32, "edit": {"kind": "edit", "document": {"crop": list(BOX)}}}
    source.write_bytes(source.read_bytes() + b"more")
    with pytest.raises(WireError, match="was changed while the job ran") as caught:
        fetch(client, job, picture, out, None)  # type: ignore[arg-type]
    assert "s2edit jobs result 1111" in caught.value.hint
    assert not out.exists()
