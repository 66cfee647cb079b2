"""The ✕ beside a job in the real GIMP: asked where a result would be lost that no saved picture has, and only there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from PIL import Image

from ..lab import Lab, wait_for
from ..scenarios import MAIN, draw_portrait
from ..screen import Screen
from .gimp import GimpDesk
from .person import Person

pytestmark = pytest.mark.hosts
JOBS, QUESTION = "^S²Edit Jobs$", "^Remove from the list$"
CROSS = (31, 48)
"""Pixels from the window's right upper corner to the middle of the first row's ✕."""
WITH_A_ROW = 150
"""Pixels that the window of jobs is higher than when it shows a job."""
WHITE = 150
"""Gray level that a ✕ has and the window's dark ground has not."""


@pytest.fixture(name="person", scope="module")
def sit_down() -> Iterator[Person]:
    with Lab("gimp-removal") as lab:
        lab.start_daemon(step_ms=1)
        painter = Person(GimpDesk(lab), Screen(lab), draw_portrait(lab.folder / "portrait.png"))
        yield painter
        assert painter.desk.complaints() == []


def waiting(person: Person) -> list[str]:
    """Jobs whose results no saved picture has."""
    return [job["job"] for job in person.desk.lab.jobs(["done"], acknowledged=False)]


def finished_unseen(person: Person) -> str:
    """The window of jobs, opened with one that ended when no window was there to fetch its result."""
    lab, screen, before = person.desk.lab, person.screen, len(waiting(person))
    lab.let_jobs_start(False)
    person.edit_lowest_layer(MAIN)
    person.desk.ask("end_plugins")
    screen.wait_gone(JOBS)
    lab.let_jobs_start(True)
    wait_for(lambda: len(waiting(person)) == before + 1, "the job to end", 60)
    person.choose_jobs()
    window = screen.wait_window(JOBS, 60)
    screen.activate(window)
    wait_for(lambda: screen.place(window)[3] > WITH_A_ROW, "its row", 30)
    screen.photograph("waiting")
    return window


def press_cross(person: Person, window: str) -> None:
    """Click the first row's ✕."""
    _x, _y, width, _height = person.screen.place(window)
    where = (str(width - CROSS[0]), str(CROSS[1]))
    person.screen.do("mousemove", "--window", window, *where, "sleep", "0.1", "click", "1")


def wait_row_gone(person: Person) -> None:
    """Wait until there is no bright cross any more where it was pressed last, under the pointer."""
    told = person.screen.do("getmouselocation", "--shell")
    x, y = (int(found) for found in re.findall(r"[XY]=(\d+)", told))

    def gone() -> bool:
        with Image.open(person.screen.photograph("row-gone")) as shot:
            levels = shot.convert("L").crop((x - 6, y - 6, x + 7, y + 7)).tobytes()
        return max(levels) < WHITE

    wait_for(gone, "the row to go", 30)


def ask_for(person: Person, window: str) -> None:
    """Press the first row's ✕, and see the question come."""
    press_cross(person, window)
    person.screen.activate(person.screen.wait_window(QUESTION))


def test_a_result_in_no_saved_picture_is_deleted_only_after_a_yes(person: Person) -> None:
    screen = person.screen
    window = finished_unseen(person)
    before = waiting(person)
    ask_for(person, window)
    screen.photograph("asked")
    for answer in ("Escape", "Return"):  # the window closed; what has the keyboard, which is “Keep”
        screen.key(answer)
        screen.wait_gone(QUESTION)
        assert waiting(person) == before
        ask_for(person, window)
    screen.key("Tab", "space")
    screen.wait_gone(QUESTION)
    wait_for(lambda: not waiting(person), "the result to be deleted", 30)
    wait_row_gone(person)
    screen.dismiss(JOBS)


def test_nothing_is_asked_where_nothing_would_be_lost(person: Person) -> None:
    screen = person.screen
    window = finished_unseen(person)
    before, count = waiting(person), len(person.state()["layers"])
    screen.activate(window)
    screen.key("alt+a")
    person.wait_layers(count + 1)
    screen.photograph("placed")
    press_cross(person, window)
    wait_row_gone(person)
    assert not screen.windows(QUESTION)
    assert waiting(person) == before, "a layer that is not saved could still be lost"
    screen.dismiss(JOBS)
