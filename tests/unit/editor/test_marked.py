"""When the mark is put and taken back, and of which files it is told that they can't carry it."""

from __future__ import annotations

from pathlib import Path

import pytest
from s2edit_editor.marked import Unable, due


@pytest.mark.parametrize(
    ("older", "now", "marked", "wanted"),
    [
        ({1, 2}, [1, 2, 3], True, None),
        ({1, 2}, [1, 2, 3], False, True),
        ({1, 2}, [2], True, False),
        ({1, 2}, [2], False, None),
        ({1, 2}, [4], True, None),
        ({1, 2}, [], True, False),
        (set(), [1], False, True),
    ],
    ids=["there", "an undo brought it back", "deleted", "still deleted", "merged", "all deleted", "into nothing"],
)
def test_the_mark_is_there_while_anything_younger_is(
    older: set[int], now: list[int], marked: bool, wanted: bool | None
) -> None:
    assert due(older, now, marked=marked) is wanted


def test_each_kind_of_file_is_told_of_once() -> None:
    unable = Unable()
    told = unable.tell(Path("a.BMP"))
    assert told is not None and "“a.BMP”" in told.sentence and "PNG" in told.sentence
    assert unable.knows(Path("b.bmp")) and unable.tell(Path("b.bmp")) is None
    assert unable.tell(Path("b.tga")) is not None
