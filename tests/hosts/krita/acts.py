"""What a painter does on the main path, by hand, and what must hold after each step; for any scene."""

from __future__ import annotations

import time
from pathlib import Path

from s2edit_wire.records import PROFILES

from ..lab import Lab
from ..scenarios import Scene, result_name
from .painter import Painter, State

LOOK = """
from krita import Krita
import hashlib
document = Krita.instance().activeDocument()
w, h = document.width(), document.height()
def find(name): return next(n for n in document.topLevelNodes() if n.name() == name)
"""
STEP_S = 60.0
"""Seconds to wait for a result of the fake worker."""


class MainPath:
    """The main path for one scene.

    Args:
        lab: the desk, with a running daemon.
        scene: what to type and paint.
        patience: seconds that an edit may take.
    """

    def __init__(self, lab: Lab, scene: Scene, patience: float = STEP_S) -> None:
        self.lab, self.scene, self.patience = lab, scene, patience
        self.result, self.again = (result_name(scene.source, wish) for wish in (scene.target, scene.second_target))
        self.mask = f"Object mask: {scene.word}"

    def work(self, painter: Painter) -> Path:
        """From the menu to a .kra, saved and still open; returns the file."""
        self._describe_edit(painter)
        self._paint_mask(painter)
        clean = pixels_hash(painter, "Background")
        painter.click_widget("s2edit_edit")
        painter.wait(lambda state: any(job["state"] == "running" for job in state["jobs"]), "the job to run")
        painter.wait(lambda state: state["active"] == "Background", "the picture's own layer to be active again")
        painter.stroke(self.scene.doodle)
        painter.wait(lambda _state: pixels_hash(painter, "Background") != clean, "the stroke made while the job runs")
        painter.screen.photograph("painting-on")
        painted = pixels_hash(painter, "Background")
        painter.wait_layer(self.result, self.patience)
        time.sleep(0.5)
        painter.screen.photograph("result")
        painter.wait(lambda state: state["active"] == "Background", "the painter's own layer to be active again")
        assert painter.names() == ["Background", self.result, self.mask], "right above its source"
        assert pixels_hash(painter, "Background") == painted, "the source layer is left alone"
        self._check_mask(painter)
        self._undo_and_redo(painter)
        painter.scroll_to("s2edit_apply")
        painter.click_widget("s2edit_apply")  # “Show layer”
        time.sleep(0.5)
        assert painter.names().count(self.result) == 1, "applying twice never doubles"
        saved = self.lab.folder / "portrait.kra"
        painter.ask(LOOK + f"document.setBatchmode(True)\nanswer = document.saveAs({str(saved)!r})")
        painter.wait(lambda state: state["jobs"][-1]["acknowledged"], "the result to be acknowledged once it is saved")
        return saved

    def leave_at_work(self, painter: Painter) -> None:
        """Send one more edit and quit Krita while it runs."""
        painter.scroll_to("s2edit_target")
        painter.fill("s2edit_target", self.scene.second_target)
        painter.click_widget("s2edit_edit")
        painter.wait(lambda state: state["jobs"][-1]["state"] == "running", "the second job to run")
        painter.leave()

    def fetch(self, painter: Painter) -> None:
        """What was sent before Krita was quit waits with the document's edits, in a new Krita."""
        painter.layer_menu("Background")
        painter.choose("S²Edit…")
        painter.wait(
            lambda state: [job["state"] for job in state["jobs"]] == ["done", "done"], "the second job", self.patience
        )
        assert self.again not in painter.names(), "a layer comes by itself only where it was asked for"
        painter.scroll_to("s2edit_apply")
        painter.screen.photograph("waiting-result")
        painter.click_widget("s2edit_apply", "Add as layer")
        painter.wait_layer(self.again)
        # The first result was shown, and so the active layer, when this was sent.
        assert painter.names() == ["Background", self.result, self.again, self.mask], "right above its source"
        painter.screen.photograph("fetched-after-restart")

    def run_again(self, painter: Painter) -> None:
        """The document, opened by a new Krita, still knows its edit; another target makes another layer."""
        painter.layer_menu("Background")
        painter.choose("S²Edit…")
        painter.wait(lambda state: state["link"] == "ready", "the link")
        painter.scroll_to("s2edit_again")
        painter.click_widget("s2edit_again")
        painter.scroll_to("s2edit_target")
        painter.wait(
            lambda state: state["widgets"].get("s2edit_target", [[0] * 5])[0][4] == self.scene.target,
            "the fields to be filled",
        )
        painter.fill("s2edit_target", self.scene.second_target)
        painter.screen.photograph("again")
        painter.click_widget("s2edit_edit")
        painter.wait_layer(self.again, self.patience)
        time.sleep(0.5)
        painter.screen.photograph("second-result")
        assert sorted(painter.names()) == sorted(["Background", self.again, self.result, self.mask])

    def _describe_edit(self, painter: Painter) -> None:
        painter.layer_menu("Background")
        painter.screen.photograph("layers-menu")
        painter.choose("S²Edit…")
        painter.fill("s2edit_source", self.scene.source)
        painter.fill("s2edit_target", self.scene.target)
        painter.scroll_to("s2edit_profile")
        painter.click_widget("s2edit_profile")
        painter.screen.key("Home", *["Down"] * PROFILES.index(self.scene.profile), "Return")
        painter.screen.photograph("texts")

    def _paint_mask(self, painter: Painter) -> None:
        painter.wait(lambda state: state["word"] == self.scene.word, "the word that changes to be proposed")
        painter.click_widget("s2edit_paint")
        painter.wait(lambda state: state["active"] == self.mask, "the mask layer")
        for stroke in self.scene.mask:
            painter.stroke(stroke)
        painter.scroll_to("s2edit_preview")
        time.sleep(1)
        painter.screen.photograph("mask")

    def _check_mask(self, painter: Painter) -> None:
        held, beyond = painter.ask(
            LOOK + f"mask = find({self.result!r}).childNodes()[0]\n"
            "held = bytes(mask.pixelData(0, 0, w, h))\n"
            f"paint = bytes(find({self.mask!r}).pixelData(0, 0, w, h))[3::4]\n"
            "answer = [sum(map(bool, held)), sum(bool(a) and not b for a, b in zip(held, paint))]"
        )
        assert held > 500
        assert beyond < 0.5 * held, "the result's mask follows the painted one, with a soft edge"

    def _undo_and_redo(self, painter: Painter) -> None:
        painter.screen.key("ctrl+z")
        painter.wait(lambda state: not _has(state, self.result), "one undo to take the whole result away")
        assert _has(painter.state(), self.mask), "the undo took more than the result"
        painter.screen.key("ctrl+shift+z")
        state = painter.wait(lambda state: _has(state, self.result), "redo to bring it back")
        layer = next(layer for layer in state["layers"] if layer[0] == self.result)
        assert [kind for _, kind, _ in layer[2]] == ["transparencymask"]


def pixels_hash(painter: Painter, layer: str) -> str:
    """Digest of a layer's pixels."""
    code = f"answer = hashlib.sha256(bytes(find({layer!r}).pixelData(0, 0, w, h))).hexdigest()"
    found: str = painter.ask(LOOK + code)
    return found


def _has(state: State, layer: str) -> bool:
    return any(name == layer for name, _, _ in state["layers"])
