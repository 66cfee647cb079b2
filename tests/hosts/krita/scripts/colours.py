"""Edits a picture of every colour model and depth by the docker's own means, and measures what became of its pixels.

For each: how far the visible picture under the result is from the colour that the fake worker made (8-bit steps), and
whether a single byte changed outside the mask.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from typing import Any

from krita import Krita, Selection
from PyQt5.QtCore import QByteArray, QTimer
from stage import STAYED, is_result, mask_of

SPACES = [tuple(space.split(":")) for space in os.environ["S2EDIT_TEST_SPACES"].split()]
SIDE = 96
BOX = (24, 20, 40, 48)
LEFT, RIGHT = (200, 120, 40), (30, 90, 160)
WAIT_MS = 800_000


def run(report: dict[str, Any], done: Any) -> None:
    krita = Krita.instance()
    docker = next(d for d in krita.dockers() if d.objectName() == "s2edit_docker")
    docker.setVisible(True)
    desk = docker.desk
    docker.form.source.setText("a portrait of a woman with a hat")
    docker.form.target.setText("a portrait of a woman with a crown")
    docker.form.objects.rows[0].word_box.setEditText("hat")
    report["spaces"], report["said"] = {}, []
    desk.told.complained.connect(report["said"].append)
    left = list(SPACES)
    current: dict[str, Any] = {}

    def following() -> None:
        if not left:
            done()
            return
        model, depth = left.pop(0)
        document = painted(model, depth)
        krita.activeWindow().addView(document)
        krita.setActiveDocument(document)
        document.setBatchmode(True)
        selection = Selection()
        selection.select(*BOX, 255)
        document.setSelection(selection)
        document.waitForDone()
        layer = document.nodeByName("Picture")
        before = bytes(layer.pixelData(0, 0, SIDE, SIDE))
        current.update(name=model + depth, document=document, layer=layer, before=before)
        current["seen"] = seen(document)
        settle(STAYED)

    def settle(looks: int) -> None:
        """Submit once the layer has stayed the active one: Krita chooses by itself for a while (see `stage.choose`)."""
        now, layer = current["document"].activeNode(), current["layer"]
        if now is None or now.uniqueId() != layer.uniqueId():
            current["document"].setActiveNode(layer)
            looks = STAYED
        if looks:
            QTimer.singleShot(50, lambda: settle(looks - 1))
        else:
            submit()

    def submit() -> None:
        document = current["document"]
        docker.form.objects.rows[0].choose_mask(mask_of(document, current["layer"], "Selection"))
        docker.submit(docker.form.order())

    def added(_job: str) -> None:
        QTimer.singleShot(300, measure)

    def measure() -> None:
        try:
            report["spaces"][current["name"]] = compare(current)
        except Exception:  # noqa: BLE001 - the next colour model shall be tried all the same
            report["spaces"][current["name"]] = {"error": traceback.format_exc()}
        QTimer.singleShot(300, lambda: leave(current["document"], following))

    desk.told.layer_added.connect(added)
    desk.open()
    QTimer.singleShot(1000, following)
    QTimer.singleShot(WAIT_MS, done)


def leave(document: Any, then: Callable[[], None]) -> None:
    """Close a picture; see `stage.close_all`: not before Krita's list of layers has drawn what was changed."""
    document.setModified(False)
    document.close()
    QTimer.singleShot(100, then)


def painted(model: str, depth: str) -> Any:
    """Two colours side by side, converted into the space; the left one's colour is what the box lies in mostly."""
    krita = Krita.instance()
    document = krita.createDocument(SIDE, SIDE, model + depth, model, depth, "", 72.0)
    layer = document.createNode("Picture", "paintlayer")
    layer.setColorSpace("RGBA", "U8", "sRGB-elle-V2-srgbtrc.icc")
    row = bytes((*reversed(LEFT), 255)) * (SIDE // 2) + bytes((*reversed(RIGHT), 255)) * (SIDE // 2)
    layer.setPixelData(QByteArray(row * SIDE), 0, 0, SIDE, SIDE)
    layer.setColorSpace(document.colorModel(), document.colorDepth(), document.colorProfile())
    document.rootNode().addChildNode(layer, None)
    document.refreshProjection()
    document.waitForDone()
    return document


def seen(document: Any) -> bytes:
    """What is on the screen, as 8-bit BGRA."""
    image = document.projection(0, 0, SIDE, SIDE).convertToFormat(5)
    bits = image.constBits()
    bits.setsize(SIDE * SIDE * 4)
    return bytes(bits)


def compare(current: dict[str, Any]) -> dict[str, Any]:
    document = current["document"]
    document.refreshProjection()
    document.waitForDone()
    before, after = current["seen"], seen(document)
    x0, y0, width, height = BOX
    worst, outside = 0, 0
    for y in range(SIDE):
        for x in range(SIDE):
            at = (y * SIDE + x) * 4
            inside = x0 <= x < x0 + width and y0 <= y < y0 + height
            for channel in range(3):
                if inside:
                    worst = max(worst, abs(255 - before[at + channel] - after[at + channel]))
                else:
                    outside = max(outside, abs(before[at + channel] - after[at + channel]))
    result = next(node for node in document.topLevelNodes() if is_result(node.name()))
    return {
        "profile": document.colorProfile(),
        "layer": [result.colorModel(), result.colorDepth(), result.colorProfile() == document.colorProfile()],
        "inside": worst,
        "outside": outside,
        "source_untouched": bytes(current["layer"].pixelData(0, 0, SIDE, SIDE)) == current["before"],
        "mask": [node.type() for node in result.childNodes()],
    }
