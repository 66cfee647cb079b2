"""Edits that begin elsewhere than at the canvas, in the real GIMP: in the Layers dialog, and on a result.

And what the dialog shows of itself: the mark of a wrong word, and its folded parts where one writes from the right.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ..lab import Lab, wait_for
from ..scenarios import MAIN, draw_portrait, result_name
from ..screen import Screen
from . import sight
from .gimp import GimpDesk
from .person import Person

pytestmark = pytest.mark.hosts

DIALOG, JOBS = "^S²Edit$", "^S²Edit Jobs$"
CROWN = result_name(MAIN.source, MAIN.target)
BOW = result_name(MAIN.target, MAIN.second_target)
EVERY = ["queued", "running", "done"]
EDGE = 30
"""Pixels between a title and the edge at which it stands: an arrow and its margin."""


@pytest.fixture(scope="module")
def person() -> Iterator[Person]:
    """Somebody with a drawn portrait open."""
    with Lab("gimp-starts") as lab:
        lab.start_daemon()
        painter = Person(GimpDesk(lab), Screen(lab), draw_portrait(lab.folder / "portrait.png"))
        yield painter
        assert painter.desk.complaints() == []


@pytest.fixture(autouse=True)
def tidied(person: Person) -> Iterator[None]:
    """The picture is one layer again, and no window of a test is left for the next."""
    person.prepare()
    yield
    for title in (DIALOG, JOBS):
        person.screen.dismiss(title)


def newest_edit(person: Person) -> dict[str, Any]:
    """What was asked for last."""
    done = [job for taken in (True, False) for job in person.desk.lab.jobs(["done"], acknowledged=taken)]
    edit: dict[str, Any] = max(done, key=lambda job: float(job["created"]))["edit"]
    return edit


def kept(person: Person) -> dict[str, dict[str, Any]]:
    """Edits whose results the daemon keeps, since no saved picture has them, by job."""
    return {job["job"]: job["edit"] for job in person.desk.lab.jobs(["done"], acknowledged=False)}


def test_a_layer_is_edited_from_the_layers_dialogs_own_menu(person: Person) -> None:
    screen = person.screen
    person.prepare(copies=["other"])
    screen.activate(person.window)
    screen.key("Home")
    wait_for(lambda: person.state()["selected"] == ["other"], "the upper layer to be selected", 30)
    dialog = person.open_dialog_in_layers()
    assert person.state()["selected"] == [person.picture.name], "GIMP selects what is clicked"
    person.type_words(MAIN)
    person.submit(dialog)
    layers = [layer["name"] for layer in person.wait_layers(3)["layers"]]
    assert layers == ["other", CROWN, person.picture.name], "the result lies over the layer that was clicked"
    assert newest_edit(person)["document"]["layer"] == person.picture.name


def test_a_result_is_the_start_of_the_next_edit(person: Person) -> None:
    screen = person.screen
    made = person.desk.ask("edited", 60, source=MAIN.source, target=MAIN.target, word=MAIN.word)
    assert made["selected"] == [CROWN]
    dialog = person.open_dialog()
    screen.photograph("result-as-start")
    # The cursor is in what it should show, which is what it shows: only that has to be typed.
    screen.key("ctrl+a")
    screen.type(MAIN.second_target)
    person.submit(dialog)
    state = person.wait_layers(3)
    screen.photograph("chained")
    assert [layer["name"] for layer in state["layers"]] == [BOW, CROWN, person.picture.name]
    edit = newest_edit(person)
    assert (edit["source"], edit["target"]) == (MAIN.target, MAIN.second_target)
    assert edit["objects"] == [{"word": "crown", "masked": True}], "the new object, where the old result shows"
    assert edit["document"]["layer"] == CROWN
    assert edit["profile"] == MAIN.profile
    recipe = person.desk.ask("newest_recipe")
    assert json.loads(recipe["recipe"])["edit"] == edit
    assert recipe["source"] == CROWN, "it knows that it was made of the first result"
    assert edit in kept(person).values(), "the picture is not saved yet"


def test_a_word_that_the_picture_does_not_show_is_marked_while_it_is_typed(person: Person) -> None:
    screen = person.screen
    dialog = person.open_dialog()
    person.type_words(MAIN)
    assert MAIN.word in MAIN.source

    def marked(expected: bool, name: str) -> None:
        x, y, width, height = screen.place(dialog)

        def seen() -> bool:
            shot = sight.look(screen.photograph(name))
            field = sight.field_with_cursor(shot, (x, y, x + width, y + height))
            return field is not None and sight.has_mark(shot, field) == expected

        wait_for(seen, f"the word to be {'marked' if expected else 'free of a mark'}", 30, every=0.5)

    screen.key("alt+b", "End")
    marked(False, "right-word")
    screen.type("t")
    marked(True, "wrong-word")
    screen.key("BackSpace")
    marked(False, "mended-word")
    screen.key("alt+s", "ctrl+a")
    screen.type("a portrait of a woman")  # the sentence no longer has the word
    screen.key("alt+b")
    marked(True, "word-without-its-sentence")


def test_more_variations_than_travel_at_a_time_are_all_made(person: Person) -> None:
    screen, before = person.screen, set(kept(person))
    dialog = person.open_dialog()
    person.type_words(MAIN)
    screen.key("alt+v")
    screen.type(MAIN.second_target)
    screen.key("Tab", "ctrl+a")
    screen.type("3")  # seeds
    screen.photograph("six-variations")
    person.submit(dialog)
    wait_for(lambda: len(kept(person).keys() - before) == 6, "all of them", 60)
    made = [edit for job, edit in kept(person).items() if job not in before]
    wanted = {(target, seed) for target in (MAIN.target, MAIN.second_target) for seed in (0, 1, 2)}
    assert {(edit["target"], edit["seed"]) for edit in made} == wanted
    wait_for(lambda: screen.windows(JOBS), "the window of jobs", 30)
    screen.photograph("six-results")
    assert len(person.state()["layers"]) == 1, "they wait to be picked"


def test_a_layer_that_is_deleted_under_the_open_dialog_can_come_back(person: Person) -> None:
    lab, screen = person.desk.lab, person.screen
    person.prepare(copies=["other"])
    dialog = person.open_dialog()
    person.type_words(MAIN)
    before = len(lab.jobs(EVERY, acknowledged=False))
    person.desk.ask("rearrange", delete=True)
    screen.activate(person.window)
    screen.activate(dialog)
    screen.key("alt+e", "alt+h")
    screen.photograph("layer-gone")
    assert screen.windows(DIALOG) == [dialog], "it says what is the matter"
    assert len(lab.jobs(EVERY, acknowledged=False)) == before, "nothing was sent"
    screen.activate(person.window)
    screen.key("ctrl+z")
    person.wait_layers(2)
    person.submit(dialog)
    person.wait_layers(3)


def test_titles_of_folded_parts_stand_where_one_begins_to_read(person: Person) -> None:
    desk = person.desk
    told = json.loads(desk.lab.run("python3", str(desk.inside / "folded.py"), str(desk.plugin)))
    assert told["ltr"]["left"] < EDGE
    assert told["rtl"]["width"] - told["rtl"]["right"] < EDGE
    assert told["rtl"]["left"] > EDGE
