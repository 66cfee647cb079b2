"""Krita's pixels keep their order on the way to the wire and back. No Krita here."""

from __future__ import annotations

import numpy as np
from s2edit_editor.pixels import Box
from s2edit_krita import pixels
from s2edit_krita.photo import likeness
from s2edit_krita.pixels import DEPTHS

from s2edit.starter.attributes import Portrait
from s2edit.starter.renderer import render


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


def _likeness(rgb: np.ndarray) -> float:
    opaque = np.full(rgb.shape[:2], 255)
    return likeness(np.dstack([rgb, opaque]).clip(0, 255).astype(np.uint8).tobytes(), rgb.shape[1])


def test_photographs_are_told_from_drawings() -> None:
    """The daemon doubts its model of drawings from 0.5 on."""
    y, x = np.mgrid[0:240, 0:200]
    blurred = np.stack([128 + 90 * np.sin(x / 40 + shift) * np.cos(y / 50) for shift in range(3)], axis=-1)
    noise = np.random.default_rng(0).normal(0, 2, blurred.shape)
    assert _likeness(blurred + noise) > 0.9
    assert _likeness(render(Portrait(accessory="sunglasses"), 256)) < 0.3
    assert _likeness(np.repeat(x[..., None], 3, axis=-1)) == 0, "a drawn gradient"
    assert _likeness(np.full((1, 1, 3), 7)) == 0
