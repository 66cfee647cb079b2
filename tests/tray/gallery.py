"""Every view of the tray as pictures, to be looked at: light and dark, German, mirrored, at two dots to the pixel.

    .venv/bin/python -m tests.tray.gallery FOLDER [--theme dark] [--language de]

Without a theme, one run for each of the combinations that differ. Jobs, their pictures and the
models are a real daemon's; states that take gigabytes or hours to come by are told in the daemon's place.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

from PySide6.QtCore import QLocale, QPoint, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QDialog, QPushButton, QScrollBar, QWidget
from s2edit_tray import theme
from s2edit_tray.app import TrayApp
from s2edit_tray.jobs_model import JOB_ROLE
from s2edit_tray.main import translator
from s2edit_tray.model_card import ModelCard
from s2edit_tray.questions import confirmed
from s2edit_tray.window import Window
from s2edit_wire.client import Client

from s2edit.research.starter.attributes import TRAINING_SEED_LIMIT, sample_attributes
from s2edit.research.starter.captions import caption
from s2edit.research.starter.renderer import render
from tests.fakes.daemon import RunningDaemon, fake, finished, submit

VARIANTS = (
    ("light", "en", "1"),
    ("dark", "en", "1"),
    ("light", "de", "1"),
    ("dark", "de", "2"),
    ("light", "ar", "1"),
    ("dark", "ar", "2"),
)
_LONG = "a very detailed portrait of a smiling man with a long brown beard, round glasses and a tall black hat, " * 3


def hand_in(client: Client, number: int, host: str, title: str, **settings: object) -> str:
    """A job on a drawn portrait."""
    source = sample_attributes(TRAINING_SEED_LIMIT + number)
    target = _LONG if number == 3 else caption(source.change(hair_color="red"))
    document = {"host": host, "title": title, "layer": f"Face {number}"}
    edit = {**fake(**settings), "source": caption(source), "target": target, "document": document}
    return submit(client, render(source, 192), edit)


def fill(client: Client) -> None:
    """Jobs in every state."""
    for number in range(4):
        finished(client, hand_in(client, number, "gimp" if number % 2 else "krita", f"poster-{number}.kra"))
    client.request("acknowledge", {"job": client.request("list", {"limit": 1}).header["jobs"][0]["job"]})
    finished(client, hand_in(client, 4, "krita", "comic-page-3.kra", fault="oom"))
    gone = hand_in(client, 5, "cli", "badge.xcf", steps=10_000, step_ms=20)
    client.request("cancel", {"job": gone})
    finished(client, gone)
    hand_in(client, 6, "gimp", "avatar-team.xcf", steps=3_000, step_ms=40)
    waiting = [hand_in(client, number, "krita", "poster.kra") for number in (7, 8)]
    client.request("hold", {"job": waiting[-1]})


class Camera:
    """Photographs widgets into one folder.

    Args:
        folder: where to.
        name: what every picture's name begins with.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name, self._number = folder, name, count(1)

    def take(self, widget: QWidget, what: str) -> None:
        """Let everything that is under way arrive, and save the widget's picture."""
        run_events(0.8)
        widget.grab().save(str(self._folder / f"{self._name}-{next(self._number):02d}-{what}.png"))

    def opened(self, ask: Callable[[], object], what: str) -> None:
        """Photograph the menu or message box that `ask` opens and waits for, and leave it unanswered."""

        def shown() -> None:
            widget = QApplication.activePopupWidget() or QApplication.activeModalWidget()
            assert widget is not None, f"nothing opened for {what}"
            self.take(widget, what)
            (widget.reject if isinstance(widget, QDialog) else widget.close)()

        QTimer.singleShot(0, shown)
        ask()


def run_events(seconds: float) -> None:
    """Run Qt's events for so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.01)


def told_states(model: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A model as it is on its way here, and when something is wrong with it."""
    size = model["size"]
    yield {**model, "state": "downloading", "present": size // 3, "rate": 7.3e6}
    yield {**model, "id": "b", "title": model["title"] + " (b)", "state": "paused", "present": size // 2}
    why = "The connection broke off. It goes on from there by itself once the hub can be reached again."
    yield {**model, "id": "c", "title": "gated", "state": "partial", "present": 1, "gated": True, "message": why}
    yield {**model, "id": "d", "title": "broken", "state": "broken", "present": size}
    yield {**model, "id": "e", "title": "ready", "state": "ready", "present": size}
    yield {**model, "id": "import-f", "title": "my own <b>model</b>", "state": "ready", "present": size}


def photograph(tray: TrayApp, client: Client, camera: Camera) -> None:
    """Go through everything that can be seen."""
    window = tray.window
    camera.take(window, "no-jobs")
    with ThreadPoolExecutor() as pool:
        # Beside the events: a line that nobody reads for so long is taken for broken.
        filled = pool.submit(fill, client)
        while not filled.done():
            run_events(0.1)
        filled.result()
    run_events(3)  # pictures come one after the other
    window.jobs_view.list.setCurrentIndex(window.jobs_view.order.index(4, 0))
    camera.take(window, "jobs")
    client.request("pause_queue", {})
    run_events(0.5)
    bar: QScrollBar = window.jobs_view.list.verticalScrollBar()
    bar.setValue(bar.maximum())
    camera.take(window, "jobs-below-queue-paused")
    window.resize(560, 420)
    camera.take(window, "jobs-small")
    window.tabs.setCurrentWidget(window.settings_view)
    camera.take(window, "settings-small")
    window.resize(920, 640)
    window.tabs.setCurrentWidget(window.jobs_view)
    window.jobs_view.order.show_only(text="nothing like it")
    window.jobs_view._refresh()
    camera.take(window, "jobs-none-found")
    window.jobs_view.order.show_only()
    window.jobs_view._refresh()
    window.tabs.setCurrentWidget(window.weights_view)
    camera.take(window, "models")
    absent = next(model for model in window.weights_view._models.values() if model["state"] == "absent")
    for model in told_states(absent):
        tray.daemon.model_changed.emit(model)
    window.weights_view._cards["d"].show_error("This disk is full. Free 3 GB and try again.")
    for model_id, name in ((absent["id"], "models-downloading"), ("import-f", "models-states")):
        run_events(0.3)
        window.weights_view.ensureWidgetVisible(window.weights_view._cards[model_id])
        camera.take(window, name)
    for page, name in ((window.memory_view, "computer"), (window.settings_view, "settings")):
        window.tabs.setCurrentWidget(page)
        camera.take(window, name)
    window.tabs.setCurrentIndex(4)
    camera.take(window, "about")
    windows_and_menus(tray, window, camera)
    tray.daemon.line_changed.emit("lost", "S²Edit's daemon does not start: another program holds its folder.")
    window.tabs.setCurrentIndex(0)
    camera.take(window, "daemon-lost")


def windows_and_menus(tray: TrayApp, window: Window, camera: Camera) -> None:
    """What opens beside the window."""
    rows = [window.jobs.job(job["job"]) for job in window.jobs.all()]
    done = next(job["job"] for job in rows if job and job["state"] == "done")
    window.open_result(done)
    window._open_log(done)
    run_events(1)
    for dialog in window.findChildren(QDialog):
        camera.take(dialog, type(dialog).__name__)
        dialog.close()
    card = window.weights_view.findChildren(ModelCard)[0]
    uses = next(button.menu() for button in card.findChildren(QPushButton) if button.menu())
    for menu, name in ((tray._menu, "icon-menu"), (uses, "uses")):
        menu.popup(QPoint(10, 10))
        camera.take(menu, name)
        menu.close()
    jobs = window.jobs_view.list
    waiting = next(row for row in range(len(rows)) if jobs.model().index(row, 0).data(JOB_ROLE)["state"] == "queued")
    jobs.setCurrentIndex(jobs.model().index(waiting, 0))
    camera.opened(lambda: jobs.customContextMenuRequested.emit(QPoint(10, 10)), "job-menu")
    camera.opened(tray.quit, "quit")
    address = "https://huggingface.co/spaces/CompVis/stable-diffusion-license"
    words = f'“Stable Diffusion v1-4” comes under the licence CreativeML OpenRAIL-M: <a href="{address}">{address}</a>'
    camera.opened(lambda: confirmed(window, words, rich=True), "licence")
    for number, picture in enumerate(icons(tray)):
        picture.save(str(camera._folder / f"{camera._name}-icon-{number}.png"))


def icons(tray: TrayApp) -> Iterator[QImage]:
    """The icon as it is while a job runs."""
    for side in (16, 22, 64):
        yield tray.icon.icon().pixmap(side, side).toImage()


def one(folder: Path, look: str, language: str) -> None:
    """All pictures of one look."""
    name = f"{look}-{language}-{os.environ.get('QT_SCALE_FACTOR', '1')}x"
    QLocale.setDefault(QLocale(language))
    app = QApplication(["gallery", "-platform", "offscreen"])
    words = translator()
    app.installTranslator(words)
    app.setLayoutDirection(QLocale().textDirection())
    theme.apply(app, look)
    with (
        tempfile.TemporaryDirectory(prefix="s2t") as state,
        RunningDaemon(Path(state) / "s") as running,
        running.client() as client,
    ):
        os.environ |= {"S2EDIT_HOME": str(running.folder), "XDG_CONFIG_HOME": str(running.folder / "config")}
        tray = TrayApp(app, hidden=False)
        tray.daemon.start()
        run_events(2)
        photograph(tray, client, Camera(folder, name))
        tray.daemon.stop()


def main() -> None:
    """Take the pictures asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--theme", choices=("light", "dark"))
    parser.add_argument("--language", default="en")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.theme:
        one(options.folder, options.theme, options.language)
        return
    for look, language, scale in VARIANTS:
        command = [sys.executable, "-m", "tests.tray.gallery", str(options.folder), "--theme", look]
        environment = {**os.environ, "QT_SCALE_FACTOR": scale}
        subprocess.run([*command, "--language", language], env=environment, check=True)


if __name__ == "__main__":
    main()
