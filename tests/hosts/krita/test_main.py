"""The main path by hand in the real Krita: menu, texts, mask by brush, painting on, one undo step, .kra, again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ..lab import Lab
from ..scenarios import MAIN, draw_portrait
from ..screen import Screen
from .easel import Easel
from .painter import Painter, State

RESULT = f"S²Edit: {MAIN.target}"
AGAIN = f"S²Edit: {MAIN.second_target}"
MASK = f"Object mask: {MAIN.word}"

LOOK = """
from krita import Krita
import hashlib
document = Krita.instance().activeDocument()
w, h = document.width(), document.height()
def find(name): return next(n for n in document.topLevelNodes() if n.name() == name)
"""


def _hash_of(painter: Painter, layer: str) -> str:
    """Digest of a layer's pixels."""
    code = f"answer = hashlib.sha256(bytes(find({layer!r}).pixelData(0, 0, w, h))).hexdigest()"
    found: str = painter.ask(LOOK + code)
    return found


def _has(state: State, layer: str) -> bool:
    return any(name == layer for name, _, _ in state["layers"])


def _describe_edit(painter: Painter) -> None:
    painter.click_layer("Background", button=3)
    painter.screen.photograph("layers-menu")
    painter.choose("S²Edit…")
    painter.fill("s2edit_source", MAIN.source)
    painter.fill("s2edit_target", MAIN.target)
    painter.screen.photograph("texts")


def _paint_mask(painter: Painter) -> None:
    painter.click_widget("s2edit_paint")
    painter.wait(lambda state: state["active"].startswith("Object mask"), "the mask layer")
    for stroke in MAIN.mask:
        painter.stroke(stroke)
    painter.wait(lambda state: "s2edit_preview" in state["widgets"], "the preview of the mask")
    time.sleep(1)
    painter.screen.photograph("mask")


def _paint_on(painter: Painter, before: str) -> None:
    painter.click_layer("Background")
    painter.stroke(MAIN.doodle)
    painter.wait(lambda _state: _hash_of(painter, "Background") != before, "the stroke made while the job runs")


def _undo_and_redo(painter: Painter) -> None:
    painter.screen.key("ctrl+z")
    painter.wait(lambda state: not _has(state, RESULT), "one undo to take the whole result away")
    assert _has(painter.state(), MASK), "the undo took more than the result"
    painter.screen.key("ctrl+shift+z")
    state = painter.wait(lambda state: _has(state, RESULT), "redo to bring it back")
    layer = next(layer for layer in state["layers"] if layer[0] == RESULT)
    assert [kind for _, kind, _ in layer[2]] == ["transparencymask"]


def _work(lab: Lab, painter: Painter) -> Path:
    _describe_edit(painter)
    _paint_mask(painter)
    clean = _hash_of(painter, "Background")
    painter.click_widget("s2edit_edit")
    painter.wait(lambda state: any(job["state"] == "running" for job in state["jobs"]), "the job to run")
    _paint_on(painter, clean)
    painter.screen.photograph("painting-on")
    painted = _hash_of(painter, "Background")
    painter.wait_layer(RESULT)
    time.sleep(0.5)
    painter.screen.photograph("result")
    painter.wait(lambda state: state["active"] == "Background", "the painter's own layer to be the active one again", 3)
    assert painter.names() == ["Background", RESULT, MASK], "right above its source"
    assert _hash_of(painter, "Background") == painted, "the source layer is left alone"
    opaque = painter.ask(
        LOOK + f"mask = find({RESULT!r}).childNodes()[0]\n"
        "held = bytes(mask.pixelData(0, 0, w, h))\n"
        f"paint = bytes(find({MASK!r}).pixelData(0, 0, w, h))[3::4]\n"
        "answer = [sum(map(bool, held)), sum(bool(a) and not b for a, b in zip(held, paint))]"
    )
    assert opaque[0] > 1000
    assert opaque[1] < 0.5 * opaque[0], "the result's mask follows the painted one, with a soft edge"
    _undo_and_redo(painter)
    painter.scroll_to("s2edit_apply")
    painter.click_widget("s2edit_apply")  # “Show layer”
    time.sleep(0.5)
    assert painter.names().count(RESULT) == 1, "applying twice never doubles"
    saved = lab.folder / "portrait.kra"
    painter.ask(LOOK + f"document.setBatchmode(True)\nanswer = document.saveAs({str(saved)!r})")
    painter.wait(lambda state: state["jobs"][-1]["acknowledged"], "the result to be acknowledged once it is saved")
    painter.leave()
    return saved


def _run_again(painter: Painter) -> None:
    """The document, opened by a new Krita, still knows its edit."""
    painter.click_layer("Background", button=3)
    painter.choose("S²Edit…")
    painter.wait(lambda state: state["link"] == "ready", "the link")
    painter.scroll_to("s2edit_again")
    painter.click_widget("s2edit_again")
    painter.scroll_to("s2edit_target")
    painter.wait(
        lambda state: state["widgets"].get("s2edit_target", [[0] * 5])[0][4] == MAIN.target, "the fields to be filled"
    )
    painter.fill("s2edit_target", MAIN.second_target)
    painter.screen.photograph("again")
    painter.click_widget("s2edit_edit")
    painter.wait_layer(AGAIN)
    time.sleep(0.5)
    painter.screen.photograph("second-result")
    assert sorted(painter.names()) == sorted(["Background", AGAIN, RESULT, MASK])
    painter.leave()


@pytest.mark.hosts
def test_the_main_path_by_hand() -> None:
    with Lab("krita-main") as lab:
        screen = Screen(lab)
        easel = Easel(lab, screen)
        lab.start_daemon(step_ms=MAIN.step_ms)
        saved = _work(lab, Painter(easel, draw_portrait(lab.folder / "portrait.png")))
        _run_again(Painter(easel, saved))
