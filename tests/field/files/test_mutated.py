"""Files with a few bytes changed, mostly in their headers: a result or a sentence, never anything else."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.field.files.colours import ADOBE_POINTS, gamma
from tests.field.files.samples import drawing, image, jpeg, png, tiff, tiff_pages
from tests.field.files.throwing import HERE, edit

CHANGED = 8
"""Files of each kind."""


def _colour_png(folder: Path) -> Path:
    return png(folder, drawing(), {b"gAMA": gamma(45_470), b"cHRM": ADOBE_POINTS, b"pHYs": bytes(8) + b"\1"})


def _webp(folder: Path) -> Path:
    path = folder / "in.webp"
    image(drawing(4)).webpsave(str(path))
    return path


KINDS = {
    "jpeg": jpeg,
    "progressive": lambda folder: jpeg(folder, interlace=True),
    "exif": lambda _: HERE / "adobe-by-exif-r03.jpg",
    "profile": lambda _: HERE / "random-icc.jpg",
    "png": _colour_png,
    "palette": lambda folder: png(folder, drawing(), palette=True),
    "strips": lambda folder: tiff(folder, "deflate", tile=False),
    "tiles": lambda folder: tiff(folder, "lzw", tile=True),
    "jpegs": lambda folder: tiff(folder, "jpeg", tile=True),
    "webps": lambda folder: tiff(folder, "webp", tile=False),
    "pages": lambda folder: tiff_pages(folder, [96, 32], [0, 1]),
    "webp": _webp,
}


def mutated(data: bytes, chance: np.random.Generator) -> bytes:
    """A byte changed, four bytes changed, some left out, or the rest cut; near the start, or the end (TIFF)."""
    result = bytearray(data)
    for _ in range(int(chance.integers(1, 4))):
        near = int(chance.integers(12, min(len(result), 700)))
        at = near if chance.random() < 0.6 else len(result) - near
        how = chance.random()
        if how < 0.5:
            result[at] = int(chance.choice([0, 1, 127, 128, 255]))
        elif how < 0.7:
            result[at : at + 4] = chance.bytes(4)
        elif how < 0.9:
            del result[at : at + int(chance.integers(1, 30))]
        else:
            del result[max(at, 800) :]
    return bytes(result)


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_or_a_sentence(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2EDIT_HOME", str(tmp_path))
    source = KINDS[kind](tmp_path)
    data, chance = source.read_bytes(), np.random.default_rng(11)
    path = tmp_path / f"changed{source.suffix}"
    for _ in range(CHANGED):
        path.write_bytes(mutated(data, chance))
        assert re.match("taken$|told: |refused: ", edit(path, str(chance.choice([".png", ".tif", ".jpg", ".webp"]))))
