"""Kinds of layers, places of results, and the docker's further jobs, acted out by script: see `test_kinds`.

Each scene is a generator that yields what it waits for.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Generator
from typing import Any

from krita import Krita, Selection
from PyQt5.QtCore import QByteArray, QTimer

Scene = Generator[Callable[[], Any], None, Any]
SIDE = 64
BOX = (16, 16, 24, 24)
PATIENCE_S = 15
SRGB = "sRGB-elle-V2-srgbtrc.icc"
OBJECT, OTHER, GLASS = (10, 200, 90, 255), (200, 10, 90, 255), (0, 0, 0, 0)
"""Blue, green, red, alpha."""


def run(report: dict[str, Any], done: Any) -> None:
    import s2edit_krita.docker as docker_module

    docker = next(d for d in Krita.instance().dockers() if d.objectName() == docker_module.DOCKER_ID)
    docker.setVisible(True)
    said: list[Any] = []
    docker.desk.complained.connect(lambda *words: said.append(words))
    left = [scene for name, scene in globals().items() if name.startswith("scene_")]
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
        for document in Krita.instance().documents():
            document.setModified(False)
            document.close()
        now.clear()

    timer.timeout.connect(tick)
    timer.start(50)
    docker.desk.open()


def document_with(docker: Any, kind: str = "RGBA", side: int = SIDE) -> Any:
    document = Krita.instance().createDocument(side, side, "scene", kind, "U8", "", 72.0)
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
    from s2edit_krita import masks

    return masks.automatic()


def layer(document: Any, name: str, colour: tuple[int, ...], parent: Any = None, side: int = SIDE) -> Any:
    node = document.createNode(name, "paintlayer")
    node.setPixelData(QByteArray(bytes(colour) * (side * side)), 0, 0, side, side)
    (parent or document.rootNode()).addChildNode(node, None)
    document.refreshProjection()
    document.waitForDone()
    return node


def select(document: Any, docker: Any, box: tuple[int, ...] = BOX) -> None:
    from s2edit_krita import masks

    selection = Selection()
    selection.select(*box, 255)
    document.setSelection(selection)
    document.waitForDone()
    source = next(one for one in masks.sources(document, None) if one.kind == "selection")
    docker.form.objects.rows[0].choose_mask(source)


def choose(document: Any, node: Any) -> Scene:
    """Make a layer the active one; Krita's windows learn of a new layer a moment after the picture has it."""
    settled = time.monotonic() + 0.4
    yield lambda: time.monotonic() > settled
    document.setActiveNode(node)
    yield lambda: document.activeNode() is not None and document.activeNode().uniqueId() == node.uniqueId()


def submit(docker: Any, document: Any, node: Any, order: Any = None) -> Scene:
    """Submit; returns what holds once the result is a layer."""
    yield from choose(document, node)
    arrived: list[str] = []
    docker.desk.layer_added.connect(arrived.append)
    before = set(docker.desk.jobs)
    docker.submit(order or docker.form.order())
    return lambda: [job for job in arrived if job not in before]


def edit(docker: Any, document: Any, node: Any, order: Any = None) -> Scene:
    """Submit and wait for the layer; returns the job."""
    arrived = yield from submit(docker, document, node, order)
    yield arrived
    return arrived()[0]


def names(parent: Any) -> list[str]:
    return [node.name() for node in parent.childNodes() if node.type() != "selectionmask"]


def result(parent: Any) -> Any:
    return next(node for node in parent.childNodes() if node.name().startswith("S²Edit"))


def pixel(node: Any, x: int, y: int) -> list[int]:
    return list(bytes(node.pixelData(x, y, 1, 1)))


def rectangle(node: Any) -> list[int]:
    box = node.bounds()
    return [box.x(), box.y(), box.width(), box.height()]


def scene_group(docker: Any) -> Scene:
    """A group is edited as it looks, without the object mask in it; the result comes right above it."""
    document = document_with(docker)
    group = document.createGroupLayer("Group")
    document.rootNode().addChildNode(group, None)
    layer(document, "Inner", OBJECT, group)
    layer(document, "Cover", OTHER)
    yield lambda: len(document.rootNode().childNodes()) >= 3
    yield from choose(document, document.nodeByName("Inner"))
    docker.paint_mask()
    yield lambda: document.activeNode().name().startswith("Object mask")
    mask = document.activeNode()
    mask.setPixelData(QByteArray(bytes((0, 0, 255, 255)) * (24 * 24)), *BOX)
    document.refreshProjection()
    document.waitForDone()
    inside = names(group)
    yield from edit(docker, document, group)
    return {
        "order": names(document.rootNode()),
        "inside": inside,
        "pixel": pixel(result(document.rootNode()), 20, 20),
    }


def scene_pass_through(docker: Any) -> Scene:
    """A group that passes through has no picture of its own and is edited as it would look alone."""
    document = document_with(docker)
    group = document.createGroupLayer("Group")
    group.setPassThroughMode(True)
    document.rootNode().addChildNode(group, None)
    layer(document, "Inner", OBJECT, group)
    select(document, docker)
    yield from edit(docker, document, group)
    return {"pixel": pixel(result(document.rootNode()), 20, 20)}


def scene_inside_a_group(docker: Any) -> Scene:
    """A layer in a group gets its result in the same group."""
    document = document_with(docker)
    group = document.createGroupLayer("Group")
    document.rootNode().addChildNode(group, None)
    inner = layer(document, "Inner", OBJECT, group)
    select(document, docker)
    yield from edit(docker, document, inner)
    return {"group": names(group)}


def scene_vector(docker: Any) -> Scene:
    """A vector layer is read as it is drawn."""
    document = document_with(docker)
    node = document.createVectorLayer("Shapes")
    document.rootNode().addChildNode(node, None)
    node.addShapesFromSvg(
        '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" viewBox="0 0 64 64">'
        '<rect width="64" height="64" fill="#5ac80a"/></svg>'
    )
    document.refreshProjection()
    document.waitForDone()
    select(document, docker)
    yield from edit(docker, document, node)
    return {"pixel": pixel(result(document.rootNode()), 20, 20)}


def scene_whole(docker: Any) -> Scene:
    """“Read all visible layers” takes the picture as it looks."""
    document = document_with(docker)
    below = layer(document, "Below", OBJECT)
    layer(document, "Above", OTHER)
    docker.form.advanced.whole.setChecked(True)
    select(document, docker)
    yield from edit(docker, document, below)
    return {"pixel": pixel(result(document.rootNode()), 20, 20)}


def scene_transparent(docker: Any) -> Scene:
    """Where the layer is transparent, the result's mask is closed too."""
    document = document_with(docker)
    node = layer(document, "Half", OBJECT)
    node.setPixelData(QByteArray(bytes(GLASS) * (28 * SIDE)), 0, 0, 28, SIDE)
    select(document, docker)
    yield from edit(docker, document, node)
    mask = result(document.rootNode()).childNodes()[0]
    return {"left": pixel(mask, 20, 20), "right": pixel(mask, 34, 20)}


def scene_transparency_mask(docker: Any) -> Scene:
    """A transparency mask of the layer serves as the object's mask."""
    from s2edit_krita import masks

    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    mask = document.createTransparencyMask("Cut")
    selection = Selection()
    selection.select(*BOX, 255)
    mask.setSelection(selection)
    node.addChildNode(mask, None)
    document.waitForDone()
    source = next(one for one in masks.sources(document, node) if one.label == "Cut")
    docker.form.objects.rows[0].choose_mask(source)
    yield from edit(docker, document, node)
    return {"extent": list(masks.extent(document, source)), "pixel": pixel(result(document.rootNode()), 20, 20)}


def scene_moved(docker: Any) -> Scene:
    """The layer is moved and the picture cropped while the job runs: the result goes where its layer went."""
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    select(document, docker)
    arrived = yield from submit(docker, document, node)
    yield document.annotationTypes
    yield lambda: any(job["state"] in {"queued", "running"} for job in docker.desk.jobs.values())
    node.move(5, 7)
    document.crop(2, 3, 50, 50)
    document.waitForDone()
    yield arrived
    mask = result(document.rootNode()).childNodes()[0]
    held = mask.selection()
    return {"mask": [held.x(), held.y(), held.width(), held.height()]}


def scene_deleted(docker: Any) -> Scene:
    """The layer is deleted while the job runs: the result comes on top all the same."""
    document = document_with(docker)
    layer(document, "Rest", OTHER)
    node = layer(document, "Picture", OBJECT)
    select(document, docker)
    arrived = yield from submit(docker, document, node)
    yield lambda: any(job["state"] in {"queued", "running"} for job in docker.desk.jobs.values())
    node.remove()
    document.waitForDone()
    yield arrived
    return {"order": names(document.rootNode())[-2:]}


def scene_huge(docker: Any) -> Scene:
    """Of a huge canvas, only the crop around the mask is sent."""
    document = document_with(docker, side=8_192)
    node = document.createNode("Huge", "paintlayer")
    node.setPixelData(QByteArray(bytes(OBJECT) * (512 * 512)), 4_000, 4_000, 512, 512)
    document.rootNode().addChildNode(node, None)
    document.refreshProjection()
    document.waitForDone()
    select(document, docker, (4_100, 4_100, 60, 60))
    started = time.monotonic()
    name = yield from edit(docker, document, node)
    job = docker.desk.jobs[name]
    return {"crop": job["edit"]["document"]["crop"], "seconds": round(time.monotonic() - started, 2)}


def scene_automatic_mask(docker: Any) -> Scene:
    """“Show automatic mask” becomes a mask layer that the next edit uses."""
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    yield from choose(document, node)
    docker.form.automatic.click()
    yield lambda: any(name.startswith("Object mask") for name in names(document.rootNode()))
    mask = document.nodeByName("Object mask: hat")
    yield lambda: docker.form.objects.rows[0].target().mask.kind == "layer"
    return {"middle": pixel(mask, 32, 32), "corner": pixel(mask, 1, 1)}


def scene_variations(docker: Any) -> Scene:
    """Variations wait as thumbnails; the picked one becomes a layer."""
    from s2edit_krita import applying

    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    yield from choose(document, node)
    before = set(docker.desk.jobs)
    for order in docker.form.order().variations(
        [f"a portrait of a woman with a {word}" for word in ("crown", "bow")], 2, []
    ):
        docker.submit(order)

    def new(state: str) -> list[str]:
        return [name for name, job in docker.desk.jobs.items() if name not in before and job["state"] == state]

    yield lambda: len(new("done")) == 4
    waiting = names(document.rootNode())
    applying.fetch(docker.desk, new("done")[0])
    yield lambda: len(names(document.rootNode())) > len(waiting)
    applying.fetch(docker.desk, new("done")[0])
    applying.fetch(docker.desk, new("done")[0])
    stop = time.monotonic() + 1
    yield lambda: time.monotonic() > stop
    return {"waiting": waiting, "picked": len(names(document.rootNode())) - len(waiting)}


def scene_compose(docker: Any) -> Scene:
    """Composition with another layer as reference."""
    from s2edit_krita.composing import ComposeDialog

    document = document_with(docker)
    layer(document, "Reference", OTHER)
    node = layer(document, "Picture", OBJECT)
    yield from choose(document, node)
    dialog = ComposeDialog(docker.form.order("compose"), docker)
    labels = [dialog.reference.itemText(index) for index in range(dialog.reference.count())]
    dialog.reference.setCurrentIndex(next(i for i, label in enumerate(labels) if label.startswith("Reference")))
    dialog.shows.setText("a woman with makeup")
    dialog.attribute.setText("makeup")
    dialog.mix.setText("a portrait of a woman with a hat with makeup")
    yield from edit(docker, document, node, dialog.order())
    job = next(job for job in docker.desk.jobs.values() if job["edit"]["kind"] == "compose")
    return {"prompt": job["edit"]["reference_prompt"], "layers": names(document.rootNode())}


def scene_empty_mask(docker: Any) -> Scene:
    """A mask layer on which nothing was painted is refused in words, before anything is sent."""
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    yield from choose(document, node)
    docker.paint_mask()
    yield lambda: document.activeNode().name().startswith("Object mask")
    before = len(docker.desk.jobs)
    docker.submit(docker.form.order())
    stop = time.monotonic() + 1
    yield lambda: time.monotonic() > stop
    return {"sent": len(docker.desk.jobs) - before, "words": docker.form.forecast.text()}
