"""Krita's pixels keep their order on the way to the wire and back. No Krita here."""

from __future__ import annotations

import numpy as np
from s2edit_editor.pixels import Box
from s2edit_krita import pixels
from s2edit_krita.pixels import DEPTHS


def test_every_depth_comes_round() -> None:
    bgra = bytes((1, 2, 3, 4, 250, 251, 252, 253))
    assert bytes(pixels.to_wire(DEPTHS["U8"], bgra)) == bytes((3, 2, 1, 4, 252, 251, 250, 253))
    rgb = bytes((3, 2, 1, 252, 251, 250))
    assert bytes(pixels.to_krita(DEPTHS["U8"], rgb, 3)) == bytes((1, 2, 3, 255, 250, 251, 252, 255))
    wide = b"".join(value.to_bytes(2, "little") for value in (300, 200, 100))
    assert pixels.to_krita(DEPTHS["U16"], wide, 3)[:6] == b"".join(v.to_bytes(2, "little") for v in (100, 200, 300))
    gray = bytes((7,))
    assert bytes(pixels.to_krita(DEPTHS["U8"], gray, 1)) == bytes((7, 7, 7, 255))


def test_boxes() -> None:
    assert Box(0, 0, 4, 4).united(Box(6, 2, 2, 8)) == Box(0, 0, 8, 10)
    assert Box(-2, 3, 5, 50).clipped(10, 10) == Box(0, 3, 3, 7)
    assert Box(10, 0, 5, 5).clipped(10, 10) is None


def test_a_thinned_picture_has_every_third_pixel() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (20, 31, 5), dtype=np.uint8)

    def take(x: int, y: int, width: int, height: int) -> bytes:
        return picture[y : y + height, x : x + width].tobytes()

    box = Box(3, 2, 25, 16)
    assert box.thinned(3) == Box(0, 0, 9, 6)
    assert pixels.sampled(take, box, 3) == picture[2:18:3, 3:28:3].tobytes()
    assert pixels.sampled(take, box, 1) == picture[2:18, 3:28].tobytes()
