"""The ordinary user at the real GIMP and Krita: with the plug-ins that `s2edit install` put there, and by hand."""

from __future__ import annotations

import shutil

from tests.hosts.gimp.gimp import GimpDesk
from tests.hosts.gimp.person import Person
from tests.hosts.krita.easel import Easel
from tests.hosts.krita.painter import Painter
from tests.hosts.scenarios import EMBEDDED as SCENE
from tests.hosts.scenarios import render_portrait, result_name
from tests.hosts.screen import Screen
from tests.unit.installer.ordinary import OrdinaryLab

PATIENCE_S = 400
"""Seconds for one edit by the embedded model: a quiet machine takes 20, one that runs all else besides far longer."""


class Painters:
    """The editors on the user's screen, with settings but without S²Edit: that is the installer's to put there."""

    def __init__(self, lab: OrdinaryLab) -> None:
        self._lab, self._screen = lab, Screen(lab)
        self._krita, self._gimp = Easel(lab, self._screen), GimpDesk(lab)
        # Whoever sets this has said where GIMP's folder is; most people have not.
        del lab.env["GIMP3_DIRECTORY"]
        data, config = lab.home / ".local/share/krita", lab.home / ".config/kritarc"
        for folder in (self._gimp.plugin, data / "pykrita/s2edit_krita"):
            shutil.rmtree(folder)
        for file in ("pykrita/s2edit_krita.desktop", "actions/s2edit_krita.action"):
            (data / file).unlink()
        switched_on = config.read_text(encoding="utf-8")
        config.write_text(switched_on.replace("enable_s2edit_krita=true\n", ""), encoding="utf-8")
        self.picture = render_portrait(lab.home / "portrait.png")
        self.probes = [data / "pykrita/s2edit_probe", data / "pykrita/s2edit_probe.desktop"]
        lab.give(lab.home)

    def edit_in_gimp(self) -> None:
        """Right-click, S²Edit…, type, Enter; the new layer; save and quit."""
        person = Person(self._gimp, self._screen, self.picture)
        dialog = person.open_dialog()
        person.type_words(SCENE)
        self._screen.key("alt+s")  # Enter would open the list of profiles again, where the cursor is
        person.submit(dialog)
        result, own = person.wait_layers(2, PATIENCE_S)["layers"]
        self._screen.photograph("gimp-result")
        assert (result["name"], own["name"]) == (result_name(SCENE.source, SCENE.target), self.picture.name)
        assert "s2edit-recipe" in result["parasites"]
        person.save_as(self._lab.home / "portrait.xcf")
        person.close_picture()
        self._screen.key("ctrl+q")
        self._screen.wait_gone("GIMP|^GNU Image Manipulation Program$", 60)

    def edit_in_krita(self) -> None:
        """Right-click the layer, S²Edit…, type, Edit; the new layer; quit."""
        painter = Painter(self._krita, self.picture)
        painter.click_layer("Background", button=3)
        self._screen.photograph("krita-menu")
        painter.choose("S²Edit…")
        painter.fill("s2edit_source", SCENE.source)
        painter.fill("s2edit_target", SCENE.target)
        painter.wait(lambda state: state["word"] == SCENE.word, "the word that changes to be proposed")
        painter.scroll_to("s2edit_profile")
        painter.click_widget("s2edit_profile")
        self._screen.key("End", "Return")  # fast, the last of the profiles
        painter.click_widget("s2edit_edit")
        name = result_name(SCENE.source, SCENE.target)
        painter.wait(lambda state: state["jobs"], "the job to be handed in")
        painter.wait_layer(name, PATIENCE_S)
        self._screen.photograph("krita-result")
        assert painter.names() == ["Background", name]
        painter.leave()
