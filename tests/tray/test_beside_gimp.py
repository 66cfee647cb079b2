"""The tray beside the real GIMP on one screen: its plug-in's job watched from start to end, another one cancelled."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from s2edit_wire.client import Client

from tests.fakes.daemon import fake, submit
from tests.hosts.gimp.gimp import GimpDesk
from tests.hosts.gimp.person import Person
from tests.hosts.lab import Lab, end_group, wait_for
from tests.hosts.scenarios import MAIN, draw_portrait
from tests.hosts.screen import Screen

from .on_screen import tray_environment

pytestmark = pytest.mark.hosts


class Tray:
    """The tray's process on the lab's screen, and what it tells of itself."""

    def __init__(self, lab: Lab, screen: Screen) -> None:
        self._said = lab.folder / "tray.jsonl"
        with self._said.open("wb") as said, (lab.folder / "tray.log").open("wb") as log:
            command = [sys.executable, "-m", "tests.tray.watched_tray"]
            self._process = subprocess.Popen(
                command, env=tray_environment(lab), stdout=said, stderr=log, start_new_session=True
            )
        self.window = screen.wait_window("^Jobs – S²Edit$", 60)

    def all(self) -> list[dict[str, Any]]:
        """Everything that it has told, oldest first."""
        # The last line may still be on its way.
        return [json.loads(line) for line in self._said.read_text("utf-8").split("\n")[:-1]]

    def card(self, *words: str) -> dict[str, Any] | None:
        """The topmost card that shows all these words now."""
        cards: list[dict[str, Any]] = self.all()[-1]["jobs"] if self.all() else []
        return next((card for card in cards if all(word in card["words"] for word in words)), None)

    def end(self) -> None:
        """End it."""
        end_group(self._process)


@pytest.fixture(scope="module")
def tray_and_person() -> Iterator[tuple[Tray, Person]]:
    with Lab("tray-gimp") as lab:
        lab.start_daemon(step_ms=400)
        screen = Screen(lab)
        person = Person(GimpDesk(lab), screen, draw_portrait(lab.folder / "portrait.png"))
        tray = Tray(lab, screen)
        try:
            yield tray, person
        finally:
            tray.end()


def at_work(tray: Tray) -> dict[str, Any] | None:
    """The card of a job that runs, in whatever phase."""
    cards = (tray.card(MAIN.target, phase) for phase in ("Loading", "Learning", "Reading", "Editing"))
    return next((card for card in cards if card), None)


def ask_for_the_edit(person: Person) -> None:
    dialog = person.open_dialog()
    person.type_words(MAIN)
    person.submit(dialog)


def test_gimps_job_is_watched_and_the_next_one_cancelled(tray_and_person: tuple[Tray, Person]) -> None:
    tray, person = tray_and_person
    screen = person.screen
    ask_for_the_edit(person)
    wait_for(lambda: tray.all()[-1]["front"], "the tray to know that GIMP is in front", 60)
    wait_for(lambda: tray.card(MAIN.target, "GIMP", "portrait", "Editing"), "the job at work in the tray", 60)
    screen.activate(tray.window)
    screen.photograph("running")
    wait_for(lambda: tray.card(MAIN.target, "Done in"), "its end in the tray", 60)
    person.wait_layers(2)
    person.save_as(person.desk.lab.folder / "kept.xcf")  # the daemon keeps a result until its picture is saved
    wait_for(lambda: (card := tray.card(MAIN.target)) and "not fetched yet" not in card["words"], "GIMP has it", 30)
    screen.photograph("done")
    seen = " / ".join(card["words"] for told in tray.all() for card in told["jobs"])
    for phase in ("Learning the object", "Reading the picture", "Editing"):
        assert phase in seen
    screen.activate(tray.window)
    wait_for(lambda: not tray.all()[-1]["front"], "the tray to know that GIMP is not in front", 30)

    screen.wait_gone("^S²Edit Jobs$", 60)
    ask_for_the_edit(person)
    running = wait_for(lambda: at_work(tray), "the next job in the tray", 60)
    screen.activate(tray.window)
    screen.click(*running["at"])
    screen.key("ctrl+period")
    wait_for(lambda: tray.card(MAIN.target, "Cancelled"), "it is cancelled", 30)
    screen.photograph("cancelled")
    assert len(person.desk.lab.jobs(["cancelled"], acknowledged=False)) == 1
    assert len(person.state()["layers"]) == 2, "no layer came of it"


def test_a_waiting_job_is_dragged_with_the_mouse(tray_and_person: tuple[Tray, Person]) -> None:
    tray, person = tray_and_person
    lab, screen = person.desk.lab, person.screen
    with Client("krita", "0", lab.state) as krita:
        krita.request("pause_queue", {})
        for target in ("a man with one hat", "a man with two hats"):
            submit(krita, edit={**fake(), "target": target})
        one, two = (
            wait_for(partial(tray.card, target, f"Number {place} "), target, 30)["at"]
            for place, target in enumerate(("a man with one hat", "a man with two hats"), 1)
        )
        screen.activate(tray.window)
        # Onto the lower half of the second card: behind it.
        screen.stroke([(one[0], one[1]), (two[0], two[1] + 15)])
        wait_for(lambda: tray.card("one hat", "Number 2 ") and tray.card("two hats", "Number 1 "), "the new order", 30)
        screen.photograph("dragged")
        queued = krita.request("list", {"states": ["queued"]}).header["jobs"]
        assert {job["edit"]["target"]: job["position"] for job in queued} == {
            "a man with one hat": 2,
            "a man with two hats": 1,
        }
