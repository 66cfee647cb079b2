"""What scenes are made of: a picture, its layers, a selection, an edit sent and waited for; and their prompter.

A scene is a generator named scene_… that yields what it waits for and returns what it found.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

from krita import Krita, Selection
from PyQt5.QtCore import QByteArray, QTimer
from PyQt5.QtGui import QColor, QImage
from PyQt5.QtWidgets import QApplication, QMessageBox, QToolButton

Scene = Generator[Callable[[], Any], None, Any]
SIDE = 64
BOX = (16, 16, 24, 24)
PATIENCE_S = 60
STAYED = 6
"""Looks, a twentieth of a second apart, for which a layer has to stay the active one."""
SRGB = "sRGB-elle-V2-srgbtrc.icc"
OBJECT, OTHER, GLASS = (10, 200, 90, 255), (200, 10, 90, 255), (0, 0, 0, 0)
"""Blue, green, red, alpha."""


def act(report: dict[str, Any], done: Any, scenes: Iterable[Callable[[Any], Scene]]) -> None:
    """Let the scenes be acted one after the other; what each found, or its error, goes into the report."""
    import s2edit_krita.docker as docker_module

    docker = next(d for d in Krita.instance().dockers() if d.objectName() == docker_module.DOCKER_ID)
    docker.setVisible(True)
    said: list[Any] = []
    docker.desk.told.complained.connect(said.append)
    left = list(scenes)
    timer = QTimer(docker)
    now: dict[str, Any] = {}

    def tick() -> None:
        if "scene" not in now:
            if not left:
                timer.stop()
                done()
                return
            scene = left.pop(0)
            now.update(name=scene.__name__[6:], scene=scene(docker), wait=None)
            print("scene", now["name"], flush=True)
            said.clear()
        try:
            if "closing" in now:
                now["closing"] -= 1
                if not now["closing"]:
                    close_all()
                    now.clear()
                return
            if now["wait"] is None or now["wait"]():
                now.update(wait=next(now["scene"]), since=time.monotonic())
            elif time.monotonic() - now["since"] > PATIENCE_S:
                now["scene"].throw(TimeoutError(f"waited in vain; said: {said}"))
            return
        except StopIteration as end:
            report[now["name"]] = {"found": end.value, "said": list(said)}
        except BaseException:  # noqa: BLE001 - the next scene shall be tried all the same
            report[now["name"]] = {"error": traceback.format_exc()}
        print(report[now["name"]], docker.form.forecast.text(), flush=True)
        now["closing"] = STAYED

    timer.timeout.connect(tick)
    timer.start(50)
    docker.desk.open()


def close_all() -> None:
    """Close all pictures, which have to have been left alone for `STAYED` looks.

    Krita's list of layers draws what has changed a tenth of a second later, and does not forget it when the picture is
    closed before: it then reads freed memory (`KisNodeModel::processUpdateQueue`, seen with a debugger in Krita 5.2.9).
    """
    for document in Krita.instance().documents():
        _close(document)


def leave(document: Any) -> Scene:
    """Close one picture in the middle of a scene, for the same reason not before it has been left alone."""
    looks = iter(range(STAYED))
    yield lambda: next(looks, None) is None
    _close(document)


def _close(document: Any) -> None:
    document.setModified(False)
    document.close()


def seen(name: str) -> Scene:
    """Photograph the screen once all is drawn."""
    stop = time.monotonic() + 1
    yield lambda: time.monotonic() > stop
    QApplication.primaryScreen().grabWindow(0).save(str(Path(os.environ["S2EDIT_PROBE_FOLDER"]) / f"seen-{name}.png"))


def press(docker: Any, job: str, name: str) -> Any:
    """A button of a job's row, or None."""
    return docker.jobs.row(job).findChild(QToolButton, f"s2edit_{name}")


def questions() -> list[QMessageBox]:
    """Those that stand there."""
    return [one for one in QApplication.topLevelWidgets() if isinstance(one, QMessageBox) and one.isVisible()]


def document_with(docker: Any, kind: str = "RGBA", side: int = SIDE, size: tuple[int, int] | None = None) -> Any:
    width, height = size or (side, side)
    document = Krita.instance().createDocument(width, height, "scene", kind, "U8", "", 72.0)
    Krita.instance().activeWindow().addView(document)
    Krita.instance().setActiveDocument(document)
    document.setBatchmode(True)
    docker.form.source.setText("a portrait of a woman with a hat")
    docker.form.target.setText("a portrait of a woman with a crown")
    docker.form.objects.fill(["hat"])
    docker.form.advanced.whole.setChecked(False)
    docker.form.objects.rows[0].choose_mask(automatic())
    return document


def automatic() -> Any:
    from s2edit_editor.masks import automatic as model

    return model()


def layer(document: Any, name: str, colour: tuple[int, ...], parent: Any = None, side: int = SIDE) -> Any:
    node = document.createNode(name, "paintlayer")
    node.setPixelData(QByteArray(bytes(colour) * (side * side)), 0, 0, side, side)
    (parent or document.rootNode()).addChildNode(node, None)
    document.refreshProjection()
    document.waitForDone()
    return node


def picture_file(name: str) -> str:
    """A file with the object's colour; returns its path."""
    path = Path(os.environ["S2EDIT_PROBE_FOLDER"]) / name
    blue, green, red, _ = OBJECT
    image = QImage(SIDE, SIDE, QImage.Format_RGB32)
    image.fill(QColor(red, green, blue))
    assert image.save(str(path))
    return str(path)


def mask_of(document: Any, node: Any, label: str) -> Any:
    """The choice of mask with this label."""
    from s2edit_krita.host import KritaHost

    mark = str(node.uniqueId().toString())[1:-1] if node is not None else ""
    return next(one for one in KritaHost(document).mask_choices(mark) if one.label == label)


def select(document: Any, docker: Any, box: tuple[int, ...] = BOX) -> None:
    selection = Selection()
    selection.select(*box, 255)
    document.setSelection(selection)
    document.waitForDone()
    docker.form.objects.rows[0].choose_mask(mask_of(document, None, "Selection"))


def choose(document: Any, node: Any) -> Scene:
    """Make a layer the active one.

    Krita's windows learn of a new picture and a new layer a moment after they are there, and then choose by themselves:
    so it is asked for until it has stayed for a while.
    """
    held = 0

    def stayed() -> bool:
        nonlocal held
        now = document.activeNode()
        if now is not None and now.uniqueId() == node.uniqueId() and Krita.instance().activeDocument() == document:
            held += 1
        else:
            held = 0
            Krita.instance().setActiveDocument(document)
            document.setActiveNode(node)
        return held >= STAYED

    yield stayed


def submit(docker: Any, document: Any, node: Any, order: Any = None) -> Scene:
    """Submit; returns what holds once the result is a layer."""
    yield from choose(document, node)
    arrived: list[str] = []
    docker.desk.told.layer_added.connect(arrived.append)
    before = set(docker.desk.book.all)
    docker.submit(order or docker.form.order())
    return lambda: [job for job in arrived if job not in before]


def edit(docker: Any, document: Any, node: Any, order: Any = None) -> Scene:
    """Submit and wait for the layer; returns the job."""
    arrived = yield from submit(docker, document, node, order)
    yield arrived
    return arrived()[0]


def names(parent: Any) -> list[str]:
    return [node.name() for node in parent.childNodes() if node.type() != "selectionmask"]


def is_result(name: str) -> bool:
    """Whether a layer is called by what an edit has changed."""
    return name.startswith(("+ ", "− ")) or " → " in name


def result(parent: Any) -> Any:
    return next(node for node in parent.childNodes() if is_result(node.name()))


def pixel(node: Any, x: int, y: int) -> list[int]:
    return list(bytes(node.pixelData(x, y, 1, 1)))


def rectangle(node: Any) -> list[int]:
    box = node.bounds()
    return [box.x(), box.y(), box.width(), box.height()]
