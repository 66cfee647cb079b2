"""How many clicks and keys an edit takes in the real Krita, counted while they are really made.

Beside it stands what the same takes in krita-ai-diffusion 1.53, as it was counted by hand there. Counted is each click,
drag and key; not counted, on both sides, are the sentence itself (with the keys that select the old one), the choice of
a tool, the stroke that corrects a mask, and turns of the wheel. Both dockers are open.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ..lab import Lab
from ..scenarios import MAIN, draw_portrait, result_name
from ..screen import Point, Screen
from .acts import LOOK, pixels_hash
from .easel import Easel
from .painter import Painter, State

OTHERS = {"first edit": 4, "next edit": 2, "three variations": 3, "mask corrected": 1, "once more, next day": 3}
"""What it takes there: a drag, a click into the field, Shift+Enter, Apply; and so on."""
CROWN, BOW = result_name(MAIN.source, MAIN.target), result_name(MAIN.source, MAIN.second_target)
MASK = "Where it changed"
SELECT = """
from krita import Krita
main = Krita.instance().activeWindow().qwindow()
from PyQt5.QtCore import Qt
docker = next(d for d in Krita.instance().dockers() if d.objectName() == "s2edit_docker")
main.resizeDocks([docker], [620], Qt.Vertical)
Krita.instance().action("KisToolSelectRectangular").trigger()
answer = True
"""
BRUSH = 'from krita import Krita\nKrita.instance().action("KritaShape/KisToolBrush").trigger()\nanswer = True'


class Counted(Screen):
    """A screen that knows what the hand did."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.acts: list[str] = []

    def key(self, *names: str) -> None:
        self.acts += names
        super().key(*names)

    def click(self, x: int, y: int, button: int = 1) -> None:
        self.acts.append("click")
        super().click(x, y, button)

    def stroke(self, points: Sequence[Point], steps: int = 12) -> None:
        self.acts.append("drag")
        super().stroke(points, steps)

    def counted(self) -> list[str]:
        """What was done since the last call."""
        acts, self.acts = self.acts, []
        return acts


def _open(painter: Painter) -> None:
    painter.layer_menu("Background")
    painter.choose("S²Edit…")
    painter.wait(lambda state: state["link"] == "ready", "the link")


def _text(painter: Painter, name: str, text: str) -> None:
    """Click into a field and type a sentence, where the keys that select the old one belong to the sentence."""
    painter.click_widget(name)
    painter.screen.do("key", "ctrl+a")
    painter.screen.type(text)


def _done(state: State) -> int:
    return sum(job["state"] == "done" for job in state["jobs"])


@pytest.mark.hosts
def test_an_edit_takes_no_more_clicks_than_elsewhere() -> None:
    found: dict[str, list[str]] = {}
    with Lab("krita-clicks") as lab:
        lab.start_daemon(step_ms=20)
        hand = Counted(lab)
        painter = Painter(Easel(lab, hand), draw_portrait(lab.folder / "portrait.png"))
        _open(painter)
        painter.ask(SELECT)
        hand.counted()

        _text(painter, "s2edit_target", MAIN.target)
        painter.stroke(((0.25, 0.05), (0.75, 0.33)))
        painter.click_widget("s2edit_edit")  # what the picture shows was left empty: it is described first
        found["first edit"] = hand.counted()
        painter.wait_layer(CROWN)
        hand.photograph("first-edit")
        edit = next(job for job in lab.jobs(["done"], acknowledged=False) if job["edit"]["kind"] == "edit")["edit"]
        assert edit["source"] == MAIN.source and edit["objects"] == [{"word": MAIN.word, "masked": True}]

        _text(painter, "s2edit_target", MAIN.second_target)
        hand.key("shift+Return")
        found["next edit"] = hand.counted()
        painter.wait_layer(BOW)

        before = _done(painter.state())
        painter.click_widget("s2edit_variations")
        painter.click_widget("s2edit_start_variations")
        painter.wait(lambda state: _done(state) >= before + 3, "three variations")
        painter.scroll_to("s2edit_apply")
        layers = len(painter.names())
        painter.click_widget("s2edit_apply", "Add as layer")
        found["three variations"] = hand.counted()
        painter.wait(lambda _state: len(painter.names()) > layers, "the picked one")

        painter.ask(BRUSH)
        mask = f"answer = hash(bytes(find({CROWN!r}).childNodes()[0].pixelData(0, 0, w, h)))"
        clean = painter.ask(LOOK + mask)
        painter.click_layer(MASK)
        found["mask corrected"] = hand.counted()
        picture = pixels_hash(painter, "Background")
        painter.stroke(((0.35, 0.15), (0.65, 0.25)))
        painter.wait(lambda _state: painter.ask(LOOK + mask) != clean, "the mask to be another one")
        assert pixels_hash(painter, "Background") == picture, "the mask, and not the picture"

        saved = lab.folder / "portrait.kra"
        painter.ask(LOOK + f"document.setBatchmode(True)\nanswer = document.saveAs({str(saved)!r})")
        painter.leave()
        found["once more, next day"] = _next_day(Painter(painter.easel, saved), hand)
    for act, other in OTHERS.items():
        print(f"{act:20} {len(found[act])} ({', '.join(found[act])}); krita-ai-diffusion {other}")
    assert {act: len(done) <= OTHERS[act] for act, done in found.items()} == dict.fromkeys(OTHERS, True), found


def _next_day(painter: Painter, hand: Counted) -> list[str]:
    _open(painter)
    painter.ask(SELECT)
    layers = len(painter.names())
    painter.scroll_to("s2edit_again")
    hand.counted()
    painter.click_widget("s2edit_again")
    painter.click_widget("s2edit_edit")
    acts = hand.counted()
    painter.wait(lambda _state: len(painter.names()) > layers, "the edit once more")
    painter.leave()
    return acts
