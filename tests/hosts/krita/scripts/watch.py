"""Tells a test that acts by mouse and keys what a person would see: where things are, which layers there are.

Writes `state.json` several times a second into S2EDIT_PROBE_FOLDER; ends when a file `finish` appears there. A file
`ask.py` there is executed once, with its answer (`answer`) in the next state: for what can't be seen from outside.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from krita import Krita
from PyQt5.QtCore import QPoint, QPointF, QTimer
from PyQt5.QtWidgets import QAbstractItemView, QAbstractScrollArea, QApplication, QLabel, QMenu, QWidget

FOLDER = Path(os.environ["S2EDIT_PROBE_FOLDER"])

PAUSE_MS = 120
DOCKER = "s2edit_docker"
PICTURE = "picture"
"""Told as a widget's text where it has a picture instead."""


KEPT: list[QTimer] = []
"""Held here: a parent in Qt does not keep what Python made from being collected while Qt still calls it."""


def run(report: dict[str, Any], done: Any) -> None:
    timer = QTimer()
    KEPT.append(timer)
    answers: dict[str, Any] = {}

    def tick() -> None:
        ask = FOLDER / "ask.py"
        if ask.exists():
            code = ask.read_text("utf-8")
            ask.unlink()
            scope: dict[str, Any] = {}
            exec(compile(code, "ask.py", "exec"), scope)
            answers[scope.get("name", "answer")] = scope.get("answer")
        draft = FOLDER / "state.part"
        report["looks"] = report.get("looks", 0) + 1
        seen = {**state(), "answers": answers, "looks": report["looks"]}
        draft.write_text(json.dumps(seen, ensure_ascii=False, default=str), "utf-8")
        draft.replace(FOLDER / "state.json")
        if (FOLDER / "finish").exists():
            report["end"] = state()
            done()
        else:
            timer.start()

    # A pause after each look: where a look takes longer than that, Krita shall still come to its own events.
    timer.setSingleShot(True)
    timer.setInterval(PAUSE_MS)
    timer.timeout.connect(tick)
    timer.start()


def state() -> dict[str, Any]:
    document = Krita.instance().activeDocument()
    return {
        "widgets": widgets(),
        "menus": menus(),
        "picture": Path(document.fileName()).name if document else "",
        "layers": tree(document.rootNode()) if document else [],
        "active": document.activeNode().name() if document and document.activeNode() else "",
        "rows": layer_rows(),
        "layers_docker": layers_view(),
        "modified": bool(document and document.modified()),
        "corners": corners(document) if document else None,
        "jobs": jobs(),
        "link": link(),
        "word": word(),
    }


def tree(node: Any) -> list[Any]:
    return [[n.name(), n.type(), tree(n)] for n in node.childNodes()]


def rectangle(widget: QWidget) -> list[int]:
    corner = widget.mapToGlobal(QPoint(0, 0))
    return [corner.x(), corner.y(), widget.width(), widget.height()]


def widgets() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for widget in QApplication.allWidgets():
        name = widget.objectName()
        if isinstance(widget, QLabel):  # read as far as it can be seen; more is scrolled to
            sight = not widget.visibleRegion().isEmpty()
        else:  # the docker's own middle is covered by what is in it
            face = widget.viewport() if isinstance(widget, QAbstractScrollArea) else widget
            sight = name == DOCKER or face.visibleRegion().contains(face.rect().center())
        if name.startswith("s2edit_") and widget.isVisible() and sight:
            text = widget.text() if hasattr(widget, "text") else ""
            if not text and hasattr(widget, "icon") and not widget.icon().isNull():
                text = PICTURE
            found.setdefault(name, []).append([*rectangle(widget), text, widget.isEnabled()])
    return found


def menus() -> list[dict[str, Any]]:
    found = []
    for menu in QApplication.topLevelWidgets():
        if isinstance(menu, QMenu) and menu.isVisible():
            entries = []
            for action in menu.actions():
                place = menu.actionGeometry(action)
                corner = menu.mapToGlobal(place.topLeft())
                entries.append([action.text(), corner.x(), corner.y(), place.width(), place.height()])
            found.append({"name": menu.objectName(), "entries": entries})
    return found


def layer_views() -> list[QAbstractItemView]:
    docker = next((d for d in Krita.instance().dockers() if d.objectName() == "KisLayerBox"), None)
    views = docker.findChildren(QAbstractItemView) if docker else []
    return [view for view in views if view.model() is not None and view.isVisible()]


def layers_view() -> list[int] | None:
    """Where the list of layers is on the screen."""
    views = layer_views()
    return rectangle(views[0].viewport()) if views else None


def layer_rows() -> dict[str, list[int]]:
    """The layers whose row is in sight: a row below the docker's edge is no place to click."""
    found: dict[str, list[int]] = {}
    for view in layer_views():
        model, sight = view.model(), view.viewport().rect()

        def walk(parent: Any, view: Any = view, model: Any = model, sight: Any = sight) -> None:
            for row in range(model.rowCount(parent)):
                index = model.index(row, 0, parent)
                place = view.visualRect(index)
                corner = view.viewport().mapToGlobal(place.topLeft())
                if place.height() and sight.contains(place.center()):
                    found.setdefault(str(index.data()), [corner.x(), corner.y(), place.width(), place.height()])
                walk(index)

        walk(view.rootIndex())
    return found


def corners(document: Any) -> list[float] | None:
    """Left, top, right and bottom of the picture on the screen."""
    window = Krita.instance().activeWindow()
    view = window.activeView() if window else None
    canvas = next((w for w in QApplication.allWidgets() if "PainterCanvas" in w.metaObject().className()), None)
    if view is None or canvas is None:
        return None
    to_flake, _ = view.flakeToImageTransform().inverted()
    to_canvas = view.flakeToCanvasTransform()
    corner = canvas.mapToGlobal(QPoint(0, 0))
    points = []
    for x, y in ((0, 0), (document.width(), document.height())):
        point = to_canvas.map(to_flake.map(QPointF(x, y)))
        points += [corner.x() + point.x(), corner.y() + point.y()]
    return points


def docker() -> Any:
    return next((d for d in Krita.instance().dockers() if d.objectName() == DOCKER), None)


def jobs() -> list[dict[str, Any]]:
    desk = getattr(docker(), "desk", None)
    found = sorted(desk.book.all.values(), key=lambda job: job["created"]) if desk else []
    told = ("job", "state", "phase", "step", "acknowledged")
    return [{"target": job["edit"].get("target", ""), **{name: job[name] for name in told}} for job in found]


def word() -> str:
    """The main object's word in the form."""
    form = getattr(docker(), "form", None)
    return form.objects.rows[0].word_box.currentText() if form else ""


def link() -> str:
    desk = getattr(docker(), "desk", None)
    return desk.link if desk else ""
