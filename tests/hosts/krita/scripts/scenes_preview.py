"""A finished result on the canvas before it is a layer: what is seen, what the document knows of it, when it goes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from krita import Krita
from PyQt5.QtCore import QByteArray, QPointF
from PyQt5.QtWidgets import QApplication, QWidget
from stage import OBJECT, OTHER, Scene, choose, document_with, layer, leave, names, press, seen, select

POINT = (28, 28)
"""In the middle of the selection."""


def scene_looked_at(docker: Any) -> Scene:
    """Variations are looked at one after the other, zoomed, saved meanwhile, and one is put in, all by actions."""
    document, _node, jobs = yield from varied(docker)
    found: dict[str, Any] = {"plain": colour(), "layers": [names(document.rootNode())]}
    document.setModified(False)
    press(docker, jobs[0], "picture").click()
    yield lambda: overlay() is not None
    yield lambda: colour() != found["plain"]
    found["modified"] = document.modified()
    yield from seen("preview")
    found |= {"shown": colour(), "deaf": str(QApplication.widgetAt(on_screen()).metaObject().className())}
    found["document"] = list(bytes(document.pixelData(*POINT, 1, 1)))
    found["words"] = [words()]
    view().canvas().setZoomLevel(4.0)
    yield lambda: colour() == found["shown"]
    view().canvas().setRotation(90.0)
    yield lambda: colour() == found["shown"]
    yield from seen("preview-turned")
    view().canvas().setRotation(0.0)
    Krita.instance().action("s2edit_preview_next").trigger()
    yield lambda: docker.previewed.job == jobs[1] and overlay() is not None
    found["words"].append(words())
    saved = str(Path(os.environ["S2EDIT_PROBE_FOLDER"]) / "previewed.kra")
    document.saveAs(saved)
    document.waitForDone()
    found["still"] = docker.previewed.job == jobs[1]
    Krita.instance().action("s2edit_preview_apply").trigger()
    yield lambda: len(names(document.rootNode())) > len(found["layers"][0])
    yield lambda: overlay() is None and not docker.previewed.job
    yield lambda: colour() == found["shown"]
    found["layers"].append(names(document.rootNode()))
    copy = Krita.instance().openDocument(saved)
    found["saved"] = [names(copy.rootNode()), list(bytes(copy.pixelData(*POINT, 1, 1)))]
    yield from leave(copy)
    return found


def scene_look_ends(docker: Any) -> Scene:
    """It goes when somebody paints under it, dismisses it, brings another picture to the front, or closes its own."""
    document, node, jobs = yield from varied(docker)
    ends, found = ("painted", "dismissed", "behind", "closed"), {}
    for end in ends:
        docker.previewed.show(jobs[0])
        yield lambda: overlay() is not None
        if end == "painted":
            node.setPixelData(QByteArray(bytes(OTHER) * 64), 20, 20, 8, 8)
            document.refreshProjection()
        elif end == "dismissed":
            Krita.instance().action("s2edit_preview_dismiss").trigger()
        elif end == "behind":
            other = document_with(docker)
            yield from choose(other, layer(other, "Other", OTHER))
        else:
            yield from leave(document)
        yield lambda: overlay() is None and not docker.previewed.job
        found[end] = docker.previewing.isVisible()
        if end == "behind":
            yield from leave(other)
            yield from choose(document, node)
    return found


def varied(docker: Any) -> Scene:
    """A picture and its finished variations, the newest first."""
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    yield from choose(document, node)
    select(document, docker)
    before, order = set(docker.desk.book.all), docker.form.order()
    docker.submit(order, order.wish.variations([], 2, []))

    def done() -> list[str]:
        return [name for name, job in docker.desk.book.all.items() if name not in before and job["state"] == "done"]

    yield lambda: len(done()) == 2
    yield lambda: all(docker.jobs.row(job) is not None for job in done())
    document.setSelection(None)
    document.waitForDone()
    yield from choose(document, node)
    return document, node, docker.previewed.waiting()[0]


def view() -> Any:
    return Krita.instance().activeWindow().activeView()


def overlay() -> QWidget | None:
    """What lies over the canvas, if anything does."""
    found = [one for one in QApplication.allWidgets() if one.objectName() == "s2edit_overlay" and one.isVisible()]
    assert len(found) <= 1, "one at a time"
    return found[0] if found else None


def canvas() -> QWidget:
    shown = (one for one in QApplication.allWidgets() if one.isVisible())
    return next(one for one in shown if "PainterCanvas" in one.metaObject().className())


def on_screen() -> Any:
    """Where the point is on the screen."""
    to_flake, _ = view().flakeToImageTransform().inverted()
    place = view().flakeToCanvasTransform().map(to_flake.map(QPointF(*POINT)))
    return canvas().mapToGlobal(place.toPoint())


def colour() -> list[int]:
    """Red, green and blue as a person sees them at the point."""
    place = on_screen()
    seen_there = QApplication.primaryScreen().grabWindow(0, place.x(), place.y(), 1, 1).toImage().pixelColor(0, 0)
    return [seen_there.red(), seen_there.green(), seen_there.blue()]


def words() -> str:
    return next(str(one.text()) for one in QApplication.allWidgets() if one.objectName() == "s2edit_preview_words")
