"""Plans, and what is refused before a job exists."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from s2edit_server.estimates import unet_forwards
from s2edit_server.planning import check_submit, plan
from s2edit_server.settings import DaemonSettings
from s2edit_server.timings import Pace
from s2edit_server.weights.manager import Weights
from s2edit_server.weights.places import PORTRAITS_VARIABLE
from s2edit_wire.errors import WireError
from s2edit_wire.frames import FrameRecord, describe
from s2edit_wire.records import PlanReply
from s2edit_wire.schema import check_reply

from s2edit.model.families import FAMILIES, NOTHING_LEARNED
from s2edit.profiles import profile
from s2edit.settings import Level

PLAN: dict[str, Any] = {
    "kind": "edit",
    "model": "portraits",
    "profile": "balanced",
    "canvas": [1600, 1200],
    "mask_box": [400, 300, 200, 250],
    "source": "a woman with glasses",
    "target": "a woman with sunglasses",
    "objects": [{"word": "woman", "masked": True}],
}
EDIT: dict[str, Any] = {
    "kind": "edit",
    "model": "portraits",
    "profile": "balanced",
    "source": "a woman with glasses",
    "target": "a woman with sunglasses",
    "objects": [{"word": "woman", "masked": True}],
    "seed": 0,
}
Frame = tuple[FrameRecord, memoryview]


def planned(weights: Weights, request: dict[str, Any], **options: Any) -> PlanReply:
    reply = plan(request, weights, **options)
    check_reply("plan", {"op": "reply", "id": 1, **reply})
    return reply


def frame(role: str, pixels: np.ndarray, index: int = 0) -> Frame:
    height, width, channels = pixels.shape
    space = "mask" if role.endswith("mask") else "srgb"
    entry = describe(role, (height, width, channels), f"{pixels.dtype.kind}{pixels.dtype.itemsize}", space, index)
    return entry, memoryview(pixels.tobytes())


def pictures(mask: np.ndarray | None = None) -> list[Frame]:
    if mask is None:
        mask = np.full((8, 8, 1), 255, np.uint8)
    return [frame("image", np.zeros((8, 8, 3), np.uint8)), frame("object_mask", mask)]


def test_a_good_plan(weights: Weights) -> None:
    reply = planned(weights, PLAN)
    x, y, w, h = reply["crop"]
    assert x <= 400 and y <= 300 and x + w >= 600 and y + h >= 550
    assert reply["model_size"] == [128, 128] or min(reply["model_size"]) == 128
    assert all(side % 32 == 0 for side in reply["model_size"])
    assert reply["problems"] == [] and reply["words"][0] == "woman"
    assert not reply["forecast"]["measured"] and reply["forecast"]["first_s"] > reply["forecast"]["next_s"] > 0


def test_an_object_of_less_than_a_latent_cell_is_doubted(weights: Weights) -> None:
    reply = planned(weights, PLAN)
    fine = reply["resolution"]
    assert min(fine["size"]) > 8 and fine["finest"] > 1 and not fine["framed"]
    small = PLAN | {"mask_box": [400, 300, 30, 4], "settings": {"blend.context": 4.0}}
    (problem,) = planned(weights, small)["problems"]
    assert (problem["field"], problem["code"], problem["blocking"]) == ("mask", "bad_mask", False)
    assert "of the model's" in problem["message"] and "Context" in problem["message"]
    assert planned(weights, small | {"mask_box": [400, 300, 300, 200]})["problems"] == []


def test_the_context_setting_widens_the_crop(weights: Weights) -> None:
    narrow = planned(weights, PLAN | {"settings": {"blend.context": 0.1}})["crop"]
    wide = planned(weights, PLAN | {"settings": {"blend.context": 1.0}})["crop"]
    assert wide[2] > narrow[2] and wide[3] > narrow[3]


def test_what_a_model_recommends_is_in_force_and_told(weights: Weights, small_model: Path) -> None:
    (small_model / "recommended.json").write_text('{"native_size": 128, "blend": {"context": 4}, "guidance": 4}')
    reply = planned(weights, PLAN)
    assert reply["crop"] == [0, 0, 1600, 1200]
    told = reply["settings"]
    assert (told["blend.context"], told["edit.guidance"], told["native_size"]) == (4.0, 4.0, 128)
    own = planned(weights, PLAN | {"settings": {"blend.context": 0.1}})
    assert own["crop"][2] < 400 and own["settings"] == told | {"blend.context": 0.1}


def test_the_embedded_model_sees_the_whole_portrait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was trained on whole portraits: an edit of the glasses alone that says nothing about context."""
    monkeypatch.delenv(PORTRAITS_VARIABLE, raising=False)
    weights = Weights(tmp_path / "state", DaemonSettings, caches=[])
    asked = PLAN | {"canvas": [512, 512], "mask_box": [180, 200, 150, 60]}
    assert planned(weights, asked)["crop"] == [0, 0, 512, 512]
    assert planned(weights, asked | {"settings": {"blend.context": 0.35}})["crop"] != [0, 0, 512, 512]


def test_a_broken_recommendation_is_a_problem_not_a_fault(weights: Weights, small_model: Path) -> None:
    for text in ("{", '{"blend": {"context": 9}}'):
        (small_model / "recommended.json").write_text(text)
        (problem,) = planned(weights, PLAN)["problems"]
        assert problem["code"] == "bad_setting" and problem["blocking"]


def test_without_a_mask_the_whole_picture_is_sent(weights: Weights) -> None:
    request = {name: value for name, value in PLAN.items() if name != "mask_box"}
    assert planned(weights, request)["crop"] == [0, 0, 1600, 1200]


def test_times_come_from_this_machine_once_known(weights: Weights) -> None:
    paces = {"loading": Pace(2, 1), "identity": Pace(20, 1), "inversion": Pace(3, 1), "editing": Pace(4, 1)}
    forecast = planned(weights, PLAN, paces=paces, memory_free=5 << 30)["forecast"]
    assert forecast["measured"] and forecast["first_s"] == 29 and forecast["next_s"] == 4
    assert forecast["memory_free"] == 5 << 30


@pytest.mark.parametrize("model", ["sd-v1-4", "sdxl-base"])
def test_memory_is_its_levels(weights: Weights, model: str) -> None:
    """The forecast's memory follows what is learned: a part of the weights, all of them, or nothing."""

    def needed(settings: dict[str, Any], **options: Any) -> int:
        request = PLAN | {"model": model, "profile": "faithful", "settings": settings}
        return planned(weights, request, **options)["forecast"]["memory"]

    family = FAMILIES["sdxl" if model == "sdxl-base" else "sd1"]
    for level in get_args(Level):
        full = "full" if level == "auto" else level
        assert needed({"identity.level": level}) == family.memory[full]
    assert needed({"identity.enabled": False}) == needed({}, cached=True) == family.memory[NOTHING_LEARNED]
    assert family.memory["full"] > family.memory["checkpointing"] > family.memory["kv"] > family.memory["lora"]
    learned = [level for level in get_args(Level) if level not in ("auto", "adam8bit")]
    for level, below in zip(learned, [*learned[1:], learned[-1]], strict=True):
        # Each level's bytes are room enough for it, partly taken by the model in memory, and a byte less isn't.
        room = family.memory[level]
        assert needed({"identity.level": "auto"}, memory_free=room - 5, memory_used=5) == room
        assert needed({"identity.level": "auto"}, memory_free=room - 1) == family.memory[below]
    (card,) = (weights.record(entry) for entry in weights.entries() if entry.id == model)
    assert card["memory"] == family.memory["full"]


def test_too_little_memory_for_a_full_edit_is_told_before(weights: Weights) -> None:
    (problem,) = planned(weights, PLAN, memory_free=100 << 20, memory_used=100 << 20)["problems"]
    assert (problem["field"], problem["code"], problem["blocking"]) == ("model", "out_of_memory", False)
    assert "less faithfully" in problem["message"]
    # The model in memory counts as room, what is cached needs none, and a level of one's own choice is one's own.
    assert planned(weights, PLAN, memory_free=100 << 20, memory_used=900 << 20)["problems"] == []
    assert planned(weights, PLAN, memory_free=100 << 20, cached=True)["problems"] == []
    chosen = PLAN | {"settings": {"identity.level": "lora"}}
    assert planned(weights, chosen, memory_free=100 << 20)["problems"] == []


def test_a_photograph_is_told_the_right_model_and_its_size(weights: Weights) -> None:
    (problem,) = planned(weights, PLAN | {"photo": 0.9})["problems"]
    assert not problem["blocking"] and problem["field"] == "model"
    assert "Stable Diffusion v1-4" in problem["message"] and "4.0 GiB" in problem["message"]
    assert planned(weights, PLAN | {"photo": 0.1})["problems"] == []


def test_what_is_not_typed_yet_is_no_problem(weights: Weights) -> None:
    bare = {name: PLAN[name] for name in ("kind", "model", "profile", "canvas")}
    assert planned(weights, bare)["problems"] == []
    assert planned(weights, bare | {"source": "a woman"})["words"] == ["woman"]


def test_a_model_that_is_not_here_can_be_planned_for(weights: Weights) -> None:
    reply = planned(weights, PLAN | {"model": "sd-v1-4"})
    assert [problem["code"] for problem in reply["problems"]] == ["unknown_model"]
    assert min(reply["model_size"]) == 512


def test_a_wrong_setting_is_a_problem_of_the_plan(weights: Weights) -> None:
    (problem,) = planned(weights, PLAN | {"settings": {"edit.gidance": 3}})["problems"]
    assert problem["code"] == "bad_setting" and problem["word"] == "edit.gidance"


def test_a_mask_box_outside_the_canvas_can_t_be_planned(weights: Weights) -> None:
    with pytest.raises(WireError) as failure:
        plan(PLAN | {"mask_box": [1500, 0, 200, 10]}, weights)
    assert failure.value.code == "bad_mask"


def test_the_same_object_twice_is_a_problem_of_the_objects(weights: Weights) -> None:
    twice = [{"word": "woman", "masked": False}, {"word": "woman", "masked": False}]
    (problem,) = planned(weights, PLAN | {"objects": twice})["problems"]
    assert (problem["field"], problem["word"]) == ("object", "woman")


def test_without_identity_an_object_needs_no_counterpart(weights: Weights) -> None:
    asked = PLAN | {"target": "sunglasses"}
    assert [problem["field"] for problem in planned(weights, asked)["problems"]] == ["target"]
    assert planned(weights, asked | {"settings": {"identity.enabled": False}})["problems"] == []


def test_an_emphasis_alone_is_a_change_unless_it_is_by_one(weights: Weights) -> None:
    for factor, refused in ((1, True), (1.0, True), (2, False)):
        settings = {"edit.emphasize.glasses": factor}
        asked = PLAN | {"target": PLAN["source"], "settings": settings}
        problems = planned(weights, asked)["problems"]
        assert [problem["field"] for problem in problems] == ["target"] * refused
        error = check_submit(EDIT | {"target": EDIT["source"], "settings": settings}, pictures(), weights)
        assert (error is not None and error.code == "bad_prompt") == refused


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"edit.emphasize.moustache": 2}, "moustache"),
        ({"edit.mode": "replace"}, "as many words"),
        ({"edit.emphasize.sunglasses": 2, "edit.mode": "refine"}, ""),
    ],
)
def test_a_composition_is_planned_with_its_emphasis_and_mode(
    weights: Weights, settings: dict[str, Any], words: str
) -> None:
    composed = {"kind": "compose", "source": "a woman", "reference_prompt": "a man with sunglasses"}
    problems = planned(weights, PLAN | composed | {"settings": settings})["problems"]
    assert [words in problem["message"] for problem in problems] == [True] * bool(words)


def test_a_good_job_is_let_through(weights: Weights) -> None:
    assert check_submit(EDIT, pictures(), weights) is None
    unmasked = EDIT | {"objects": [{"word": "woman", "masked": False}]}
    assert check_submit(unmasked, pictures()[:1], weights) is None
    caption = {**EDIT, "kind": "caption", "source": "", "target": "", "objects": []}
    assert check_submit(caption, pictures()[:1], weights) is None
    assert check_submit({**unmasked, "kind": "mask"}, pictures()[:1], weights) is None


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"source": " "}, "bad_prompt", "source prompt is empty"),
        ({"target": ""}, "bad_prompt", "target prompt is empty"),
        ({"objects": []}, "bad_prompt", "No object"),
        ({"objects": [{"word": "dragon", "masked": False}]}, "bad_prompt", "dragon"),
        ({"target": "a woman " + "with glasses " * 90}, "bad_prompt", "too long"),
        ({"source": "a woman " + "with glasses " * 70}, "bad_prompt", "too long"),
        ({"target": "a woman with glasses"}, "bad_prompt", ""),
        ({"target": "a man with glasses", "objects": [{"word": "glasses", "masked": True}], "source": "a man"},
         "bad_prompt", "glasses"),
        ({"model": "nothing"}, "unknown_model", "nothing"),
        ({"model": "sd-v1-5"}, "unknown_model", "not installed"),
        ({"model": "clip-vit-l-14"}, "unknown_model", "can't edit"),
        ({"settings": {"edit.guidence": 2}}, "bad_setting", "edit.guidence"),
        ({"settings": {"edit.guidance": 1e9}}, "bad_setting", "edit.guidance"),
        ({"kind": "caption", "model": "sd-v1-4"}, "unknown_model", "not installed"),
        ({"kind": "caption", "model": "clip-vit-l-14"}, "unknown_model", "can't edit"),
        ({"kind": "caption", "model": "blip-large"}, "unknown_model", "not installed"),
        ({"kind": "compose"}, "bad_prompt", "reference prompt is empty"),
        ({"kind": "compose", "reference_prompt": "a man"}, "bad_prompt", "mixed prompt"),
        ({"kind": "compose", "reference_prompt": "a man with sunglasses"}, "bad_image", "reference"),
        ({"kind": "compose", "reference_prompt": "a man with sunglasses", "target": "sunglasses"},
         "bad_prompt", "woman"),
    ],
)  # fmt: skip
def test_bad_words_models_and_settings_are_refused(
    weights: Weights, change: dict[str, Any], code: str, words: str
) -> None:
    error = check_submit(EDIT | change, pictures(), weights)
    assert error is not None and error.code == code and words in error.message


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (lambda: [], "bad_image"),
        (lambda: pictures()[1:], "bad_image"),
        (lambda: pictures()[:1], "bad_mask"),
        (lambda: pictures() + pictures()[:1], "bad_image"),
        (lambda: pictures(np.full((8, 9, 1), 255, np.uint8)), "bad_mask"),
        (lambda: pictures(np.zeros((8, 8, 1), np.uint8)), "bad_mask"),
        (lambda: pictures(np.full((8, 8, 1), 100, np.uint8)), "bad_mask"),
        (lambda: pictures(np.zeros((8, 8, 1), np.float32)), "bad_mask"),
        (lambda: [*pictures(), frame("edit_mask", np.zeros((8, 8, 1), np.uint16))], "bad_mask"),
    ],
)
def test_bad_pictures_and_masks_are_refused(weights: Weights, frames: Callable[[], list[Frame]], code: str) -> None:
    error = check_submit(EDIT, frames(), weights)
    assert error is not None and error.code == code


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_one_marked_pixel_is_enough(weights: Weights, dtype: str) -> None:
    mask = np.zeros((8, 8, 1), dtype)
    mask[7, 7] = {"u1": 255, "u2": 65_535, "f4": 1.0}[dtype]
    assert check_submit(EDIT, pictures(mask), weights) is None


def test_forward_passes_of_the_profiles() -> None:
    """method.md: 200 x 3 = 600 for fine-tuning, 50 to invert; to edit, rows that nothing looks at are left out."""
    assert unet_forwards(profile("balanced")) == (600, 50, 50 + 50 + 40)
    negative = profile("balanced").replace_from({"inversion.mode": "npi"})
    assert unet_forwards(negative)[2] == 150, "the source is sampled to the end"
    shorter = profile("balanced").replace_from({"edit.guidance_until": 0.6, "edit.cross_replace": 0.4})
    assert unet_forwards(shorter)[2] == 50 + 30 + 20
    assert unet_forwards(profile("instant")) == (0, 18, 6)
    straight = profile("balanced").replace_from({"inversion.mode": "flowedit", "edit.skipped": 0.2})
    assert unet_forwards(straight) == (600, 0, 4 * 40), "source and target, each guided, and nothing inverted"
    assert unet_forwards(profile("faithful"))[2] == 140
    assert unet_forwards(profile("faithful"))[1] == pytest.approx(1_650 + 150, abs=160)


def test_planning_loads_no_torch(small_model: Path) -> None:
    script = "import sys, s2edit_server.planning, s2edit_server.weights.manager; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
