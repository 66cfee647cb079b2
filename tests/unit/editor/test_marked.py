"""When the mark is put and taken back, and of which files it is told that they can't carry it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from s2edit_editor.marked import STEADY, Before, Unable, Written, due


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


def test_an_exported_file_is_written_once_it_stays_as_it_is(tmp_path: Path) -> None:
    written, file = Written(), tmp_path / "a.png"
    assert written.named(1, str(file)) and not written.named(1, str(file)) and written.named(2, str(file))
    file.write_text("a")
    written.expect(file)
    assert [written.is_written(file) for _ in range(3)] == [False] * 3
    file.write_text("more")  # metadata, which comes last
    looks = 0
    while not written.is_written(file):
        looks += 1
        assert file in written.waiting and looks < 20
    assert looks == STEADY + 1 and not written.waiting
    written.expect(tmp_path)
    assert not written.is_written(tmp_path) and not written.waiting, "no file"
    written.expect(tmp_path / "gone")
    with pytest.raises(OSError, match="gone"):
        written.is_written(tmp_path / "gone")
    assert not written.waiting


@pytest.mark.parametrize(
    ("now", "back"),
    [
        ({7: 1, 8: 2, 9: 3}, [7, 8]),
        ({3: 1, 4: 2, 5: 3}, [3, 4]),
        ({3: 1, 5: 3}, None),
    ],
    ids=["the same run", "opened again", "changed elsewhere"],
)
def test_what_was_before_the_first_result_is_known_from_the_file(now: dict[int, int], back: list[int] | None) -> None:
    filed = json.loads(json.dumps(Before([7, 8], {"AISystemUsed": ""}).filed({7: 1, 8: 2, 9: 3})))
    found = Before.from_filed(filed, now)
    assert found == (None if back is None else Before(back, {"AISystemUsed": ""}))
    assert Before.from_filed({}, now) is None
