"""Layers of every kind, results that find their place, masks, variations and composition in the real Krita."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from ..lab import Lab
from ..scenarios import is_result
from ..screen import Screen
from .easel import Easel

INVERTED = [245, 55, 165, 255]
"""What the fake worker makes of the scripts' object colour (10, 200, 90)."""

OBJECT = [90, 200, 10]
"""That colour as a person sees it: red, green, blue."""

CROWN = "hat → crown"

LARGEST_COPY = 4 * 2**20
"""Bytes that one call may hand around: a band of a picture in its few forms, or a small picture with its masks."""

PATIENCE_S = 1_200
"""Seconds for all scenes: a quiet machine takes 60, one that did much else took half a minute for each."""
pytestmark = pytest.mark.timeout(PATIENCE_S + 100)


@pytest.fixture(scope="module")
def scenes() -> dict[str, Any]:
    with Lab("krita-kinds") as lab:
        screen = Screen(lab)
        lab.start_daemon(step_ms=20)
        found = Easel(lab, screen).run("kinds", timeout=PATIENCE_S)
        for picture in lab.folder.glob("seen-*.png"):
            shutil.copy(picture, lab.artifacts)
        (lab.artifacts / "scenes.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
        return found


def _found(scenes: dict[str, Any], name: str) -> Any:
    scene = scenes[name]
    assert "error" not in scene, scene["error"]
    return scene["found"]


@pytest.mark.hosts
def test_a_group_is_edited_as_it_looks_without_its_object_mask(scenes: dict[str, Any]) -> None:
    found = _found(scenes, "group")
    assert found["inside"] == ["Inner", "Object mask: hat"]
    order = found["order"]
    assert order.index(CROWN) == order.index("Group") + 1
    assert found["pixel"] == INVERTED
    assert _found(scenes, "pass_through")["pixel"] == INVERTED
    assert _found(scenes, "inside_a_group")["group"] == ["Inner", CROWN]


@pytest.mark.hosts
def test_other_sources_are_read_as_they_look(scenes: dict[str, Any]) -> None:
    assert _found(scenes, "vector")["pixel"] == INVERTED
    assert _found(scenes, "whole")["pixel"] == [55, 245, 165, 255]
    assert _found(scenes, "file_layer")["pixel"] == INVERTED
    assert _found(scenes, "clone")["pixel"] == INVERTED
    animated = _found(scenes, "animation")
    assert animated["pixel"] == INVERTED, "the frame that is shown"
    assert animated["first"] != animated["now"], "two frames, both left alone"


@pytest.mark.hosts
def test_masks_are_taken_and_kept(scenes: dict[str, Any]) -> None:
    assert _found(scenes, "transparent") == {"left": [0], "right": [255]}
    cut = _found(scenes, "transparency_mask")
    assert cut["extent"] == [16, 16, 24, 24]
    assert cut["pixel"][3] == 255
    assert _found(scenes, "selection_mask")["mask"] == [16, 16, 24, 24]
    automatic = _found(scenes, "automatic_mask")
    assert automatic["middle"][3] == 255
    assert automatic["corner"][3] == 0
    selected = _found(scenes, "selected")
    assert selected["kinds"] == ["automatic", "selection", "automatic"]
    assert not selected["preview"], "of a mask that was turned down"
    empty = _found(scenes, "empty_mask")
    assert empty["sent"] == 0
    assert "marks nothing" in empty["words"]


@pytest.mark.hosts
def test_results_find_their_place(scenes: dict[str, Any]) -> None:
    assert _found(scenes, "moved")["mask"] == [16 + 5 - 2, 16 + 7 - 3, 24, 24]
    assert _found(scenes, "deleted")["order"] == ["Rest", CROWN]
    x, y, width, height = _found(scenes, "huge")["crop"]
    assert width * height < 1_000 * 1_000
    assert x <= 4_100
    assert y <= 4_100
    assert x + width >= 4_160
    assert y + height >= 4_160


@pytest.mark.hosts
def test_several_objects_each_have_their_mask(scenes: dict[str, Any]) -> None:
    found = _found(scenes, "several_objects")
    assert found["objects"] == [{"word": "hat", "masked": True}, {"word": "woman", "masked": True}]
    assert sum(name.startswith("Object mask") for name in found["layers"]) == 2


@pytest.mark.hosts
def test_an_edit_of_this_picture_is_done_again_and_used_as_a_start(scenes: dict[str, Any]) -> None:
    found = _found(scenes, "history")
    assert found["again"] == ["a portrait of a woman with a hat", found["target"]]
    assert found["start"] == found["recalled"] == [found["target"], ""]
    assert max(found["picture"]) > 40, "its thumbnail"


@pytest.mark.hosts
def test_only_what_was_turned_by_hand_is_sent(scenes: dict[str, Any]) -> None:
    found = _found(scenes, "dials")
    assert found["own"] == {}, "the model's own 4 is shown, and left to the daemon"
    assert found["turned"] == [{"blend.context": 0.5}, True, 0.5], "kept when the profile changes"
    assert found["back"] == [{}, 4.0]


@pytest.mark.hosts
def test_settings_are_kept_by_name(scenes: dict[str, Any]) -> None:
    """Names are people's text, and no keys or markup."""
    found, own = _found(scenes, "presets"), ["", "Save as preset…", "Delete preset"]
    assert found["empty"] == found["left"] == own
    assert found["entries"] == ["Soft && <b>wide</b>", *own]
    assert found["put"] == [{"blend.context": 0.5}, 2, "make the hat red"], "what is typed stays as it is typed"
    assert found["asked"] == ["Delete the preset “Soft & <b>wide</b>”?", "Keep"]


@pytest.mark.hosts
def test_variations_and_composition(scenes: dict[str, Any]) -> None:
    variations = _found(scenes, "variations")
    assert not any(is_result(name) for name in variations["waiting"])
    assert variations["picked"] == 1, "asking again shows the layer that is there"
    assert variations["source"] in {"a portrait of a woman with a crown", "a portrait of a woman with a bow"}, "a start"
    assert variations["said"] == ["Done. The result waits in the list below."] * 4
    composed = _found(scenes, "compose")
    assert composed["prompts"] == ["a woman with makeup"] * 2, "from a layer and from a file"
    assert sum(is_result(name) for name in composed["layers"]) == 2
    mixed = "a portrait of a woman with a hat with makeup"
    assert composed["again"] == ["a woman with makeup", ["hat", "makeup"], mixed], "what its dialog asks for is known"


@pytest.mark.hosts
def test_a_result_is_looked_at_on_the_canvas_and_the_document_knows_nothing_of_it(scenes: dict[str, Any]) -> None:
    found = _found(scenes, "looked_at")
    red_green_blue = INVERTED[2::-1]
    assert (found["plain"], found["shown"]) == (OBJECT, red_green_blue)
    assert found["document"] == [*reversed(OBJECT), 255] and not found["modified"]
    assert "PainterCanvas" in found["deaf"], "a brush would paint as if nothing were there"
    assert found["words"] == [f"Preview {place} of 2: {CROWN}" for place in (1, 2)]
    assert found["still"] and found["saved"] == [found["layers"][0], found["document"]], "saved while it was shown"
    assert found["layers"][1] == [*found["layers"][0], CROWN]


@pytest.mark.hosts
def test_a_preview_ends_by_itself(scenes: dict[str, Any]) -> None:
    found = _found(scenes, "look_ends")
    assert found == dict.fromkeys(("painted", "dismissed", "behind", "closed"), False), "nor do its buttons stay"


@pytest.mark.hosts
def test_other_open_pictures_are_references(scenes: dict[str, Any]) -> None:
    found = _found(scenes, "references")
    assert [label for label in found["labels"] if "whole picture" in label] == ["scene (the whole picture)"]
    assert any(label.startswith("Elsewhere") for label in found["labels"])
    assert not any(label.startswith(("Object mask", "Picture")) for label in found["labels"])
    assert found["enabled"] == [False, True], "only with words for both pictures"
    assert found["box"] == "Automatic", "the mask that was chosen last is shown"


@pytest.mark.hosts
def test_a_result_is_one_step_to_undo(scenes: dict[str, Any]) -> None:
    layers = ["Background", "Picture", CROWN]
    assert _found(scenes, "undone") == [layers, layers[:2], layers[:1]]


@pytest.mark.hosts
def test_a_result_that_is_gone_says_so(scenes: dict[str, Any]) -> None:
    assert _found(scenes, "gone")["left"], "its texts can still be used again"


@pytest.mark.hosts
def test_a_result_that_no_saved_picture_has_is_deleted_only_after_a_yes(scenes: dict[str, Any]) -> None:
    """And the question outlives its picture."""
    asked = [
        "Delete the result “hat → crown”?",
        "It is in no saved picture yet, and nothing brings a deleted result back.",
        "Keep",
    ]
    assert _found(scenes, "removed") == [[*asked, True], [*asked, False], [*asked, False]]


@pytest.mark.hosts
def test_the_picture_is_described_and_the_mask_shown_as_it_grows(scenes: dict[str, Any]) -> None:
    proposed = _found(scenes, "propose")
    assert proposed["words"] == "a portrait of a woman with a hat"
    assert not any(is_result(name) for name in proposed["layers"])
    little, more = _found(scenes, "preview")["red"]
    assert more > 2 * little > 0


@pytest.mark.hosts
def test_krita_copies_little_in_one_call(scenes: dict[str, Any]) -> None:
    """How long that takes is printed by `tests.benchmarks.krita_frames`."""
    calls = _found(scenes, "frames")
    assert len(calls) > 100
    largest = max(calls, key=lambda call: int(call["bytes"]))
    assert largest["bytes"] < LARGEST_COPY, largest
