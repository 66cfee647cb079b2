"""Make the README's picture of the tray: real edits of drawn portraits, as both editors would hand them in.

.venv/bin/python -m tests.tray.picture .github/pictures/tray.png
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from PySide6.QtWidgets import QApplication
from s2edit_tray.connection import Daemon
from s2edit_tray.window import Window
from s2edit_wire.client import Client

from s2edit.research.starter.attributes import TRAINING_SEED_LIMIT, sample_attributes
from s2edit.research.starter.captions import caption
from s2edit.research.starter.renderer import render
from tests.fakes.daemon import RunningDaemon, finished, show, submit

# Program, document, layer, the portrait's seed, what it is made to show, what is to change. In the order of handing in.
_JOBS: tuple[tuple[str, str, str, int, dict[str, str], dict[str, str]], ...] = (
    ("krita", "poster.kra", "Portrait", 1, {"hair": "curly", "hat": "none"}, {"hair_color": "red"}),
    ("gimp", "avatar-team.xcf", "Sam", 2, {"mood": "serious", "accessory": "none"}, {"accessory": "glasses"}),
    ("krita", "comic-page-3.kra", "Panel 2", 5, {"person": "man", "facial_hair": "none"}, {"facial_hair": "beard"}),
    ("gimp", "badge.xcf", "Face", 7, {"accessory": "none", "mood": "smiling"}, {"accessory": "sunglasses"}),
    ("krita", "poster.kra", "Left figure", 9, {"background": "blue"}, {"background": "pink"}),
    ("other", "sam.png", "", 11, {"mood": "serious"}, {"mood": "smiling"}),
)
_DONE = 4


def _hand_in(client: Client, number: int) -> str:
    host, title, layer, seed, shown, changed = _JOBS[number]
    source = sample_attributes(TRAINING_SEED_LIMIT + seed).change(**shown)
    target = source.change(**changed)
    mention = {"hair", "facial_hair", "accessory", "mood", "background"}
    edit = {
        "kind": "edit",
        "model": "portraits",
        "profile": "balanced",
        "source": caption(source, mention=mention),
        "target": caption(target, mention=mention),
        "objects": [{"word": source.person, "masked": False}],
        "seed": 1,
        "document": {"host": host, "title": title, "layer": layer},
    }
    return submit(client, render(source, 256), edit)


def main(path: Path) -> None:
    """Save the picture once four jobs are done, and one is at work before one that waits."""
    app = QApplication(["picture", "-platform", "offscreen"])
    with (
        tempfile.TemporaryDirectory(prefix="s2t") as name,
        RunningDaemon(Path(name) / "s", worker=None) as running,
        running.client() as client,
    ):
        os.environ |= {"S2EDIT_HOME": str(running.folder), "XDG_CONFIG_HOME": str(running.folder / "config")}
        for number in range(_DONE):
            finished(client, _hand_in(client, number), timeout=600)
        last = [_hand_in(client, number) for number in range(_DONE, len(_JOBS))]
        daemon = Daemon()
        window = Window(daemon, stays=False)
        window.show()
        daemon.start()
        while show(client, last[0])["step"] < 20 or not daemon.ready:
            app.processEvents()
            time.sleep(0.02)
        until = time.monotonic() + 3  # thumbnails come one after the other
        while time.monotonic() < until:
            app.processEvents()
            time.sleep(0.02)
        window.grab().save(str(path))
        daemon.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
