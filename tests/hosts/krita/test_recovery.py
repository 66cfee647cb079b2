"""What comes from elsewhere and what goes wrong: a result from GIMP, the daemon killed in mid-job, by hand in Krita."""

from __future__ import annotations

import time

import pytest
from PIL import Image
from s2edit_wire.client import Client, new_job_id
from s2edit_wire.frames import describe

from tests.protocol.router import Router

from ..lab import Lab, wait_for
from ..scenarios import KILLED, MAIN, PHOTOGRAPH, draw_portrait, result_name
from ..screen import Screen
from .easel import Easel
from .painter import Painter, State

SIDE = 256
TOO_NEW = "This plug-in is older than S²Edit's daemon."
FROM_GIMP = "a portrait of a woman with a scarf"


def _edit_from_gimp(lab: Lab) -> str:
    """What GIMP's plug-in sends; returns the job's id once it is done."""
    job = new_job_id()
    edit = {
        "kind": "edit",
        "model": "portraits",
        "profile": "fast",
        "source": KILLED.source,
        "target": FROM_GIMP,
        "objects": [{"word": KILLED.word, "masked": False}],
        "seed": 1,
        "document": {"host": "gimp", "title": "portrait.xcf", "canvas": [SIDE, SIDE], "crop": [0, 0, SIDE, SIDE]},
    }
    frames = [describe("image", (SIDE, SIDE, 3))]
    with Client("gimp", "0.1.0", state_folder=lab.state) as client:
        client.request("submit", {"job": job, "edit": edit, "frames": frames}, [bytes(3 * SIDE * SIDE)])
        wait_for(lambda: client.request("show", {"job": job}).header["job"]["state"] == "done", "GIMP's job", 60)
    return job


def _fetch(painter: Painter, job: str) -> None:
    painter.layer_menu("Background")
    painter.choose("S²Edit…")
    painter.wait(lambda state: any(one["job"] == job for one in state["jobs"]), "the job from GIMP in Krita")
    painter.scroll_to("s2edit_apply")
    painter.screen.photograph("from-gimp")
    painter.click_widget("s2edit_apply")
    painter.wait_layer(result_name(MAIN.source, FROM_GIMP))
    painter.screen.photograph("fetched")


def _outlive_the_daemon(lab: Lab, painter: Painter) -> None:
    painter.scroll_to("s2edit_source")
    painter.fill("s2edit_source", KILLED.source)
    painter.fill("s2edit_target", KILLED.target)
    painter.wait(lambda state: "s2edit_edit" in state["widgets"], "the form")
    time.sleep(1)
    painter.click_widget("s2edit_edit")
    painter.wait(lambda state: any(job["phase"] == "editing" for job in state["jobs"]), "the job to be edited", 60)
    before = lab.connection_file.read_text(encoding="utf-8")
    lab.kill_daemon()
    painter.wait(lambda state: state["link"] != "ready", "Krita to notice")
    painter.screen.photograph("killed")
    painter.wait(lambda state: state["link"] == "ready", "Krita to start the daemon again", 60)
    assert lab.connection_file.read_text(encoding="utf-8") != before
    painter.wait_layer(result_name(KILLED.source, KILLED.target), 120)
    painter.screen.photograph("arrived-all-the-same")
    names = painter.names()
    assert names.count(result_name(KILLED.source, KILLED.target)) == 1
    assert names.count(result_name(MAIN.source, FROM_GIMP)) == 1


@pytest.mark.hosts
def test_fetch_from_gimp_and_outlive_the_daemon() -> None:
    with Lab("krita-recovery") as lab:
        screen = Screen(lab)
        easel = Easel(lab, screen)
        lab.write_launcher(step_ms=KILLED.step_ms)
        lab.start_daemon(step_ms=KILLED.step_ms)
        job = _edit_from_gimp(lab)
        painter = Painter(easel, draw_portrait(lab.folder / "portrait.png", SIDE))
        _fetch(painter, job)
        _outlive_the_daemon(lab, painter)
        painter.leave()


def _words(state: State) -> str:
    """What is said below the choice of model."""
    return str(state["widgets"].get("s2edit_model_words", [[""] * 5])[0][4])


def _be_offered_another_model(painter: Painter) -> None:
    """The model of drawings is doubted before a photograph; the other one comes with its licence and its download."""
    painter.fill("s2edit_source", KILLED.source)
    painter.fill("s2edit_target", KILLED.target)
    painter.scroll_to("s2edit_model_button")
    painter.wait(lambda state: "this looks like a photograph" in _words(state), "the doubt")
    painter.screen.photograph("photograph")
    painter.click_widget("s2edit_model_button")
    painter.wait(lambda state: "is not on this computer yet" in _words(state), "the other model")
    painter.screen.photograph("other-model")
    painter.click_widget("s2edit_model_button")
    painter.wait(lambda state: "s2edit_accept" in state["widgets"], "the licence")
    painter.screen.photograph("licence")
    painter.click_widget("s2edit_accept")
    painter.wait(lambda state: "set to offline" in _words(state), "the refusal, since this daemon is offline")
    painter.screen.photograph("offline")


@pytest.mark.hosts
def test_a_daemon_of_another_version_is_told_of_in_words_and_the_right_one_is_found() -> None:
    refusal = {"op": "error", "code": "unsupported_version", "message": TOO_NEW, "hint": "Update the plug-in."}
    with Lab("krita-version") as lab:
        easel = Easel(lab, Screen(lab))
        photograph = lab.folder / "photograph.png"
        Image.open(PHOTOGRAPH).resize((SIDE, SIDE)).save(photograph)
        with Router(lab.state, hello=refusal):
            painter = Painter(easel, photograph)
            painter.layer_menu("Background")
            painter.choose("S²Edit…")
            painter.wait(lambda state: TOO_NEW in state["widgets"].get("s2edit_link", [[""] * 5])[0][4], "the words")
            painter.screen.photograph("another-version")
        lab.start_daemon(fake=False)
        painter.wait(lambda state: state["link"] == "ready", "the right daemon to be found, without a new start")
        _be_offered_another_model(painter)
        with Client("other", "0", lab.state) as client:
            models = {model["id"]: model for model in client.request("models").header["models"]}
        assert models["sd-v1-4"]["licence_accepted"], "the answer is recorded"
        painter.leave()
