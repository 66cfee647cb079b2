"""The docker under PyQt6, as Krita 6 will bring it, with a krita module that does nothing: run by `test_qt6`.

Usage: python qt6.py PLUGINS FOLDER: PLUGINS holds the plug-in with its copy of the wire, FOLDER gets pictures and a
report (JSON). The daemon is found as always, by S2EDIT_HOME.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from PyQt6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPalette, QTextDocumentFragment, QWheelEvent
from PyQt6.QtWidgets import QApplication, QDockWidget, QLabel, QMessageBox, QToolButton, QWidget

WIDTHS = {"narrow": 240, "wide": 520}
THEMES = {"dark": ("#474747", "#3a3a3a", "#d0d0d0"), "bright": ("#d6d6d6", "#efefef", "#202020")}
"""Window, base and text colours as in Krita's own themes."""
PATIENCE_S = 60


class Notifier(QObject):
    imageSaved = pyqtSignal(str)

    def setActive(self, _active: bool) -> None:
        pass


class Krita(QObject):
    """Krita with no picture open."""

    only: Krita

    def __init__(self) -> None:
        super().__init__()
        self._notifier = Notifier()

    @classmethod
    def instance(cls) -> Krita:
        return cls.only

    def notifier(self) -> Notifier:
        return self._notifier

    def activeDocument(self) -> None:
        return None

    def documents(self) -> list[Any]:
        return []

    def version(self) -> str:
        return "6.0.0"

    def addExtension(self, _extension: Any) -> None:
        pass

    addDockWidgetFactory = addExtension


class Extension(QObject):
    pass


class DockWidget(QDockWidget):
    pass


class DockWidgetFactoryBase:
    DockRight = 1


class DockWidgetFactory:
    def __init__(self, *_arguments: Any) -> None:
        pass


def module() -> ModuleType:
    """The `krita` module."""
    made = ModuleType("krita")
    made.__spec__ = ModuleSpec("krita", None)
    for one in (Krita, Extension, DockWidget, DockWidgetFactory, DockWidgetFactoryBase):
        setattr(made, one.__name__, one)
    for name in ("ManagedColor", "Selection"):
        setattr(made, name, object)  # named, never made
    return made


def paint(application: QApplication, theme: str) -> None:
    """Give the application one of the themes."""
    window, base, text = map(QColor, THEMES[theme])
    palette = QPalette(window)
    palette.setColor(QPalette.ColorRole.Base, base)
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
        palette.setColor(role, text)
    application.setPalette(palette)


def until(application: QApplication, what: str, condition: Callable[[], object]) -> None:
    """Let Qt work until the condition holds."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited in vain for {what}")
        application.processEvents()
        time.sleep(0.01)


def turn_wheel(application: QApplication, widget: QWidget) -> None:
    """One notch over a widget's middle."""
    middle = QPointF(widget.rect().center())
    event = QWheelEvent(
        middle,
        QPointF(widget.mapToGlobal(widget.rect().center())),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    application.sendEvent(widget, event)


SMALL = (240, 260)
"""Pixels."""


def work(application: QApplication, folder: Path) -> dict[str, Any]:
    """Use the docker; what was found."""
    from s2edit_editor.form import Shown
    from s2edit_editor.wish import Wish
    from s2edit_krita import docker as docker_module
    from s2edit_krita import qt

    docker_module.Docker.extension.setup()
    docker = docker_module.Docker()
    docker.show()
    desk = docker.desk
    until(application, "the daemon", lambda: desk.link == "ready" and docker.form.model.count() > 1)
    until(
        application,
        "its jobs",
        lambda: {job["state"] for job in desk.book.all.values()} == {"done", "running", "queued"},
    )
    found: dict[str, Any] = {"qt": qt.QWidget.__module__}
    form, dial = docker.form, docker.form.advanced.dials["blend.context"]
    form.fill(
        Wish(
            source="a smiling man with brown hair",
            target="a smiling man with brown hair and a beard",
            words=("man", "hair"),
            seed=7,
            model="portraits",
            profile="fast",
        )
    )
    form.advanced.show_own({"blend.context": 4.0})
    form.fold.setChecked(True)
    application.processEvents()
    turn_wheel(application, dial.box)
    turn_wheel(application, form.model)
    found["wheel"] = [dial.box.value(), form.model.currentData()]
    dial.box.setValue(0.5)
    found["turned"] = form.order().wish.settings
    for theme in THEMES:
        paint(application, theme)
        application.processEvents()
        wrong = "The word “hat” is not in the second text."
        form.show_state(Shown({"target": wrong}, text=wrong, bad=True))
        for width, pixels in WIDTHS.items():
            docker.resize(pixels, 860)
            application.sendPostedEvents(None, QEvent.Type.LayoutRequest)
            application.processEvents()
            docker.grab().save(str(folder / f"{theme}-{width}.png"))
    found["least_width"] = docker.minimumSizeHint().width()
    queued = next(job for job, record in desk.book.all.items() if record["state"] == "queued")
    row = docker.queue.row(queued)
    assert row is not None
    found["said"] = [label.text() for label in row.findChildren(QLabel) if label.text()]
    row.findChild(QToolButton, "s2edit_cancel").click()
    until(application, "the cancel", lambda: desk.book.all[queued]["state"] == "cancelled")
    found["removed"] = removed(application, docker, folder)
    found["instructed"] = instructed(docker)
    found["plain"] = as_it_is(application, docker)
    found["steady"] = steady(application, docker)
    found["small"] = {
        language: on_a_small_screen(application, folder, language) for language in ("en", "de", "he", "ar")
    }
    return found


def removed(application: QApplication, docker: Any, folder: Path) -> list[list[object]]:
    """The ✕ of a result that nobody has fetched: what is asked, and whether it is still there after each answer."""
    desk, found, pongs = docker.desk, [], list[object]()
    job = next(job for job, record in desk.book.all.items() if record["state"] == "done")

    def boxes() -> list[QMessageBox]:
        return [box for box in application.topLevelWidgets() if isinstance(box, QMessageBox) and box.isVisible()]

    for answer in ("Keep", "Delete"):
        until(application, "its row", lambda: docker.jobs.row(job) is not None)
        docker.jobs.row(job).findChild(QToolButton, "s2edit_remove").click()
        until(application, "the question", boxes)
        (box,) = boxes()
        box.grab().save(str(folder / "delete.png"))
        default = box.defaultButton()
        assert default is not None
        asked = [box.text(), box.informativeText(), default.text()]
        next(button for button in box.buttons() if button.text() == answer).click()
        if answer == "Delete":  # which the daemon may answer after a ping
            until(application, "the deletion", lambda: job not in desk.book.all)
        desk.request("ping", {}, lambda *_: pongs.append(1))
        until(application, "the daemon", pongs.__len__)
        pongs.clear()
        found.append([*asked, job in desk.book.all])
    return found


def as_it_is(application: QApplication, docker: Any) -> list[str]:
    """What is read of people's text that looks like HTML: in a question, its details, and a tool tip."""
    from s2edit_editor.form import Shown
    from s2edit_krita.questions import ask

    ask(docker, "s2edit_any", lambda: None, "<b>one</b>?", "<i>two</i> & more", "Yes", "No")
    (box,) = [one for one in application.topLevelWidgets() if isinstance(one, QMessageBox) and one.isVisible()]
    labels = [label for label in box.findChildren(QLabel) if label.text()]
    read = [label.text() if label.textFormat() == Qt.TextFormat.PlainText else "as HTML" for label in labels]
    box.reject()
    docker.form.show_state(Shown({"target": "<b>three</b>\n& more"}))
    tip = docker.form.target.toolTip()
    return [*read, QTextDocumentFragment.fromHtml(tip).toPlainText() if Qt.mightBeRichText(tip) else "as it is"]


def instructed(docker: Any) -> list[object]:
    """An instruction in the place of the sentence: what is said of it and would be sent, then of one in vain."""
    from s2edit_editor.form import Shown
    from s2edit_editor.planning import Facts, judge
    from s2edit_editor.view import Fields

    def judged(told: str) -> list[object]:
        docker.form.target.setText(told)
        fields: Fields = docker.form.fields()
        verdict = judge(fields.order.wish, Facts(typed=fields.typed), None)
        docker.form.show_state(Shown(verdict.marks, text=verdict.sentence))
        return [fields.order.wish.target, docker.form.forecast.text(), verdict.blocked]

    docker.form.source.setText("a smiling man with brown hair")
    return [judged("make his hair red"), judged("remove the hat")]


def steady(application: QApplication, docker: Any) -> list[list[int]]:
    """Where the buttons are while nothing is said, a little, and more than there is room for; and the doubt's look."""
    from s2edit_editor.form import Shown

    form, places = docker.form, []
    docker.resize(240, 860)
    doubted = Shown(
        {"target": "Never learned."}, frozenset({"target"}), text="Never learned.", doubt="It knows no men."
    )
    for shown in (Shown(), doubted, Shown(text="long " * 90, doubt="long " * 90, bad=True)):
        form.show_state(shown)
        application.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        application.processEvents()
        buttons = (form.paint, form.fold, form.compose, form.edit, form.variations)
        places.append([button.mapTo(docker, button.rect().topLeft()).y() for button in buttons])
        if shown is doubted:
            assert not form.forecast.styleSheet(), "a doubt is not red"
    return places


def on_a_small_screen(application: QApplication, folder: Path, language: str) -> list[int]:
    """The docker as wide and high as Krita gives it on 1024x600; its least width, and where its buttons end."""
    from s2edit_editor.form import Shown
    from s2edit_editor.text import speak
    from s2edit_krita import docker as docker_module

    speak([language])
    docker = docker_module.Docker()
    docker.show()
    docker.form.show_state(Shown(text="x " * 60))
    docker.resize(*SMALL)
    for _turn in range(3):
        application.sendPostedEvents(None, QEvent.Type.LayoutRequest)
        application.processEvents()
    docker.grab().save(str(folder / f"small-{language}.png"))
    buttons = (docker.form.edit, docker.form.variations)
    ends = [button.mapTo(docker, button.rect().bottomRight()) for button in buttons]
    return [docker.minimumSizeHint().width(), max(end.x() for end in ends), max(end.y() for end in ends)]


def main() -> None:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    plugins, folder = sys.argv[1], Path(sys.argv[2])
    application = QApplication(sys.argv[:1])
    application.setStyle("fusion")
    Krita.only = Krita()
    sys.modules["krita"] = module()
    sys.path.insert(0, plugins)
    found = work(application, folder)
    (folder / "report.json").write_text(json.dumps(found), encoding="utf-8")
    os._exit(0)  # Krita never takes its widgets apart in the order in which Python would here


if __name__ == "__main__":
    main()
