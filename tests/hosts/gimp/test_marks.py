"""The mark in an image's metadata, in a GIMP that somebody works in: it comes and goes with the result's layer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ..lab import Lab, wait_for
from ..scenarios import MAIN, draw_portrait
from ..screen import Screen
from .gimp import GimpDesk
from .person import Person

pytestmark = pytest.mark.hosts


@pytest.fixture(scope="module")
def person() -> Iterator[Person]:
    """Somebody whose portrait has a result."""
    with Lab("gimp-marks") as lab:
        lab.start_daemon(step_ms=1)
        painter = Person(GimpDesk(lab), Screen(lab), draw_portrait(lab.folder / "portrait.png"))
        painter.edit_lowest_layer(MAIN)
        painter.wait_layers(2)
        painter.screen.wait_gone("^S²Edit Jobs$", 90)
        yield painter
        assert painter.desk.complaints() == []


def wait_for_mark(person: Person, layers: int, *, marked: bool) -> None:
    """Until there are so many layers, and the mark is there or gone."""

    def seen() -> dict[str, Any] | None:
        now = person.state()
        return now if len(now["layers"]) == layers and now["says_model"] == marked else None

    wait_for(seen, f"{layers} layers {'with' if marked else 'without'} the mark", 90)


def press(person: Person, *keys: str) -> None:
    person.screen.activate(person.window)
    person.screen.key(*keys)


def test_an_export_that_cannot_carry_the_mark_is_told_once(person: Person) -> None:
    """To BMP twice, which has no place for it, and to PNG, which has."""
    for name in ("first.bmp", "second.bmp", "third.png"):
        file = person.desk.lab.folder / name
        press(person, "ctrl+shift+e")
        person.type_path("^Export Image$", file)
        person.screen.activate(person.screen.wait_window("^Export Image as ", 60))
        person.screen.photograph(name)
        person.screen.key("Return")
        wait_for(file.exists, f"{name} on disk", 60)
        person.screen.wait_gone("^Export Image as ", 60)
    log = person.desk.lab.folder / "gimp.log"
    wait_for(lambda: "does not say that a model" in log.read_text(errors="replace"), "the sentence", 60)
    wait_for_mark(person, 2, marked=True)
    said = [line for line in log.read_text(errors="replace").splitlines() if "does not say that a model" in line]
    assert len(said) == 1 and "“first.bmp”" in said[0], said


def test_the_mark_goes_with_the_deleted_result_and_comes_back_with_undo(person: Person) -> None:
    person.desk.ask("rearrange", delete_top=True)
    wait_for_mark(person, 1, marked=False)
    for _ in range(2):
        press(person, "ctrl+z")
        wait_for_mark(person, 2, marked=True)
        press(person, "ctrl+y")
        wait_for_mark(person, 1, marked=False)
    press(person, "ctrl+z", "ctrl+z")
    wait_for_mark(person, 1, marked=False)
    press(person, "ctrl+y")
    wait_for_mark(person, 2, marked=True)


def test_a_merged_result_keeps_the_mark(person: Person) -> None:
    person.desk.ask("rearrange", merge=True)
    wait_for_mark(person, 1, marked=True)
    press(person, "ctrl+z")
    wait_for_mark(person, 2, marked=True)
    # Gone with the layer: now there was a look since the merge.
    person.desk.ask("rearrange", delete_top=True)
    wait_for_mark(person, 1, marked=False)


def wait_for_older(person: Person, note: str, key: str, count: int) -> None:
    """Until a note on the image names so many layers that are older than the result."""

    def seen() -> bool:
        return len(json.loads(person.state()["notes"].get(note, "{}")).get(key, "none at all")) == count

    wait_for(seen, f"{count} older layers in {note}", 90)


def reopen(person: Person, name: str, older: int) -> None:
    """Save, close and open it, and wait until its layers are known again."""
    wait_for_older(person, "s2edit-before-filed", "older", older)
    person.save_as(person.desk.lab.folder / name)
    person.close_picture()
    person.open_picture(person.desk.lab.folder / name)
    wait_for_older(person, "s2edit-before", "layers", older)
    assert not person.state()["dirty"], "an image that was only opened has nothing to save"


def test_it_goes_with_the_result_of_a_picture_that_was_opened_again(person: Person) -> None:
    press(person, "ctrl+z")
    wait_for_mark(person, 2, marked=True)
    reopen(person, "with-result.xcf", 1)
    wait_for_mark(person, 2, marked=True)
    person.desk.ask("rearrange", delete_top=True)
    wait_for_mark(person, 1, marked=False)
    press(person, "ctrl+z")
    wait_for_mark(person, 2, marked=True)


def test_a_merged_result_keeps_it_when_opened_again(person: Person) -> None:
    """The merged layer has the tattoo of the photograph below the result."""
    person.desk.ask("rearrange", merge=True)
    reopen(person, "merged.xcf", 0)
    wait_for_mark(person, 1, marked=True)
