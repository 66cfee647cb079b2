"""Pixels that are blue first keep their order on the way to the wire and back, and what their alpha says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from s2edit_editor import blue_first
from s2edit_editor.blue_first import DEPTHS, Own, alpha_planes, opaque, with_alpha
from s2edit_editor.pixels import Box, Picture


def test_every_depth_comes_round() -> None:
    bgra = bytes((1, 2, 3, 4, 250, 251, 252, 253))
    assert bytes(blue_first.to_wire(DEPTHS["U8"], bgra)) == bytes((3, 2, 1, 4, 252, 251, 250, 253))
    rgb = bytes((3, 2, 1, 252, 251, 250))
    assert bytes(blue_first.to_krita(DEPTHS["U8"], rgb, 3)) == bytes((1, 2, 3, 255, 250, 251, 252, 255))
    wide = b"".join(value.to_bytes(2, "little") for value in (300, 200, 100))
    assert blue_first.to_krita(DEPTHS["U16"], wide, 3)[:6] == b"".join(v.to_bytes(2, "little") for v in (100, 200, 300))
    gray = bytes((7,))
    assert bytes(blue_first.to_krita(DEPTHS["U8"], gray, 1)) == bytes((7, 7, 7, 255))


def test_boxes() -> None:
    assert Box(0, 0, 4, 4).united(Box(6, 2, 2, 8)) == Box(0, 0, 8, 10)
    assert Box(-2, 3, 5, 50).clipped(10, 10) == Box(0, 3, 3, 7)
    assert Box(10, 0, 5, 5).clipped(10, 10) is None


@pytest.mark.parametrize(
    ("depth", "kind", "full"), [("U8", "u1", 255), ("U16", "<u2", 65_535), ("F16", "<f2", 1), ("F32", "<f4", 1)]
)
@pytest.mark.parametrize("channels", [2, 4, 5], ids=["gray", "rgb", "cmyk"])
def test_alpha_is_the_last_channel_at_every_depth(depth: str, kind: str, full: int, channels: int) -> None:
    layer: Any = np.arange(6 * channels).reshape(6, channels).astype(kind)
    layer[:, -1] = [0, full, full, 0, full, full]
    own = Own.of(layer.tobytes(), depth, 6)
    assert own == Own(opaque=False, there=bytes([0, 255, 255, 0, 255, 255]))
    whole = opaque(layer.tobytes(), depth, 6)
    assert Own.of(whole, depth, 6) == Own(opaque=True, there=b"\xff" * 6)
    assert np.array_equal(np.frombuffer(whole, kind).reshape(6, channels)[:, :-1], layer[:, :-1])
    assert with_alpha(whole, alpha_planes(layer.tobytes(), depth, 6), 6) == layer.tobytes()


def test_a_faint_pixel_is_there() -> None:
    assert Own.of(np.array([[0, 256], [0, 0]], "<u2").tobytes(), "U16", 2).there == b"\xff\x00"


def test_rows_of_a_picture_are_not_copied() -> None:
    picture = Picture(2, 3, 3, "u2", bytes(range(36)))
    part = picture.rows(1, 2)
    assert (part.width, part.height, bytes(part.data)) == (2, 2, bytes(range(12, 36)))
    assert isinstance(part.data, memoryview) and part.data.obj is picture.data
