"""With a model that takes an instruction, the dialog asks for that alone, in the real GIMP."""

from __future__ import annotations

import json

import pytest

from ..lab import Lab
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
        person.wait_told("", "ctrl+a", "ctrl+c")
        person.screen.type("add sunglasses")
        person.submit(dialog)
        person.wait_layers(2)
        (job,) = [*lab.jobs(["done"], acknowledged=False), *lab.jobs(["done"], acknowledged=True)]
        edit = job["edit"]
        assert (edit["source"], edit["target"], edit["objects"]) == ("", "add sunglasses", [])
        assert person.desk.complaints() == []
