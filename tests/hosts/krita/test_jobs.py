"""A painter's jobs by hand in the real Krita: the queue while one runs, cancel and retry, what failed, what comes next.

And a composition with another open picture.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from s2edit_wire.records import ENDED

from tests.fakes.worker import SEEDS

from ..lab import Lab
from ..scenarios import COMPOSED, MAIN, draw_portrait, result_name
from ..screen import Screen
from .easel import Easel
from .painter import Painter, State

STEP_MS = 600
"""Twenty of them a job: time enough to read the queue and to press its button, on a busy machine too."""
OTHER = (96, 64)
RUNNING = re.compile(r"(Learning the object|Reading the picture|Editing) \d+/\d+ · about \d+ s left")
FAILS = next(seed for seed, fault in SEEDS.items() if fault == "fail")
WHY = "The model said no. Ask another one."
CROWN, BOW = result_name(MAIN.source, MAIN.target), result_name(MAIN.target, MAIN.second_target)


def _texts(state: State, name: str) -> list[str]:
    return [str(widget[4]) for widget in state["widgets"].get(name, [])]


def _last(state: State) -> str:
    """The newest job's state."""
    return str(state["jobs"][-1]["state"]) if state["jobs"] else ""


def _begin(painter: Painter) -> None:
    painter.layer_menu("Background")
    painter.choose("S²Edit…")
    painter.wait(lambda state: state["link"] == "ready", "the link")
    painter.fill("s2edit_source", MAIN.source)
    painter.fill("s2edit_target", MAIN.target)
    painter.wait(lambda state: state["word"] == MAIN.word, "the word that changes to be proposed")


def _edit(painter: Painter) -> None:
    """Press Edit and wait until the queue tells where the job is, and when it will be done."""
    known = len(painter.state()["jobs"])
    painter.click_widget("s2edit_edit")
    painter.wait(lambda state: len(state["jobs"]) > known, "the job")
    painter.wait(lambda state: any(map(RUNNING.fullmatch, _texts(state, "s2edit_said"))), "phase, steps and time left")


def _cancel_and_retry(painter: Painter) -> None:
    _edit(painter)
    painter.click_widget("s2edit_cancel")
    painter.wait(lambda state: _last(state) == "cancelled", "the job to be cancelled")
    painter.scroll_to("s2edit_retry")
    painter.screen.photograph("cancelled")
    assert "Cancelled" in _texts(painter.state(), "s2edit_said")
    assert painter.names() == ["Background"]
    painter.click_widget("s2edit_retry")
    painter.wait(lambda state: _last(state) not in ENDED, "the job to be queued once more")
    assert "Cancelled" not in _texts(painter.state(), "s2edit_says")
    painter.scroll_to("s2edit_cancel")
    painter.wait(lambda state: "picture" in _texts(state, "s2edit_picture"), "a preview")
    painter.screen.photograph("queue")
    painter.wait_layer(CROWN)
    assert len(painter.state()["jobs"]) == 1, "the same job, not another one"


def _again_and_start(lab: Lab, painter: Painter, picture: Path) -> None:
    painter.scroll_to("s2edit_target")
    painter.fill("s2edit_target", MAIN.second_target)
    painter.click_layer(CROWN)
    painter.wait(lambda state: state["active"] == CROWN, "the result to be the active layer")
    painter.scroll_to("s2edit_again")
    painter.click_widget("s2edit_again")
    painter.wait(lambda state: state["active"] == "Background", "the layer that was edited then")
    painter.scroll_to("s2edit_target")
    painter.wait(lambda state: _texts(state, "s2edit_target") == [MAIN.target], "the texts of that edit")
    painter.scroll_to("s2edit_source")
    assert _texts(painter.state(), "s2edit_source") == [MAIN.source]
    painter.scroll_to("s2edit_start")
    painter.click_widget("s2edit_start")
    painter.wait(lambda state: state["active"] == CROWN, "the result to be what is edited next")
    painter.scroll_to("s2edit_source")
    painter.wait(lambda state: _texts(state, "s2edit_source") == [MAIN.target], "what the result shows")
    painter.fill("s2edit_target", MAIN.second_target)
    painter.wait(lambda state: state["word"] == "crown", "the word that changes now to be proposed")
    painter.click_widget("s2edit_target")
    painter.screen.key("ctrl+End", "Return", "Return")  # lines that the model hears nothing of
    painter.screen.photograph("start")
    painter.screen.key("ctrl+Return")
    painter.wait_layer(BOW)
    assert painter.names() == ["Background", CROWN, BOW]
    job = next(job for job in lab.jobs(["done"], acknowledged=False) if job["edit"]["target"] == MAIN.second_target)
    with Image.open(picture) as before:
        made = ImageChops.invert(before).convert("RGBA").tobytes()
    assert lab.sent(job["job"])[0]["sha256"] == sha256(made).hexdigest(), "all that the model made, not only its mask"


def _fail(painter: Painter) -> None:
    """The reason stands where Edit was pressed, and in the list; trying the very same again is not offered."""
    painter.scroll_to("s2edit_fold")
    painter.click_widget("s2edit_fold")
    painter.wait(lambda state: "never learned" in " ".join(_texts(state, "s2edit_says")), "doubts, which take room")
    painter.scroll_to("s2edit_seed")
    painter.fill("s2edit_seed", str(FAILS))
    _edit(painter)
    painter.wait(lambda state: _texts(state, "s2edit_says") == [WHY], "the reason")
    painter.scroll_to("s2edit_said")
    painter.screen.photograph("failed")
    state = painter.state()
    assert WHY in _texts(state, "s2edit_said")
    assert "s2edit_retry" not in state["widgets"]
    painter.scroll_to("s2edit_seed")
    painter.fill("s2edit_seed", "1")
    painter.scroll_to("s2edit_fold")
    painter.click_widget("s2edit_fold")


def _compose(lab: Lab, painter: Painter, other: Path) -> None:
    """From the layer of a picture in another tab, which stays as it is."""
    painter.click_layer("Background")
    painter.scroll_to("s2edit_source")
    painter.fill("s2edit_source", COMPOSED.source)
    painter.wait(lambda state: state["word"] == COMPOSED.word, "a word of what is edited now")
    painter.wait(lambda state: _texts(state, "s2edit_says") != [WHY], "an old complaint to go")
    painter.scroll_to("s2edit_compose")
    painter.click_widget("s2edit_compose")
    painter.click_widget("s2edit_reference")
    painter.screen.photograph("references")
    painter.screen.key("End", "Return")
    for field, text in (("reference_prompt", COMPOSED.reference), ("attribute", "glasses"), ("mix", COMPOSED.target)):
        painter.fill(f"s2edit_{field}", text)
    painter.screen.photograph("compose")
    painter.click_widget("s2edit_take")
    painter.wait_layer(result_name(COMPOSED.source, COMPOSED.target))
    painter.screen.photograph("composed")
    job = next(job for job in lab.jobs(["done"], acknowledged=False) if job["edit"]["kind"] == "compose")
    (reference,) = [frame for frame in lab.sent(job["job"]) if frame["role"] == "reference"]
    with Image.open(other) as picture:
        assert reference["shape"] == [picture.height, picture.width, 4]
        assert reference["sha256"] == sha256(picture.convert("RGBA").tobytes()).hexdigest()
    changed = painter.ask(
        "from krita import Krita\nanswer = {d.fileName(): d.modified() for d in Krita.instance().documents()}"
    )
    assert changed[str(other)] is False, "who only looks at a picture does not change it"


@pytest.mark.hosts
def test_the_queue_and_what_becomes_of_its_jobs() -> None:
    with Lab("krita-jobs") as lab:
        lab.start_daemon(step_ms=STEP_MS)
        other = lab.folder / "other.png"
        Image.effect_mandelbrot(OTHER, (-2, -1.3, 1, 1.3), 60).convert("RGB").save(other)
        picture = draw_portrait(lab.folder / "portrait.png")
        painter = Painter(Easel(lab, Screen(lab)), other, picture)
        _begin(painter)
        _cancel_and_retry(painter)
        _again_and_start(lab, painter, picture)
        _fail(painter)
        _compose(lab, painter, other)
        painter.leave()
