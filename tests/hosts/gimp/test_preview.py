"""Finished variations are looked at in the real GIMP before one becomes a layer, by mouse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ..lab import Lab, wait_for
from ..scenarios import MAIN, draw_portrait, result_name
from ..screen import Screen
from .gimp import GimpDesk
from .person import Person

pytestmark = pytest.mark.hosts
FIRST, SECOND = result_name(MAIN.source, MAIN.target), result_name(MAIN.source, MAIN.second_target)
ROWS = ((50, 55), (50, 150))
"""Where the small pictures of the first two jobs are in the window of jobs."""


@pytest.fixture
def person() -> Iterator[Person]:
    """Somebody with a drawn portrait open."""
    with Lab("gimp-preview") as lab:
        lab.start_daemon(step_ms=20)
        painter = Person(GimpDesk(lab), Screen(lab), draw_portrait(lab.folder / "portrait.png"))
        yield painter
        assert painter.desk.complaints() == []


def images(person: Person) -> list[dict[str, Any]]:
    """All that are open, the newest first."""
    found: list[dict[str, Any]] = person.desk.ask("images", 60)["images"]
    return found


def wait_images(person: Person, count: int) -> list[dict[str, Any]]:
    return wait_for(lambda: found if len(found := images(person)) == count else None, f"{count} images", 60)


def names(image: dict[str, Any]) -> list[str]:
    return [str(layer["name"]) for layer in image["layers"]]


def test_variations_are_looked_at_beside_the_picture_which_stays_as_it_is(person: Person) -> None:
    screen, lab = person.screen, person.desk.lab
    person.select_lowest_layer()
    person.open_dialog()
    person.type_words(MAIN)
    screen.key("alt+v")  # the cursor goes to “Further wishes”
    screen.type(MAIN.second_target)
    screen.key("alt+e")
    jobs = screen.wait_window("^S²Edit Jobs$", 60)
    wait_for(lambda: len(lab.jobs(["done"], acknowledged=False)) == 2, "both", 90)
    (before,) = images(person)

    def press(row: int) -> None:
        screen.activate(jobs)
        left, top, _width, _height = screen.place(jobs)
        screen.click(left + ROWS[row][0], top + ROWS[row][1])

    press(0)
    shown, picture = wait_images(person, 2)
    screen.photograph("previewed")
    looked_at = {names(shown)[0]}
    assert picture == before, "neither its layers, nor what is undone next, nor whether it is saved"
    press(1)
    shown = wait_for(lambda: _other(person, looked_at), "the other one", 60)
    screen.photograph("previewed-other")
    assert looked_at | {names(shown)[0]} == {FIRST, SECOND}
    assert len(images(person)) == 2, "one at a time"
    press(1)
    wait_images(person, 1)
    press(0)
    wait_images(person, 2)
    screen.activate(person.window)
    screen.key("ctrl+w")  # the painter closes its tab
    wait_images(person, 1)
    press(0)
    wait_images(person, 2)
    screen.activate(jobs)
    screen.photograph("before-adding")
    screen.key("alt+a", "space")
    (after,) = wait_for(lambda: found if len(names((found := images(person))[-1])) == 2 else None, "its layer", 60)
    assert names(after)[1:] == names(before)
    screen.photograph("added")
    screen.activate(person.window)
    screen.key("ctrl+z")
    person.wait_layers(1)
    screen.dismiss("^S²Edit Jobs$")


def _other(person: Person, looked_at: set[str]) -> dict[str, Any] | None:
    found = images(person)
    return found[0] if len(found) == 2 and names(found[0])[0] not in looked_at else None
