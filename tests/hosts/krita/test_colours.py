"""Every colour model and depth in the real Krita: edited, put back, and not a byte changed outside the mask."""

from __future__ import annotations

import json

import pytest

from ..lab import Lab
from ..screen import Screen
from .easel import Easel

SPACES = (
    *(("RGBA", depth) for depth in ("U8", "U16", "F16", "F32")),
    *((model, depth) for model in ("GRAYA", "CMYKA", "LABA") for depth in ("U8", "U16")),
)
NEAR = {"RGBA": 1, "LABA": 8, "GRAYA": 4, "CMYKA": 60}
"""8-bit steps that the result may be off on screen. Lab at 8 bit has coarse steps; CMYK has no such blues at all."""


PATIENCE_S = 900
"""Seconds for all of them: a quiet machine takes 25."""


@pytest.mark.hosts
@pytest.mark.timeout(PATIENCE_S + 100)
def test_every_colour_model() -> None:
    with Lab("krita-colours") as lab:
        screen = Screen(lab)
        lab.start_daemon(step_ms=1)
        report = Easel(lab, screen).run(
            "colours", timeout=PATIENCE_S, S2EDIT_TEST_SPACES=" ".join(f"{model}:{depth}" for model, depth in SPACES)
        )
        (lab.artifacts / "measured.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    assert report["said"] == []
    assert set(report["spaces"]) == {model + depth for model, depth in SPACES}
    for model, depth in SPACES:
        found = report["spaces"][model + depth]
        assert "error" not in found, found["error"]
        assert found["layer"] == [model, depth, True], "the result has the document's colour space"
        assert found["source_untouched"]
        assert found["outside"] == 0, f"{model} {depth}: pixels outside the mask changed"
        assert found["inside"] <= NEAR[model], f"{model} {depth}: off by {found['inside']} of 255"
        assert found["mask"] == ["transparencymask"]
