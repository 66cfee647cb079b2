"""The painter's main path: the same for the fake worker and the embedded model."""

from __future__ import annotations

import time

from ..scenarios import Scene, result_name
from .person import Person


def main_path(person: Person, scene: Scene, patience: float) -> None:
    """Right-click, type, paint a mask, submit, paint on, get the layer, undo, redo, save, reopen, edit again.

    Args:
        person: with the scene's picture open and nothing done yet.
        patience: seconds that a result may take.
    """
    screen, lab = person.screen, person.desk.lab

    person.open_dialog()
    person.type_words(scene)
    time.sleep(1.5)
    screen.photograph("words")
    person.paint_mask(scene.mask)
    screen.photograph("mask")
    mask = f"Object mask: {scene.word}"
    assert person.state()["selected"] == [mask], person.state()["selected"]

    person.submit(person.open_dialog())
    person.select_lowest_layer()
    before = person.desk.ask("colour", layer=-1)["digest"]
    person.paint(scene.doodle)
    screen.photograph("painting-on")
    assert person.desk.ask("colour", layer=-1)["digest"] != before, "the painter could not paint on"
    person.wait_layers(3, patience)
    time.sleep(1.0)
    screen.photograph("result")

    result = person.state()["layers"][1]
    assert result["name"] == result_name(scene.source, scene.target)
    assert result["mask"]
    assert "s2edit-recipe" in result["parasites"]
    assert not person.state()["layers"][0]["visible"], "the mask layer has done its work"
    assert person.state()["selected"] == [person.picture.name], "the brush stays where the painter was"

    screen.activate(person.window)
    screen.key("ctrl+z")
    after = person.wait_layers(2)
    assert after["layers"][0]["visible"]
    assert not after["says_model"], "the mark in the metadata goes with the layer"
    screen.photograph("undone")
    screen.key("ctrl+y")
    assert person.wait_layers(3)["says_model"]

    saved = lab.folder / "saved.xcf"
    person.save_as(saved)
    person.close_picture()
    person.open_picture(saved)
    screen.photograph("reopened")
    assert person.state()["layers"][1] == result

    screen.activate(person.window)
    screen.key("Home", "Next")  # the top layer, then the next one: the result
    dialog = person.choose_again()
    screen.photograph("again")
    screen.key("ctrl+a")
    screen.type(scene.second_target)
    person.submit(dialog)
    person.wait_layers(4, patience)
    newest = person.state()["layers"][1]
    assert newest["name"] == result_name(scene.source, scene.second_target), "the newest result lies over the older one"
    screen.photograph("second-result")
    screen.wait_gone("^S²Edit Jobs$", 60)
