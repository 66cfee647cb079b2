"""Documents as painters have them: what is sent of them, and what is seen once the result is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from ..documents import TOLERANCE, Document, describe, worst
from ..lab import Lab
from ..scenarios import is_result
from ..screen import Screen
from .easel import Easel

pytestmark = pytest.mark.hosts
NAMES = ("group", "vignette", "faint", "cutout0", "cutout128", "cutout255", "edge", "large")
PATIENCE_S = 400
BLURRED = 3.0
"""8-bit steps on average by which a scaled picture may differ, since edges are smoothed."""


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[Lab, dict[str, Document], dict[str, Any]]]:
    with Lab("krita-documents") as lab:
        screen = Screen(lab)
        lab.start_daemon(step_ms=20)
        found, text = describe(lab.folder)
        assert tuple(found) == NAMES
        (lab.folder / "documents.json").write_text(text, encoding="utf-8")
        path = str(lab.folder / "documents.json")
        yield lab, found, Easel(lab, screen).run("scenes_documents", timeout=PATIENCE_S, S2EDIT_TEST_DOCUMENTS=path)


def test_a_picture_that_was_scaled_meanwhile(told: tuple[Lab, dict[str, Document], dict[str, Any]]) -> None:
    lab, documents, report = told
    assert "error" not in report["scaled"], report["scaled"]["error"]
    assert report["scaled"]["found"]["size"] == [640, 480]
    seen = np.frombuffer((lab.folder / "scaled-shown.raw").read_bytes(), np.uint8).reshape(480, 640, 4)
    wanted = np.repeat(np.repeat(255 * documents["group"].truth(), 2, axis=0), 2, axis=1)
    off = np.abs(seen.astype(float) - wanted).mean()
    print(f"\nscaled: {off:.2f} steps off on average")
    assert off < BLURRED


def test_a_picture_that_was_turned_meanwhile_says_so(told: tuple[Lab, dict[str, Document], dict[str, Any]]) -> None:
    found = told[2]["turned"]["found"]
    assert ["turned" in words for words in found["said"]] == [True]
    assert "portrait" in found["stack"]
    assert not any(map(is_result, found["stack"]))


@pytest.mark.parametrize("name", NAMES)
def test_a_real_document(told: tuple[Lab, dict[str, Document], dict[str, Any]], name: str) -> None:
    lab, documents, report = told
    assert "error" not in report[name], report[name]["error"]
    seen, document = report[name]["found"], documents[name]
    image = next(frame for frame in lab.sent(seen["job"]) if frame["role"] == "image")
    assert image["sha256"] == document.sent(tuple(seen["crop"])), "the layer's own pixels, and nothing around them"
    off = worst(lab.folder / f"{name}-shown.raw", document)
    print(f"\n{name}: {off} steps off, crop {seen['crop']}")
    assert off <= TOLERANCE
    assert [one for one in seen["stack"] if one in ("portrait", "hat → crown", "hat → bow")] == [
        "portrait",
        "hat → crown",
        "hat → bow",
    ], "the newest on top"
