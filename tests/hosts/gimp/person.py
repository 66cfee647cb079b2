"""A painter at GIMP's window: acts out scenes with mouse and keyboard, and looks at the result through GIMP itself."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from s2edit_editor.wish import DEFAULT_PROFILE
from s2edit_wire.records import PROFILES

from ..lab import wait_for
from ..scenarios import Composition, Fractions, Scene
from ..screen import Point, Screen
from . import sight
from .gimp import GimpDesk

EDGE = 4
"""Pixels at the picture's border that GIMP's dashed layer boundary may cover."""
NAME = 150
"""Pixels from a layer's colour tag to its name in the Layers dialog."""


class Person:
    """Somebody who uses S²Edit.

    Args:
        desk: GIMP; screen: where it is; picture: the file to open, shown at 100 %.
    """

    def __init__(self, desk: GimpDesk, screen: Screen, picture: Path) -> None:
        self.desk, self.screen, self.picture = desk, screen, picture
        self.window = desk.open(screen, picture)
        with Image.open(picture) as opened:
            self.size = opened.size
        self.origin = wait_for(self._find, "the picture on the screen", 30)

    def prepare(self, **wanted: object) -> dict[str, Any]:
        """Make the picture what a test begins with (`inside/prepare.py`); its state.

        A result that an earlier test left is deleted, and its mark goes a moment later: only then come layers that are
        younger, since for all the plug-in knows they hold the result.
        """
        self.desk.ask("prepare")
        bare = wait_for(lambda: None if (now := self.state())["says_model"] else now, "the mark to go", 30)
        return self.desk.ask("prepare", 30, **wanted) if wanted else bare

    def state(self) -> dict[str, Any]:
        """What GIMP says about the newest image: layers from the top down, dirty or not, selected layers."""
        return self.desk.ask("state", 60)

    def wait_layers(self, count: int, timeout: float = 90) -> dict[str, Any]:
        """The image's state once it has so many layers."""

        def probe() -> dict[str, Any] | None:
            now = self.state()
            return now if len(now["layers"]) == count else None

        return wait_for(probe, f"{count} layers", timeout)

    def open_dialog(self) -> str:
        """Right-click the canvas and choose S²Edit…, its last entry; returns the dialog's window."""
        self.choose_edit()
        return self._dialog()

    def choose_edit(self) -> None:
        """Right-click the canvas and choose S²Edit…"""
        self.screen.activate(self.window)
        self.screen.click(*self._at((0.5, 1.25)), 3)
        time.sleep(0.8)
        self.screen.photograph("context-menu")
        self.screen.key("Up", "Return")

    def open_dialog_in_layers(self) -> str:
        """Right-click the lowest layer in the Layers dialog and choose S²Edit…; returns S²Edit's window."""
        docks = self.screen.width * 4 // 5
        before = sight.look(self.screen.photograph("layers"))
        self.desk.ask("tagged")
        x, y = sight.changed(before, sight.look(self.screen.photograph("tagged")), docks)
        self.screen.activate(self.window)
        self.screen.click(x + NAME, y, 3)
        time.sleep(0.8)
        self.screen.photograph("layers-menu")
        self.screen.key("Up", "Return")  # the last entry
        return self._dialog()

    def type_words(self, scene: Scene | Composition) -> None:
        """Fill in both sentences, the word of the object and the profile, reaching the fields by Alt and a key."""
        for mnemonic, text in (("alt+s", scene.source), ("alt+l", scene.target), ("alt+b", scene.word)):
            self.screen.key(mnemonic, "ctrl+a")
            self.screen.type(text)
        if isinstance(scene, Scene) and scene.profile != DEFAULT_PROFILE:
            self.screen.key("alt+f", "Home", *["Down"] * PROFILES.index(scene.profile))

    def paint_mask(self, strokes: tuple[Fractions, ...]) -> None:
        """From the open dialog: ask for a mask layer and paint the object on it."""
        count = len(self.state()["layers"])
        self.screen.key("alt+n")
        self.screen.wait_gone("^S²Edit$")
        self.wait_layers(count + 1)
        self.screen.activate(self.window)
        for stroke in strokes:
            self.paint(stroke)

    def paint(self, stroke: Fractions) -> None:
        """Draw on the selected layer."""
        self.screen.stroke([self._at(point) for point in stroke])
        time.sleep(0.2)

    def submit(self, dialog: str) -> str:
        """Press Ctrl+Enter in the dialog until it takes it; returns the window of jobs, moved out of the way."""
        time.sleep(1.0)  # for the photograph: what was typed last is drawn
        self.screen.activate(dialog)
        self.screen.photograph("dialog")

        def taken() -> bool:
            # While the words are still being looked at, or the model is on its way, Enter does nothing.
            there = dialog in self.screen.windows("^S²Edit$")
            if there and self.screen.try_activate(dialog):
                self.screen.key("ctrl+Return")
            return not there

        wait_for(taken, "the dialog to take the edit", 60, every=1.0)
        jobs = self.screen.wait_window("^S²Edit Jobs$", 60)
        self.screen.do("windowmove", "--sync", jobs, "700", "70")
        return jobs

    def edit_lowest_layer(self, scene: Scene) -> None:
        """Hand in a plain edit of the lowest layer."""
        self.select_lowest_layer()
        dialog = self.open_dialog()
        self.type_words(scene)
        self.submit(dialog)

    def wait_told(self, text: str, *keys: str) -> None:
        """Copy what the open dialog says of the connection, or by other keys, until this is in it."""

        def told() -> bool:
            self.screen.key(*(keys or ("alt+y",)))
            return text in str(self.desk.ask("clipboard")["text"])

        wait_for(told, f"“{text}” in the dialog", 60, every=0.5)

    def repeat_last(self) -> None:
        """Run S²Edit with its last values on the selected layer, once the run whose values they are has ended."""
        self.screen.wait_gone("^S²Edit Jobs$", 60)
        self.screen.activate(self.window)
        self.screen.key("ctrl+f")

    def select_lowest_layer(self) -> None:
        """Go down in the layer list with the keyboard."""
        self.screen.activate(self.window)
        self.screen.key("End")

    def save_as(self, path: Path) -> None:
        """Save as XCF through GIMP's file dialog."""
        self.screen.activate(self.window)
        self.screen.key("ctrl+shift+s")
        self.type_path("Save Image", path)
        wait_for(path.exists, f"{path.name} on disk", 30)
        wait_for(lambda: not self.state()["dirty"], "the image to be clean", 30)

    def close_picture(self) -> None:
        """Close the image; it must have been saved."""
        self.screen.activate(self.window)
        self.screen.key("ctrl+w")
        self.window = self.screen.wait_window("^GNU Image Manipulation Program$", 30)

    def open_picture(self, path: Path) -> None:
        """Open a file through GIMP's file dialog."""
        self.screen.activate(self.window)
        self.screen.key("ctrl+o")
        self.type_path("Open Image", path)
        self.window = self.screen.wait_window(rf"{path.stem}.*GIMP", 60)

    def choose_again(self) -> str:
        """Filters → S²Edit → S²Edit Again…, by keyboard; returns the dialog's window."""
        self._submenu("a")
        return self._dialog()

    def choose_jobs(self) -> None:
        """Filters → S²Edit → S²Edit Jobs, by keyboard."""
        self._submenu("j")

    def _submenu(self, mnemonic: str) -> None:
        self.screen.activate(self.window)
        self.screen.key("alt+r")
        time.sleep(0.8)
        self.screen.key("Up", "Right")
        time.sleep(0.5)
        self.screen.photograph("menu")
        self.screen.key(mnemonic)

    def _dialog(self) -> str:
        dialog = self.screen.wait_window("^S²Edit$", 60)
        self.screen.activate(dialog)
        time.sleep(1.0)
        return dialog

    def pick_reference(self, path: Path) -> None:
        """From the open dialog: choose a file as the reference; the cursor is then where one says what it shows."""
        self.screen.key("alt+t", "End")  # the last choice is a file
        time.sleep(1.0)  # it brings a button, which has its place in the order of keys once it is drawn
        self.screen.key("Tab", "space")
        self.type_path("^Reference Picture$", path)
        time.sleep(0.5)

    def type_path(self, title: str, path: Path) -> None:
        """Choose a file in GTK's file dialog by typing where it is."""
        dialog = self.screen.wait_window(title, 30)
        self.screen.activate(dialog)
        time.sleep(0.5)
        # The first key only brings the field for paths; those that come before it is there are lost.
        self.screen.key("slash")
        time.sleep(1.0)
        self.screen.key("ctrl+a")
        self.screen.type(str(path))
        time.sleep(0.3)
        self.screen.photograph("path")
        self.screen.key("Return")
        self.screen.wait_gone(title)

    def _at(self, point: tuple[float, float]) -> Point:
        return round(self.origin[0] + point[0] * self.size[0]), round(self.origin[1] + point[1] * self.size[1])

    def _find(self) -> Point | None:
        """Where the picture's left upper corner is on the screen, by the row that has most colours."""
        shot = np.asarray(Image.open(self.screen.photograph("opened")).convert("RGB"))
        picture = np.asarray(Image.open(self.picture).convert("RGB"))
        row = max(range(EDGE, picture.shape[0] - EDGE), key=lambda y: len(np.unique(picture[y], axis=0)))
        wanted = picture[row, EDGE:-EDGE].tobytes()
        for y in range(shot.shape[0]):
            found = shot[y].tobytes().find(wanted)
            if found >= 0 and found % 3 == 0:
                return found // 3 - EDGE, y - row
        return None
