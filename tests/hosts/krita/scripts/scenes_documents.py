"""Builds the documents of `tests/hosts/documents.py`, edits each by the docker's own means, and leaves what is seen."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import stage
from krita import Krita, Selection
from PyQt5.QtCore import QByteArray


def swapped(data: bytes) -> bytes:
    """RGBA as Krita's BGRA, and back."""
    out = bytearray(data)
    out[0::4], out[2::4] = out[2::4], out[0::4]
    return bytes(out)


def build(docker: Any, record: dict[str, Any]) -> Any:
    width, height = record["canvas"]
    document = stage.document_with(docker, size=(width, height))
    for node in document.topLevelNodes():
        node.remove()
    groups: dict[str, Any] = {}
    for entry in record["layers"]:
        parent = document.rootNode()
        if entry["group"]:
            if entry["group"] not in groups:
                groups[entry["group"]] = document.createGroupLayer(entry["group"])
                parent.addChildNode(groups[entry["group"]], None)
            parent = groups[entry["group"]]
        node = document.createNode(entry["name"], "paintlayer")
        node.setPixelData(QByteArray(swapped(Path(entry["pixels"]).read_bytes())), *entry["box"])
        node.setOpacity(round(255 * entry["opacity"]))
        node.setBlendingMode(entry["mode"])
        if "mask" in entry:
            held, mask = Selection(), document.createTransparencyMask("vignette")
            held.setPixelData(QByteArray(Path(entry["mask"]).read_bytes()), *entry["box"])
            mask.setSelection(held)
            node.addChildNode(mask, None)
        parent.addChildNode(node, None)
    document.refreshProjection()
    document.waitForDone()
    return document


def scene_of(record: dict[str, Any]) -> Any:
    def scene(docker: Any) -> stage.Scene:
        document = build(docker, record)
        node = document.nodeByName(record["edited"])
        yield from stage.choose(document, node)
        stage.select(document, docker, tuple(record["marked"]))
        job = yield from stage.edit(docker, document, node)
        document.waitForDone()
        started = time.monotonic()
        Path(record["shown"]).write_bytes(swapped(bytes(document.pixelData(*record["seen"]))))
        first = document.nodeByName("hat → crown")
        docker.form.target.setText("a portrait of a woman with a bow")
        yield from stage.edit(docker, document, node)
        return {
            "job": job,
            "crop": docker.desk.book.all[job]["edit"]["document"]["crop"],
            "stack": stage.names(node.parentNode()),
            "clipped": first.inheritAlpha(),
            "seconds": round(time.monotonic() - started, 2),
        }

    scene.__name__ = f"scene_{record['name']}"
    return scene


def changed_meanwhile(record: dict[str, Any], name: str, change: Any) -> Any:
    """The first document, changed as a whole while the job runs."""

    def scene(docker: Any) -> stage.Scene:
        document = build(docker, record)
        node = document.nodeByName(record["edited"])
        yield from stage.choose(document, node)
        stage.select(document, docker, tuple(record["marked"]))
        said: list[str] = []
        docker.desk.told.complained.connect(said.append)
        arrived = yield from stage.submit(docker, document, node)
        yield lambda: any(job["state"] in {"queued", "running"} for job in docker.desk.book.all.values())
        change(document)
        document.waitForDone()
        yield lambda: arrived() or said
        document.waitForDone()
        shown = record["shown"].replace(record["name"], name)
        box = (0, 0, document.width(), document.height())
        Path(shown).write_bytes(swapped(bytes(document.pixelData(*box))))
        return {"stack": stage.names(node.parentNode()), "said": said, "size": box[2:]}

    scene.__name__ = f"scene_{name}"
    return scene


def run(report: dict[str, Any], done: Any) -> None:
    records = json.loads(Path(os.environ["S2EDIT_TEST_DOCUMENTS"]).read_text())
    Krita.instance().setBatchmode(True)
    scenes = [scene_of(record) for record in records]
    scenes.append(
        changed_meanwhile(records[0], "scaled", lambda document: document.scaleImage(640, 480, 72, 72, "Box"))
    )
    scenes.append(changed_meanwhile(records[0], "turned", lambda document: document.rotateImage(1.5707963267948966)))
    stage.act(report, done, scenes)
