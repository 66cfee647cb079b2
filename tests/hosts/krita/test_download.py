"""A model that is not here yet, by hand in the real Krita: licence, download with a pause, and an edit by it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from s2edit_server.weights.catalogue import CatalogueEntry, File

from tests.fakes.hub import FakeHub
from tests.fakes.hub_model import REVISION, daemon_with, small_model
from tests.parity.tiny_checkpoint import build

from ..lab import Lab
from ..scenarios import MAIN, draw_portrait, result_name
from ..screen import Screen
from .easel import Easel
from .painter import Painter, State

TITLE = "A model"
SLOW_S = 0.5
"""Between two pieces of 64 KiB: two minutes for all, in which a painter finds the button that pauses it."""
PATIENCE_S = 600
"""Seconds for the edit: torch is loaded for it, beside whatever else the machine does."""


def _words(state: State) -> str:
    """What is said below the choice of model."""
    return str(state["widgets"].get("s2edit_model_words", [[""] * 5])[0][4])


def _button(state: State) -> str:
    return str(state["widgets"].get("s2edit_model_button", [[""] * 5])[0][4])


def _model_on(hub: FakeHub) -> CatalogueEntry:
    files = tuple(File(name, about=len(content)) for name, content in hub.files.items())
    return msgspec.structs.replace(small_model(), files=files)


def _download(painter: Painter, hub: FakeHub) -> None:
    """Choose it, accept its licence, pause the download and go on with it to its end."""
    painter.scroll_to("s2edit_model")
    painter.click_widget("s2edit_model")
    painter.screen.type(TITLE)
    painter.screen.key("Return")
    painter.wait(lambda state: "is not on this computer yet" in _words(state), "the offer of a download")
    painter.click_widget("s2edit_model_button")
    painter.wait(lambda state: "s2edit_accept" in state["widgets"], "the licence")
    painter.screen.photograph("licence")
    painter.click_widget("s2edit_accept")
    painter.wait(lambda state: "is on its way: " in _words(state), "the download")
    painter.wait(lambda state: " 0 %" not in _words(state), "the download to get on")
    painter.screen.photograph("on-its-way")
    painter.click_widget("s2edit_model_button")
    painter.wait(lambda state: "is here by " in _words(state) and _button(state) == "Resume", "the pause")
    painter.screen.photograph("paused")
    hub.faults.slow = 0
    painter.click_widget("s2edit_model_button")
    painter.wait(lambda state: not _words(state), "the download's end")


@pytest.mark.hosts
@pytest.mark.timeout(2 * PATIENCE_S)
def test_a_model_is_downloaded_in_the_docker_and_then_edits(tmp_path: Path) -> None:
    folder = build(tmp_path / "model")
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with FakeHub("someone/model", REVISION, files) as hub, Lab("krita-download") as lab:
        hub.faults.slow = SLOW_S
        daemon_with(lab.state, hub, _model_on(hub))  # the hub and its model are in the settings now
        lab.start_daemon(fake=False, offline=False)
        painter = Painter(Easel(lab, Screen(lab)), draw_portrait(lab.folder / "portrait.png"))
        painter.layer_menu("Background")
        painter.choose("S²Edit…")
        painter.wait(lambda state: state["link"] == "ready", "the link")
        painter.fill("s2edit_source", MAIN.source)
        painter.fill("s2edit_target", MAIN.target)
        _download(painter, hub)
        assert lab.model("model")["state"] == "ready"
        painter.scroll_to("s2edit_paint")
        painter.click_widget("s2edit_paint")
        painter.wait(lambda state: state["active"] == f"Object mask: {MAIN.word}", "the mask layer")
        for stroke in MAIN.mask:
            painter.stroke(stroke)
        painter.click_widget("s2edit_edit")
        painter.wait_layer(result_name(MAIN.source, MAIN.target), PATIENCE_S)
        painter.screen.photograph("edited-by-it")
        (job,) = lab.jobs(["done"], acknowledged=False)
        assert job["edit"]["model"] == "model"
        painter.leave()
