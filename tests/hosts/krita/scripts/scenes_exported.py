"""An edit, then every way out of Krita: saved as each kind of file, exported, and a saved .kra opened again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from krita import InfoObject, Krita
from stage import OBJECT, Scene, act, document_with, edit, layer, select

ENDINGS = ("png", "jpg", "tif", "webp")


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
        document.exportImage(str(folder / f"exported.{ending}"), InfoObject())
        for name, one in (("after", document), ("reopened", again)):
            one.saveAs(str(folder / f"{name}.{ending}"))
    document.saveAs(str(folder / "after.ora"))
    return {"layers": len(again.topLevelNodes())}


def run(report: dict[str, Any], done: Any) -> None:
    act(report, done, [scene_exported])
