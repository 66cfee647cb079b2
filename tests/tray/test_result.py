"""A result of any precision and any channels is shown as the 8-bit picture it stands for."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QColor
from s2edit_tray.result_window import result_image

TOPS = {"u1": 255, "u2": 65_535, "f4": 1.0}


@pytest.mark.parametrize("dtype", TOPS)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pixels_survive_the_way_to_the_screen(dtype: str, channels: int) -> None:
    # Odd sizes: rows that are no multiple of four bytes.
    wanted = np.random.default_rng(0).integers(0, 256, (5, 7, channels))
    pixels = (wanted / 255 * TOPS[dtype]).astype(f"<{dtype}") if dtype == "f4" else wanted * (TOPS[dtype] // 255)
    alpha = np.full((5, 7, 1), 128, np.uint8)
    entries = [
        {"role": "patch", "shape": [5, 7, channels], "dtype": dtype},
        {"role": "alpha", "shape": [5, 7, 1], "dtype": "u1"},
    ]
    image = result_image(entries, [bytearray(pixels.astype(f"<{dtype}").tobytes()), bytearray(alpha.tobytes())])
    assert (image.width(), image.height()) == (7, 5)
    for y in range(5):
        for x in range(7):
            seen: QColor = image.pixelColor(x, y)
            colours = wanted[y, x, :3] if channels >= 3 else np.repeat(wanted[y, x, :1], 3)
            assert [seen.red(), seen.green(), seen.blue()] == colours.tolist()
            own = int(wanted[y, x, -1]) if channels in (2, 4) else 255
            assert seen.alpha() == (own * 128 + 127) // 255


def test_values_beyond_the_screens_are_cut_and_no_number_is_black() -> None:
    pixels = np.array([[[-1.0], [2.0], [np.nan]]], "<f4")
    image = result_image([{"role": "patch", "shape": [1, 3, 1], "dtype": "f4"}], [bytearray(pixels.tobytes())])
    assert [image.pixelColor(x, 0).red() for x in range(3)] == [0, 255, 0]
