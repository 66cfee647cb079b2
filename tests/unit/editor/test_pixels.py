"""Boxes: what is cut, moved and counted, at the edges too."""

from __future__ import annotations

import pytest
from s2edit_editor.pixels import Box, Picture, around, kept_where


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        (Box(0, 0, 4, 4), Box(2, 2, 4, 4), Box(2, 2, 2, 2)),
        (Box(-3, -3, 4, 4), Box(0, 0, 9, 9), Box(0, 0, 1, 1)),
        (Box(0, 0, 4, 4), Box(4, 0, 4, 4), None),
        (Box(0, 0, 4, 4), Box(-9, 0, 4, 4), None),
        (Box(1, 1, 2, 2), Box(0, 0, 9, 9), Box(1, 1, 2, 2)),
    ],
)
def test_what_two_boxes_have_in_common(one: Box, other: Box, common: Box | None) -> None:
    assert one.cut(other) == common == other.cut(one)
    assert other.holds(one) == (common == one)


def test_a_box_seen_from_an_area_and_back() -> None:
    box, area = Box(830, 310, 20, 30), Box(820, 300, 640, 640)
    assert box.within(area) == Box(10, 10, 20, 30)
    assert box.within(area).out_of(area) == box


def test_around_all() -> None:
    assert around([]) is None
    assert around([Box(5, 5, 1, 1), Box(-1, 7, 2, 2), Box(0, 0, 1, 1)]) == Box(-1, 0, 7, 9)


@pytest.mark.parametrize("most", [1, 10, 25, 1_000])
def test_bands_cover_the_box_once(most: int) -> None:
    box = Box(3, 4, 10, 7)
    bands = list(box.bands(most))
    assert [row for band in bands for row in range(band.y, band.bottom)] == list(range(4, 11))
    assert all((band.x, band.width) == (3, 10) and band.height * 10 <= max(most, 10) for band in bands)


def test_a_picture_of_another_size_than_its_data() -> None:
    assert Picture(2, 3, 4, "u2", b"\0" * 48).shape == (3, 2, 4)
    with pytest.raises(ValueError, match="47 bytes instead of 48"):
        Picture(2, 3, 4, "u2", b"\0" * 47)


@pytest.mark.parametrize(
    ("dtype", "alpha", "own", "kept"),
    [
        ("u1", b"\x05\xff\x07", b"\0\x01\xff", b"\0\xff\x07"),
        ("u2", b"\x05\x01\xff\xff", b"\0\0\0\x01", b"\0\0\xff\xff"),
        ("f4", b"\0\0\x80\x3f" * 2, b"\0\0\0\0\0\0\0\x3f", b"\0\0\0\0\0\0\x80\x3f"),
    ],
)
def test_a_result_is_closed_where_its_source_has_nothing(dtype: str, alpha: bytes, own: bytes, kept: bytes) -> None:
    assert kept_where(alpha, own, dtype) == kept
