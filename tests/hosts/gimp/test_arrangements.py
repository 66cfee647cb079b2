"""Several objects, compositions and a huge picture by the plug-in's procedure, in the real GIMP without windows."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pytest

from ..scenarios import COMPOSED, MAIN, draw_portrait
from .gimp import GimpDesk

pytestmark = pytest.mark.hosts

SIDE = 8_192
BOX = (5_000, 3_000, 60, 50)
"""The selection in the huge picture: x, y, width, height."""
OBJECTS = ((10, 10, 20, 20), (60, 60, 24, 16))
"""What is painted on one mask layer after the other, as boxes like that one."""
MOST_SENT = 1_024
"""Pixels a side: what may be sent around a selection so small."""


@pytest.fixture(scope="module")
def told(desk: GimpDesk) -> dict[str, Any]:
    """What happened in each case, from one run of GIMP."""
    no_picture = desk.lab.folder / "letter.txt"
    no_picture.write_text("Dear painter", encoding="utf-8")
    return desk.batch(
        "arrangements",
        400,
        source=MAIN.source,
        target=MAIN.target,
        word=MAIN.word,
        two_words=f"{MAIN.word}, woman",
        mixed=COMPOSED.target,
        reference=COMPOSED.reference,
        file=draw_portrait(desk.lab.folder / "reference.png", 64),
        no_picture=no_picture,
        side=SIDE,
        box=BOX,
        objects=OBJECTS,
    )


def test_each_mask_layer_is_an_object_of_its_own(told: dict[str, Any], desk: GimpDesk) -> None:
    seen = told["two objects"]
    assert seen["status"] == "success", seen["message"]
    recipe = json.loads(seen["recipe"])
    assert recipe["edit"]["objects"] == [{"word": MAIN.word, "masked": True}, {"word": "woman", "masked": True}]
    masks = [frame for frame in desk.lab.sent(recipe["job"]) if frame["role"] == "object_mask"]
    assert [mask.get("index", 0) for mask in masks] == [0, 1]
    left, top, width, height = recipe["crop"]
    for mask, (x, y, wide, high) in zip(masks, OBJECTS, strict=True):
        painted = np.zeros((height, width), np.uint8)
        painted[y - top : y - top + high, x - left : x - left + wide] = 255
        assert mask["sha256"] == hashlib.sha256(painted.tobytes()).hexdigest(), "the masks come as they were painted"
    assert seen["masks_shown"] == [False, False], "both have done their work"


def test_a_mask_without_a_word_is_asked_about(told: dict[str, Any]) -> None:
    seen = told["one word for two"]
    assert seen["status"].endswith("error")
    assert "Name the object of each mask" in seen["message"]
    assert (seen["layers_added"], seen["masks_shown"]) == (0, [True, True])


@pytest.mark.parametrize("kind", ["layer", "name", "file"])
def test_a_composition_takes_over_from_a_layer_or_a_file(told: dict[str, Any], desk: GimpDesk, kind: str) -> None:
    seen = told[f"composition with {kind}"]
    assert seen["status"] == "success", seen["message"]
    assert seen["again"]["status"] == "success", seen["again"]["message"]
    for recipe in map(json.loads, (seen["recipe"], seen["again"]["recipe"])):
        assert recipe["edit"]["kind"] == "compose"
        assert recipe["edit"]["reference_prompt"] == COMPOSED.reference
        assert sent(desk, recipe, "reference") == [seen["reference_sha256"]]


def sent(desk: GimpDesk, recipe: dict[str, Any], role: str) -> list[str]:
    """Digests of the frames in this role that the job of a recipe came with."""
    return [frame["sha256"] for frame in desk.lab.sent(recipe["job"]) if frame["role"] == role]


def test_a_result_is_made_again_with_its_own_mask(told: dict[str, Any], desk: GimpDesk) -> None:
    names = ("first", "second", "first again", "over the second")
    assert [told[name]["message"] for name in names] == [""] * len(names)
    made = {name: json.loads(told[name]["recipe"]) for name in names}
    masks = {name: sent(desk, recipe, "object_mask") for name, recipe in made.items()}
    assert masks["first again"] == masks["first"] != masks["second"]
    assert made["first again"]["edit"] == made["first"]["edit"]
    assert masks["over the second"] == masks["second"], "a result has the mask layers of what it was made from"


def test_what_scripts_cannot_have_is_told_in_words(told: dict[str, Any]) -> None:
    for name, words in (("a picture that was never edited", "no result of S²Edit"), ("jobs", "is a window")):
        assert told[name]["status"].endswith("error")
        assert words in told[name]["message"]


@pytest.mark.parametrize(
    ("kind", "words"), [("none", "Choose the layer or file"), ("bad file", "The reference can't be opened")]
)
def test_a_composition_without_its_reference_changes_nothing(told: dict[str, Any], kind: str, words: str) -> None:
    seen = told[f"composition with {kind}"]
    assert seen["status"].endswith("error")
    assert words in seen["message"]
    assert seen["layers_added"] == 0


def test_of_a_huge_picture_only_the_surroundings_of_the_mask_are_sent(told: dict[str, Any], desk: GimpDesk) -> None:
    seen = told["huge"]
    assert seen["status"] == "success", seen["message"]
    print(f"\n{SIDE} x {SIDE} with a selection of {BOX[2]} x {BOX[3]}: {seen['seconds']:.1f} s")
    for frame in desk.lab.sent(json.loads(seen["recipe"])["job"]):
        assert max(frame["shape"][:2]) <= MOST_SENT
    left, top = seen["offset"]
    assert left <= BOX[0]
    assert top <= BOX[1]
    assert left + seen["size"][0] >= BOX[0] + BOX[2]
    assert top + seen["size"][1] >= BOX[1] + BOX[3]
