"""Every kind of image that GIMP knows goes through the plug-in's procedure, in the real GIMP without windows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ..scenarios import MAIN, result_name
from .gimp import GimpDesk

pytestmark = pytest.mark.hosts

DEPTHS = ("u8", "u16", "u32", "half", "float", "double")
PRECISIONS = [f"{depth}-{encoding}" for depth in DEPTHS for encoding in ("linear", "non-linear", "perceptual")]
"""All that GIMP knows."""
GRAY = ("u8-non-linear", "u16-perceptual", "u32-linear", "half-non-linear", "float-linear", "double-perceptual")
CASES: dict[str, dict[str, Any]] = {
    **{f"rgb {name}": {"base": "rgb", "precision": name} for name in PRECISIONS},
    **{f"gray {name}": {"base": "gray", "precision": name} for name in GRAY},
    "alpha": {"base": "rgb", "precision": "u8-non-linear", "alpha": True},
    "alpha 16 bit": {"base": "rgb", "precision": "u16-non-linear", "alpha": True},
    "gray with alpha": {"base": "gray", "precision": "u8-non-linear", "alpha": True},
    "offsets": {"base": "rgb", "precision": "u8-non-linear", "offset": [-12, 9]},
    "group": {"base": "rgb", "precision": "u8-non-linear", "group": True},
    "adobe rgb": {"base": "rgb", "precision": "u8-non-linear", "profile": "new_rgb_adobe"},
    "adobe rgb 16 bit": {"base": "rgb", "precision": "u16-non-linear", "profile": "new_rgb_adobe"},
    "adobe rgb float": {"base": "rgb", "precision": "float-linear", "profile": "new_rgb_adobe"},
    "channel": {"base": "rgb", "precision": "u8-non-linear", "mask": "channel"},
    "layer mask": {"base": "rgb", "precision": "u8-non-linear", "mask": "layer-mask"},
    "mask layer": {"base": "rgb", "precision": "u8-non-linear", "mask": "mask-layers"},
    "mask layer 16 bit": {"base": "gray", "precision": "u16-linear", "mask": "mask-layers", "offset": [5, -8]},
    "indexed": {"base": "indexed", "precision": "u8-non-linear"},
}
MASKED = 40 * 36
"""Pixels of the mask."""
ROUNDED_BY_GIMP = ("u32", "double", "gray float")
"""GIMP composites RGB in 32-bit float: where a layer lies over these, even an invisible one, it rounds the last bit."""


@pytest.fixture(scope="module")
def told(desk: GimpDesk) -> dict[str, Any]:
    """What happened to each image, from one run of GIMP."""
    return desk.batch("precisions", 560, cases=CASES, source=MAIN.source, target=MAIN.target, word=MAIN.word)


@pytest.mark.parametrize("name", [name for name in CASES if name != "indexed"])
def test_the_edit_lands_where_the_mask_is_and_nowhere_else(told: dict[str, Any], name: str) -> None:
    seen = told[name]
    assert seen["status"] == "success", seen["message"]
    assert seen["source_untouched"]
    assert seen["outside_difference"] <= (1e-6 if any(kind in name for kind in ROUNDED_BY_GIMP) else 0.0)
    assert seen["inverse_error"] <= (2 if "adobe" not in name else 6)
    assert seen["mask_inside"] == 255
    assert seen["mask_total"] == MASKED
    assert seen["same_parent"]
    assert seen["above"]
    assert seen["name"] == result_name(MAIN.source, MAIN.target)
    recipe = json.loads(seen["recipe"])
    assert recipe["edit"]["target"] == MAIN.target
    assert recipe["edit"]["objects"] == [{"word": MAIN.word, "masked": True}]


def test_indexed_colours_are_refused_in_words_and_change_nothing(told: dict[str, Any]) -> None:
    seen = told["indexed"]
    assert seen["status"] == "calling-error" or seen["status"] == "execution-error"
    assert "Image → Mode → RGB" in seen["message"]
    assert seen["layers_added"] == 0
    assert seen["source_untouched"]
