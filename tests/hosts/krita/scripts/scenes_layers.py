"""Layers of every kind are read as they look, and results find their place."""

from __future__ import annotations

import time
from typing import Any

from krita import Krita, Selection
from PyQt5.QtCore import QByteArray
from stage import (
    BOX,
    GLASS,
    OBJECT,
    OTHER,
    SIDE,
    Scene,
    choose,
    document_with,
    edit,
    layer,
    mask_of,
    names,
    picture_file,
    pixel,
    result,
    select,
    submit,
)


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


def hang_mask(document: Any, node: Any, mask: Any) -> None:
    """Give a layer this mask, open over `BOX`."""
    selection = Selection()
    selection.select(*BOX, 255)
    mask.setSelection(selection)
    node.addChildNode(mask, None)
    document.waitForDone()


def scene_transparency_mask(docker: Any) -> Scene:
    """A transparency mask of the layer serves as the object's mask."""
    from s2edit_krita.host import KritaHost

    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    hang_mask(document, node, document.createTransparencyMask("Cut"))
    source = mask_of(document, node, "Cut")
    docker.form.objects.rows[0].choose_mask(source)
    yield from edit(docker, document, node)
    extent = KritaHost(document).extent(source)
    return {"extent": extent and list(extent), "pixel": pixel(result(document.rootNode()), 20, 20)}


def scene_selection_mask(docker: Any) -> Scene:
    """A selection mask of the layer serves too."""
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    hang_mask(document, node, document.createSelectionMask("Kept"))
    yield from choose(document, node)
    docker.form.objects.rows[0].choose_mask(mask_of(document, node, "Kept"))
    yield from edit(docker, document, node)
    held = result(document.rootNode()).childNodes()[0].selection()
    return {"mask": [held.x(), held.y(), held.width(), held.height()]}


def scene_clone(docker: Any) -> Scene:
    """A clone layer is read as it looks."""
    document = document_with(docker)
    below = layer(document, "Below", OBJECT)
    node = document.createCloneLayer("Clone", below)
    document.rootNode().addChildNode(node, None)
    document.refreshProjection()
    document.waitForDone()
    yield lambda: bytes(node.projectionPixelData(20, 20, 1, 1)) == bytes(OBJECT)
    select(document, docker)
    yield from edit(docker, document, node)
    return {"pixel": pixel(result(document.rootNode()), 20, 20)}


def scene_moved(docker: Any) -> Scene:
    """The layer is moved and the picture cropped while the job runs: the result goes where its layer went."""
    document = document_with(docker)
    node = layer(document, "Picture", OBJECT)
    select(document, docker)
    arrived = yield from submit(docker, document, node)
    yield document.annotationTypes
    yield lambda: any(job["state"] in {"queued", "running"} for job in docker.desk.book.all.values())
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
    yield lambda: any(job["state"] in {"queued", "running"} for job in docker.desk.book.all.values())
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
    job = docker.desk.book.all[name]
    return {"crop": job["edit"]["document"]["crop"], "seconds": round(time.monotonic() - started, 2)}


def scene_animation(docker: Any) -> Scene:
    """Of an animated layer, the frame that is shown is sent."""
    document = document_with(docker)
    node = layer(document, "Animated", OTHER)
    yield from choose(document, node)
    node.enableAnimation()
    document.setFullClipRangeEndTime(10)
    document.setCurrentTime(5)
    yield lambda: document.currentTime() == 5
    document.waitForDone()
    Krita.instance().action("add_blank_frame").trigger()
    yield lambda: node.hasKeyframeAtTime(5)
    document.waitForDone()
    node.setPixelData(QByteArray(bytes(OBJECT) * (SIDE * SIDE)), 0, 0, SIDE, SIDE)
    document.refreshProjection()
    document.waitForDone()
    select(document, docker)
    yield from edit(docker, document, node)
    first = pixel_at(node, 0)
    return {"pixel": pixel(result(document.rootNode()), 20, 20), "first": first, "now": pixel_at(node, 5)}


def pixel_at(node: Any, frame: int) -> list[int]:
    return list(bytes(node.pixelDataAtTime(20, 20, 1, 1, frame)))


def scene_file_layer(docker: Any) -> Scene:
    """A layer that shows a file is read as it is drawn."""
    path = picture_file("linked.png")
    document = document_with(docker)
    node = document.createFileLayer("Linked", path, "None")
    document.rootNode().addChildNode(node, None)

    def loaded() -> bool:
        document.refreshProjection()
        return bytes(node.projectionPixelData(20, 20, 1, 1)) == bytes(OBJECT)

    yield loaded
    select(document, docker)
    yield from edit(docker, document, node)
    return {"pixel": pixel(result(document.rootNode()), 20, 20)}
