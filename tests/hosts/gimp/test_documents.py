"""Documents as painters have them: what is sent of them, and what is seen once the result is there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ..documents import TOLERANCE, Document, describe, worst
from ..scenarios import MAIN, result_name
from .gimp import GimpDesk

pytestmark = pytest.mark.hosts
NAMES = ("group", "vignette", "faint", "cutout0", "cutout128", "cutout255", "edge", "large")

TWICE = "group"
"""Edited a second time: each edit of a script starts the plug-in anew, which takes seconds."""


@pytest.fixture(scope="module")
def told(desk: GimpDesk) -> tuple[dict[str, Document], dict[str, Any]]:
    found, text = describe(desk.lab.folder)
    assert tuple(found) == NAMES
    given = {"source": MAIN.source, "targets": [MAIN.target, MAIN.second_target], "word": MAIN.word, "twice": TWICE}
    return found, desk.batch("documents", 400, documents=json.loads(text), **given)


@pytest.mark.parametrize("name", NAMES)
def test_a_real_document(told: tuple[dict[str, Document], dict[str, Any]], desk: GimpDesk, name: str) -> None:
    documents, report = told
    assert "error" not in report[name], report[name]["error"]
    seen, document = report[name], documents[name]
    recipe = json.loads(seen["recipe"])
    frames = desk.lab.sent(recipe["job"])
    image = next(frame for frame in frames if frame["role"] == "image")
    assert image["sha256"] == document.sent(tuple(recipe["crop"])), "the layer's own pixels, and nothing around them"
    assert recipe["mask_sha256"] == [frame["sha256"] for frame in frames if frame["role"] == "object_mask"]
    off = worst(desk.lab.folder / f"{name}-shown.raw", document)
    print(f"\n{name}: {off} steps off, crop {recipe['crop']}, {seen['seconds']} s")
    assert off <= TOLERANCE
    newest = [result_name(MAIN.source, target) for target in (MAIN.second_target, MAIN.target)]
    newest = newest if name == TWICE else newest[1:]
    assert [one for one in seen["stack"] if one in ("portrait", *newest)] == [*newest, "portrait"], "the newest on top"
