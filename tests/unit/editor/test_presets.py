"""Presets: kept once for both editors; names are people's text; a damaged file costs no other one, and is told of."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from s2edit_editor import presets
from s2edit_editor.presets import LARGEST, LONGEST_NAME, Preset, Presets
from s2edit_editor.wish import Wish
from s2edit_wire.errors import WireError

SETTINGS = Wish(model="m", profile="fast", settings={"blend.context": 2.0, "edit.guidance": 6.0, "identity.steps": 300})
WISH = replace(SETTINGS, source="a woman", target="a man", words=("woman",), seed=9)


@pytest.fixture
def kept(tmp_path: Path) -> Presets:
    return Presets(tmp_path / "presets")


def files(of: Presets) -> list[Path]:
    return sorted(of._place().iterdir())


def test_settings_are_kept_and_words_are_not(kept: Presets) -> None:
    assert kept.all() == [] and kept.trouble == ""
    assert kept.save("  Fast and\n bold ", WISH) == Preset("Fast and bold", SETTINGS)
    kept.save("alpha", Wish())
    other = Presets(kept._place())
    assert [one.name for one in other.all()] == ["alpha", "Fast and bold"], "by name, in the other editor"
    start = Wish(source="a cat", target="a dog", words=("cat",), seed=3, settings={"blend.feather": 9})
    assert other.all()[1].onto(start) == replace(start, model="m", profile="fast", settings=SETTINGS.settings)
    kept.delete("alpha")
    kept.delete("alpha")
    assert [one.name for one in other.all()] == ["Fast and bold"]


def test_the_usual_place_is_the_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2EDIT_HOME", str(tmp_path))
    Presets().save("one", WISH)
    (file,) = (tmp_path / "presets").iterdir()
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("../../etc/passwd", "../../etc/passwd"),
        ("C:\\con.json\0", "C:\\con.json"),
        ("<b>&amp; %s {name}</b>", "<b>&amp; %s {name}</b>"),
        ("שלום \u202eنص", "שלום نص"),
        ("a" * 500, "a" * LONGEST_NAME),
        ("\ud800 x", "x"),
        ("🎨", "🎨"),
    ],
)
def test_names_are_peoples_text(kept: Presets, typed: str, name: str) -> None:
    kept.save(typed, WISH)
    assert [one.name for one in kept.all()] == [name]
    assert [file.parent for file in files(kept)] == [kept._place()]
    question = kept.before_saving(typed)
    assert question is not None and f"“{name}”" in question.asked
    assert f"“{name}”" in kept.before_deleting(name).asked
    kept.delete(name)
    assert files(kept) == []


@pytest.mark.parametrize("typed", ["", "  \n", "\0\x1b"])
def test_a_preset_needs_a_name(kept: Presets, typed: str) -> None:
    with pytest.raises(WireError, match="needs a name"):
        kept.save(typed, WISH)
    assert kept.all() == []


def test_it_is_asked_before_one_is_replaced(kept: Presets) -> None:
    assert kept.before_saving("one") is None
    kept.save("one", WISH)
    question = kept.before_saving(" one ")
    assert question is not None and (question.yes, question.no) == ("Replace", "Keep")
    kept.save("one", Wish())
    assert kept.all() == [Preset("one", Wish())]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_text("{"),
        lambda file: file.write_bytes(b"\xff\xfe"),
        lambda file: file.write_text("[]"),
        lambda file: file.write_text(json.dumps({"name": "one"})),
        lambda file: file.write_text(json.dumps({"name": "two", "wish": WISH.noted()})),
        lambda file: file.write_text(json.dumps({"name": "one", "wish": "{}"})),
        lambda file: file.write_text(json.dumps({"name": "one", "wish": replace(WISH, profile="wild").noted()})),
        lambda file: file.write_text(" " * (LARGEST + 1)),
        lambda file: (file.unlink(), file.mkdir()),
        lambda file: (file.unlink(), file.symlink_to("/dev/zero")),
    ],
    ids=["cut", "no text", "a list", "no wish", "another's name", "empty", "a profile", "large", "a folder", "a link"],
)
def test_a_damaged_file_is_told_of_and_costs_no_other(kept: Presets, spoil: Callable[[Path], object]) -> None:
    kept.save("one", WISH)
    (file,) = files(kept)
    kept.save("two", WISH)
    spoil(file)
    assert [one.name for one in kept.all()] == ["two"]
    assert kept.damaged == [file.name] and file.name in kept.trouble


def test_so_many_are_kept_and_no_more(kept: Presets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presets, "MOST", 2)
    for name in ("one", "two", "two"):
        kept.save(name, WISH)
    with pytest.raises(WireError, match="no more are kept"):
        kept.save("three", WISH)
    assert len(kept.all()) == 2


def test_what_can_not_be_written_is_said(kept: Presets) -> None:
    kept._place().write_text("a file in its place")
    assert kept.all() == []
    with pytest.raises(WireError, match="could not be saved") as told:
        kept.save("one", WISH)
    assert told.value.sentence
