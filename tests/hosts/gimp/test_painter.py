"""A painter at the real GIMP's window, acted with mouse and keyboard; pictures of each step are among the artefacts."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from ..lab import Lab, wait_for
from ..scenarios import KILLED, MAIN, draw_portrait, result_name
from ..screen import Screen
from .acts import main_path
from .gimp import GimpDesk
from .person import Person

pytestmark = pytest.mark.hosts
NEAR = 0.9
"""Share of the pixels that are where they belong once scaled: edges are smoothed, in linear light."""


@pytest.fixture(scope="module")
def person() -> Iterator[Person]:
    """Somebody with a drawn portrait open."""
    with Lab("gimp-painter") as lab:
        lab.start_daemon(step_ms=MAIN.step_ms)
        painter = Person(GimpDesk(lab), Screen(lab), draw_portrait(lab.folder / "portrait.png"))
        yield painter
        assert painter.desk.complaints() == []


def names(person: Person) -> list[str]:
    return [layer["name"] for layer in person.state()["layers"]]


def kept(person: Person) -> set[str]:
    """Jobs whose results the daemon keeps, since no saved picture has them."""
    return {job["job"] for job in person.desk.lab.jobs(["done"], acknowledged=False)}


def test_paint_a_mask_edit_paint_on_undo_redo_save_reopen_and_edit_again(person: Person) -> None:
    main_path(person, MAIN, 90)


def test_kill_9_of_the_daemon_in_mid_edit_loses_nothing(person: Person) -> None:
    lab, screen = person.desk.lab, person.screen
    lab.write_launcher(step_ms=KILLED.step_ms)
    count = len(names(person))
    person.edit_lowest_layer(KILLED)
    wait_for(lambda: lab.jobs(["running"], acknowledged=False), "the job to run", 60)
    lab.kill_daemon()
    time.sleep(0.5)
    screen.photograph("killed")
    person.wait_layers(count + 1, 120)
    screen.photograph("recovered")
    screen.wait_gone("^S²Edit Jobs$", 30)


def test_the_result_finds_its_place_in_a_picture_that_was_cropped_and_moved_meanwhile(person: Person) -> None:
    screen = person.screen
    count = len(names(person))
    person.edit_lowest_layer(MAIN)
    person.desk.ask("rearrange", crop=[210, 215, 20, 11], move=[9, -4])
    screen.photograph("rearranged")
    person.wait_layers(count + 1)
    time.sleep(1.0)
    screen.photograph("found-again")
    found = person.desk.ask("aligned")["found"]
    assert found["error"] <= 1, "the result is not where it was taken from"
    assert found["offset"] == [9 - 20, -4 - 11]
    screen.wait_gone("^S²Edit Jobs$", 60)


def test_a_result_waits_for_a_painter_who_closed_gimp(person: Person) -> None:
    screen = person.screen
    count, before = len(names(person)), kept(person)
    person.edit_lowest_layer(MAIN)
    person.desk.ask("end_plugins")
    screen.wait_gone("^S²Edit Jobs$", 30)
    person.choose_jobs()
    jobs = screen.wait_window("^S²Edit Jobs$", 60)
    screen.activate(jobs)
    wait_for(lambda: kept(person) - before, "the job to end", 60)
    time.sleep(1.0)
    screen.photograph("waiting")

    assert person.desk.ask("indexed")["base"] == "indexed"
    screen.activate(jobs)
    screen.key("alt+a")
    screen.photograph("indexed-meanwhile")
    assert len(names(person)) == count, "a palette can't take a result"
    screen.activate(person.window)
    screen.key("ctrl+z")
    wait_for(lambda: person.state()["base"] == "rgb", "the conversion to be undone", 30)
    screen.activate(jobs)
    screen.key("alt+a")
    person.wait_layers(count + 1)
    screen.photograph("fetched")


def test_a_result_comes_to_a_picture_that_was_closed_and_when_its_layer_is_gone(person: Person) -> None:
    lab, screen = person.desk.lab, person.screen
    count, before, saved = len(names(person)), kept(person), lab.folder / "closed.xcf"
    assert before, "layers of a picture that is not saved could still be lost"
    lab.let_jobs_start(False)
    person.edit_lowest_layer(MAIN)
    person.save_as(saved)
    person.close_picture()
    lab.let_jobs_start(True)
    wait_for(lambda: kept(person) - before, "the job to end", 60)
    screen.photograph("closed")
    screen.dismiss("^S²Edit Jobs$")
    person.open_picture(saved)
    person.choose_jobs()
    screen.activate(screen.wait_window("^S²Edit Jobs$", 60))
    time.sleep(1.0)
    screen.key("alt+a")
    person.wait_layers(count + 1)
    found = person.desk.ask("aligned")["found"]
    assert found["error"] <= 1, "the result is not where it was taken from"
    wait_for(lambda: before - kept(person), "those to be acknowledged that are layers of the saved picture", 30)
    screen.dismiss("^S²Edit Jobs$")

    person.edit_lowest_layer(MAIN)
    person.desk.ask("rearrange", delete=True)
    assert len(names(person)) == count
    top = person.wait_layers(count + 1)["layers"][0]
    assert top["name"].startswith(result_name(MAIN.source, MAIN.target))  # GIMP numbers equal names
    assert top["offset"] == found["offset"]
    screen.wait_gone("^S²Edit Jobs$", 60)
    screen.activate(person.window)
    screen.key("ctrl+z", "ctrl+z")
    wait_for(lambda: names(person)[-1] == person.picture.name, "the deleted layer to be back", 30)


def test_the_model_describes_finds_and_varies(person: Person) -> None:
    lab, screen = person.desk.lab, person.screen
    count = len(names(person))
    person.select_lowest_layer()
    dialog = person.open_dialog()
    person.type_words(MAIN)
    screen.key("alt+s", "ctrl+a", "Delete", "alt+p")
    wait_for(
        lambda: [job for job in lab.jobs(["done"], acknowledged=True) if job["edit"]["kind"] == "caption"], "words"
    )
    time.sleep(1.0)
    screen.photograph("described")

    screen.activate(dialog)
    screen.key("alt+h")
    person.wait_layers(count + 1)
    screen.activate(dialog)
    time.sleep(2.0)
    screen.photograph("found")
    before = kept(person)  # the mask among them: it is a layer of a picture that is not saved

    screen.key("alt+v")  # the cursor goes to “Further wishes”
    screen.type(MAIN.second_target)
    time.sleep(2.0)
    screen.photograph("varied")
    screen.key("alt+e")
    jobs = screen.wait_window("^S²Edit Jobs$", 60)
    wait_for(lambda: len(kept(person) - before) == 2, "both", 90)
    waiting = [job for job in lab.jobs(["done"], acknowledged=False) if job["job"] not in before]
    assert {job["edit"]["target"] for job in waiting} == {MAIN.target, MAIN.second_target}
    assert {job["edit"]["source"] for job in waiting} == {"a portrait of a woman with a hat"}
    assert all(job["edit"]["objects"] == [{"word": MAIN.word, "masked": True}] for job in waiting)
    time.sleep(1.5)
    screen.photograph("variations")
    screen.activate(jobs)
    screen.key("alt+a", "space")  # the key is on both buttons: it goes to the first, the space bar presses it
    person.wait_layers(count + 2)
    screen.photograph("picked")
    screen.dismiss("^S²Edit Jobs$")


def test_the_result_grows_with_a_picture_that_was_scaled_meanwhile(person: Person) -> None:
    count = len(names(person))
    width, height = person.state()["size"]
    person.desk.lab.let_jobs_start(False)
    person.edit_lowest_layer(MAIN)
    before = person.state()["layers"][-1]["size"]
    person.desk.ask("rearrange", scale=[2 * width, 2 * height])
    person.desk.lab.let_jobs_start(True)
    person.wait_layers(count + 1)
    person.screen.photograph("scaled-meanwhile")
    found = person.desk.ask("aligned")["found"]
    assert person.state()["layers"][-1]["size"] == [2 * side for side in before]
    assert found["near"] >= NEAR, "the result is not where it was taken from"
