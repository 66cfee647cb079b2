"""A result finds its place by the pixels around it, in real arrays that were moved, cropped, scaled or turned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from s2edit_editor import place
from s2edit_editor.pixels import Box, Picture
from s2edit_editor.place import GRID, LOST, TURNED, Found, Look, Sent, find, points_of

Pixels = np.ndarray[Any, Any]
CROP = Box(30, 20, 40, 32)
AT = (10, 5)
"""The layer's corner; it covers 80 x 60 of a canvas of 120 x 90."""


@pytest.fixture(scope="module", name="layer")
def make_layer() -> Pixels:
    """Smooth, not symmetric."""
    rows, columns = np.mgrid[0:60, 0:80]
    waves = np.sin(columns / 9) + np.cos(rows / 7 + columns / 23) + rows / 40
    smooth: Pixels = np.clip(128 + 50 * waves, 0, 255).astype(np.uint8)
    return smooth


def sent_of(layer: Pixels, dtype: str = "u1") -> Sent:
    x, y = CROP.x - AT[0], CROP.y - AT[1]
    part = np.repeat(layer[y : y + CROP.height, x : x + CROP.width, None], 4, axis=2)
    wide = {"u1": part, "u2": part.astype("<u2") * 257, "f4": (part / 255).astype("<f4")}[dtype]
    picture = Picture(CROP.width, CROP.height, 4, dtype, wide.tobytes())
    return Sent((120, 90), AT, CROP, points_of(picture))


def looker(layer: Pixels, at: tuple[int, int]) -> Look:
    def look(x: int, y: int) -> int | None:
        column, row = x - at[0], y - at[1]
        inside = 0 <= column < layer.shape[1] and 0 <= row < layer.shape[0]
        return int(layer[row, column]) if inside else None

    return look


def canvas_with(layer: Pixels) -> Pixels:
    """The layer grown to the whole canvas, so that the picture can be turned as one."""
    whole = np.zeros((90, 120), np.uint8)
    whole[AT[1] : AT[1] + 60, AT[0] : AT[0] + 80] = layer
    return whole


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_nothing_has_happened(layer: Pixels, dtype: str) -> None:
    assert find(sent_of(layer, dtype), (120, 90), AT, looker(layer, AT)) == Found(CROP)


def test_where_nothing_has_happened_one_look_a_point_is_enough(layer: Pixels) -> None:
    seen: list[tuple[int, int]] = []
    plain = looker(layer, AT)

    def look(x: int, y: int) -> int | None:
        seen.append((x, y))
        return plain(x, y)

    assert find(sent_of(layer), (120, 90), AT, look) == Found(CROP)
    assert len(seen) == GRID * GRID == len(set(seen))


def test_it_goes_where_its_layer_went(layer: Pixels) -> None:
    assert find(sent_of(layer), (120, 90), (17, -3), looker(layer, (17, -3))) == Found(CROP.moved(7, -8))
    # The picture was cropped: all layers move, and the canvas is smaller.
    assert find(sent_of(layer), (60, 50), (-10, -7), looker(layer, (-10, -7))) == Found(CROP.moved(-20, -12))


def test_its_layer_was_cropped_and_nothing_moved(layer: Pixels) -> None:
    at = (AT[0] + 15, AT[1] + 10)
    assert find(sent_of(layer), (120, 90), at, looker(layer[10:, 15:], at)) == Found(CROP)


@pytest.mark.parametrize("times", [0.5, 2, 3])
def test_the_picture_was_scaled(layer: Pixels, times: float) -> None:
    size = (round(80 * times), round(60 * times))
    rows, columns = (np.arange(size[1]) / times).astype(int), (np.arange(size[0]) / times).astype(int)
    at = (round(AT[0] * times), round(AT[1] * times))
    found = find(sent_of(layer), (round(120 * times), round(90 * times)), at, looker(layer[rows][:, columns], at))
    assert found == Found(Box(*(round(value * times) for value in CROP)))


TURNS = (np.fliplr, np.flipud, np.rot90, lambda one: np.rot90(one, 2), lambda one: np.rot90(one, 3))


@pytest.mark.parametrize("turned", TURNS)
def test_the_picture_was_turned(layer: Pixels, turned: Any) -> None:
    whole = turned(canvas_with(layer))
    canvas = (whole.shape[1], whole.shape[0])
    assert find(sent_of(layer), canvas, (0, 0), looker(whole, (0, 0))).why == TURNED


def test_it_was_painted_over_meanwhile(layer: Pixels) -> None:
    painted = np.full_like(layer, 255)
    assert find(sent_of(layer), (120, 90), AT, looker(painted, AT)) == Found(CROP), "nothing says that it is elsewhere"
    assert find(sent_of(layer), (99, 80), AT, looker(painted, AT)) == Found(None, LOST)


def test_its_layer_is_gone(layer: Pixels) -> None:
    nowhere = looker(layer[:0], AT)
    assert find(sent_of(layer), (120, 90), None, nowhere) == Found(CROP)
    assert find(sent_of(layer), (60, 90), None, nowhere) == Found(None, LOST)


def test_one_flat_colour_says_nothing() -> None:
    flat = np.full((60, 80), 77, np.uint8)
    assert find(sent_of(flat), (120, 90), (12, 5), looker(flat, (12, 5))) == Found(CROP.moved(2, 0))


def test_what_was_cropped_away_speaks_for_no_other_way() -> None:
    """A flat layer was moved and the picture cropped, layers too: it was not scaled, though that would fit as well."""
    flat = np.full((38, 43), 77, np.uint8)
    assert find(sent_of(np.full((60, 80), 77, np.uint8)), (60, 50), (17, 12), looker(flat, (17, 12))) == Found(
        CROP.moved(7, 7)
    )


@pytest.mark.parametrize("at_once", [False, True])
def test_a_layer_is_looked_at_where_it_is(at_once: bool) -> None:
    pixels = np.arange(3 * 5 * 4, dtype=np.uint8).reshape(3, 5, 4)
    whole, asked = Box(7, -2, 5, 3), list[Box]()

    def read(box: Box) -> bytes:
        asked.append(box)
        inside = box.within(whole)
        return pixels[inside.y : inside.bottom, inside.x : inside.right].tobytes()

    look = place.looker(whole, read, at_once=at_once)
    places = [(x, y) for y in range(-3, 2) for x in range(6, 13)]
    inside = {(x, y): int(pixels[y + 2, x - 7, 1]) for x, y in places if whole.holds(Box(x, y, 1, 1))}
    assert len(inside) == 15 and {at: look(*at) for at in places if look(*at) is not None} == inside
    assert not at_once or asked == [whole], "read once"
    assert place.looker(None, read, at_once=at_once)(8, 0) is None
