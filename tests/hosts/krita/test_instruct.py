"""With a model that takes an instruction, the docker asks for that alone, in the real Krita."""

from __future__ import annotations

import json

import pytest

from ..lab import Lab
from ..scenarios import draw_portrait
from ..screen import Screen
from .easel import Easel
from .painter import Painter


@pytest.mark.hosts
def test_one_sentence_makes_an_edit() -> None:
    with Lab("krita-instruct") as lab:
        (lab.state / "settings.json").write_text(json.dumps({"model_krita": "flux2-klein-4b"}), encoding="utf-8")
        lab.start_daemon()
        painter = Painter(Easel(lab, Screen(lab)), draw_portrait(lab.folder / "portrait.png"))
        painter.layer_menu("Background")
        painter.choose("S²Edit…")
        shown = painter.wait(lambda state: "s2edit_source" not in state["widgets"], "the description to go")
        assert not shown["widgets"].keys() & {"s2edit_word", "s2edit_automatic", "s2edit_compose"}
        assert "s2edit_target" in shown["widgets"]
        painter.fill("s2edit_target", "add sunglasses")
        painter.screen.photograph("one-sentence")
        painter.click_widget("s2edit_edit")
        painter.wait_layer("add sunglasses")
        painter.screen.photograph("result")
        (job,) = [*lab.jobs(["done"], acknowledged=False), *lab.jobs(["done"], acknowledged=True)]
        edit = job["edit"]
        assert (edit["source"], edit["target"], edit["objects"]) == ("", "add sunglasses", [])
        painter.leave()
