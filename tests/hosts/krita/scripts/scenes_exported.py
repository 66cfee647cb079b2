"""An edit, then every way out of Krita: saved as each kind of file, exported, and a saved .kra opened again.

At last the result is removed by hand, which is undone, and merged down.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from krita import InfoObject, Krita
from s2edit_krita import marking
from stage import OBJECT, Scene, act, choose, document_with, edit, is_result, layer, leave, names, result, select

ENDINGS = tuple(os.environ["S2EDIT_PROBE_ENDINGS"].split())


def scene_exported(docker: Any) -> Scene:
    folder = Path(os.environ["S2EDIT_PROBE_FOLDER"])
    document = document_with(docker)
    source = layer(document, "Picture", OBJECT)
    yield lambda: len(document.rootNode().childNodes()) >= 1
    for ending in ENDINGS:
        document.saveAs(str(folder / f"before.{ending}"))
    select(document, docker)
    yield from edit(docker, document, source)
    document.saveAs(str(folder / "after.kra"))
    again = Krita.instance().openDocument(str(folder / "after.kra"))
    Krita.instance().activeWindow().addView(again)
    again.setBatchmode(True)
    for ending in ENDINGS:
        for name, one in (("after", document), ("reopened", again)):
            one.saveAs(str(folder / f"{name}.{ending}"))
    kept = len(again.topLevelNodes())
    result(again.rootNode()).remove()
    marking.settle(again)
    reopened = bool(bytes(again.annotation("s2edit-marks")))
    yield from leave(again)
    yield lambda: Krita.instance().activeDocument() == document
    for ending in ENDINGS:
        document.exportImage(str(folder / f"exported.{ending}"), InfoObject())
    document.saveAs(str(folder / "after.ora"))
    seen = yield from removed(document)
    return {**seen, "reopened, removed": reopened, "layers": kept}


def removed(document: Any) -> Scene:
    """Whether the document carries the mark, after each thing that a painter does to the result's layer."""

    def marked() -> bool:
        return bool(bytes(document.annotation("s2edit-marks")))

    undo = Krita.instance().action("edit_undo")
    seen = {"at first": marked()}
    yield from choose(document, result(document.rootNode()))
    Krita.instance().action("remove_layer").trigger()
    yield lambda: not marked()
    seen["removed"] = marked()
    undo.trigger()
    yield marked
    seen["undone"] = marked()
    yield from choose(document, result(document.rootNode()))
    Krita.instance().action("merge_layer").trigger()
    yield lambda: not [name for name in names(document.rootNode()) if is_result(name)]
    marking.settle(document)
    seen["merged"] = marked()
    return seen


def run(report: dict[str, Any], done: Any) -> None:
    act(report, done, [scene_exported])
