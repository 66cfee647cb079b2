"""Finding a crop again in a layer that was cropped since, by its own pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from s2edit_editor.locate import shift_of
from s2edit_editor.pixels import Picture

from ...hosts.scenarios import draw_portrait

Pixels = np.ndarray[Any, Any]


def find(now: Pixels, sent: Pixels) -> tuple[int, int] | None:
    """The crop's corner in the layer as it is now."""
    whole, crop = (Picture(one.shape[1], one.shape[0], one.shape[2], "u1", one.tobytes()) for one in (now, sent))
    return shift_of(whole, crop)


@pytest.fixture(name="portrait")
def draw(tmp_path: Path) -> Pixels:
    return np.asarray(Image.open(draw_portrait(tmp_path / "portrait.png")))


@pytest.mark.parametrize(("left", "top"), [(20, 11), (0, 0), (60, 40)])
def test_a_crop_is_found_in_what_is_left_of_the_layer(portrait: Pixels, left: int, top: int) -> None:
    assert find(portrait[top:226, left:230], portrait[:200]) == (-left, -top)


def test_it_is_found_although_somebody_painted_on_half_of_it(portrait: Pixels) -> None:
    now = portrait[11:, 20:].copy()
    now[90:] = 0
    assert find(now, portrait[:180]) == (-20, -11)


def test_in_another_picture_it_is_not_found(portrait: Pixels) -> None:
    assert find(255 - portrait[11:, 20:], portrait[:200]) is None
    assert find(np.zeros_like(portrait), portrait[:200]) is None
    assert find(portrait[11:, 20:, :1], portrait[:200]) is None, "nor in one of another kind"
