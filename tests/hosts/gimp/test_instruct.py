"""With a model that takes an instruction, the dialog asks for that alone, in the real GIMP."""

from __future__ import annotations

import json

import pytest

from ..lab import Lab, wait_for
from ..scenarios import draw_portrait
from ..screen import Screen
from .gimp import GimpDesk
from .person import Person


@pytest.mark.hosts
def test_one_sentence_makes_an_edit() -> None:
    with Lab("gimp-instruct") as lab:
        (lab.state / "settings.json").write_text(json.dumps({"model_gimp": "flux2-klein-4b"}), encoding="utf-8")
        lab.write_launcher()
        lab.start_daemon()
        person = Person(GimpDesk(lab), Screen(lab), draw_portrait(lab.folder / "portrait.png"))
        person.prepare()
        dialog = person.open_dialog()
        screen = person.screen

        def taken() -> bool:
            """Typed once more until it is sent: before the models are known, the cursor is in the description."""
            there = dialog in screen.windows("^S²Edit$")
            if there and screen.try_activate(dialog):
                screen.key("ctrl+a")
                screen.type("add sunglasses")
                screen.photograph("one-sentence")
                screen.key("ctrl+Return")
            return not there

        wait_for(taken, "the dialog to take the instruction", 60, every=1.0)
        person.wait_layers(2)
        (job,) = [*lab.jobs(["done"], acknowledged=False), *lab.jobs(["done"], acknowledged=True)]
        edit = job["edit"]
        assert (edit["source"], edit["target"], edit["objects"]) == ("", "add sunglasses", [])
        assert person.desk.complaints() == []
