"""The engine on a tiny checkpoint: what it hands back, and that it can be stopped anywhere."""

from __future__ import annotations

import dataclasses
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from s2edit.engine import ComposeRequest, EditRequest, Engine, ObjectSpec
from s2edit.errors import (
    Cancelled,
    CheckpointError,
    ImageError,
    MaskError,
    OutOfMemory,
    PromptError,
    SettingError,
)
from s2edit.model.levels import memory_plan
from s2edit.requests import Progress
from s2edit.settings import AUTOMATIC, Settings

Array = np.ndarray[Any, Any]


def test_edit(engine: Engine, request_: EditRequest, mask: Array) -> None:
    seen: list[Progress] = []
    result = engine.edit(request_, seen.append)
    assert result.patch.shape == (72, 96, 3)
    assert result.patch.dtype == result.alpha.dtype == np.uint8
    assert np.array_equal(result.alpha > 0, mask > 0)
    assert np.array_equal(result.object_mask, mask)
    assert result.box == (30, 20, 40, 30)
    record = json.loads(json.dumps(result.record))
    assert record["unet_forwards"] == {"identity": 2, "inversion": 4, "editing": 11}
    assert record["cached"] == {"identity": False, "inversion": False}
    assert record["model_size"] == [64, 64]
    assert list(record["phases"]) == ["loading", "identity", "inversion", "editing", "compositing"]
    assert len(record["model_hash"]) == 64
    assert [p.phase for p in seen if p.step == p.total] == list(record["phases"])
    previews = [p.preview for p in seen if p.preview is not None]
    assert previews
    assert previews[0].shape == (64, 64, 3)


def test_nothing_is_decoded_for_previews_that_nobody_sees(
    engine: Engine, request_: EditRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[int] = []
    monkeypatch.setattr("s2edit.previews.Previews.at", lambda self, index, clean: decoded.append(index))
    engine.edit(request_)
    assert not decoded
    engine.edit(request_, lambda progress: None)
    assert decoded


def test_the_level_is_what_the_device_has_room_for(
    tiny_folder: Path,
    tmp_path: Path,
    request_: EditRequest,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is said before learning begins; what was learned stays in use, in other engines too, when less is free."""

    def level(engine: Engine, free: int, seed: int) -> tuple[str, bool]:
        monkeypatch.setattr("s2edit.engine.free_bytes", lambda _device: free)
        settings = request_.settings.replace_from({"identity.level": "auto"})
        record = engine.edit(dataclasses.replace(request_, settings=settings, seed=seed)).record
        return record["settings"]["identity"]["level"], record["cached"]["identity"]

    engine = Engine(tiny_folder, device="cpu", cache_dir=tmp_path / "cache", threads=1)
    plans = [memory_plan(engine._loaded().checkpoint, (64, 64), level) for level in AUTOMATIC]
    room = plans[AUTOMATIC.index("kv")].total - plans[0].weights
    with caplog.at_level(logging.INFO):
        assert level(engine, room, 1) == ("kv", False)
    assert "learning at level kv" in caplog.text
    assert level(engine, 1 << 40, 2) == ("full", False)
    assert level(engine, room, 2) == ("full", True)
    assert level(Engine(tiny_folder, device="cpu", cache_dir=tmp_path / "cache"), room, 2) == ("full", True)
    assert level(engine, 0, 3) == ("full", False), "a system that doesn't tell"
    with pytest.raises(OutOfMemory, match="“lora” needs"):
        level(engine, 1 - plans[0].weights, 4)
    request_ = dataclasses.replace(request_, settings=request_.settings.replace_from({"identity.enabled": False}))
    assert level(engine, 1 - plans[0].weights, 4) == ("full", False), "nothing is learned, so nothing has to fit"


@pytest.mark.parametrize("phase", ["loading", "identity", "inversion", "editing", "compositing"])
def test_cancel_is_seen_in_every_phase(engine: Engine, request_: EditRequest, phase: str) -> None:
    now = ""

    def listen(progress: Progress) -> None:
        nonlocal now
        now = progress.phase

    with pytest.raises(Cancelled):
        engine.edit(request_, listen, lambda: now == phase)
    fresh = engine.edit(dataclasses.replace(request_, seed=9))
    again = Engine(engine._path, device="cpu").edit(dataclasses.replace(request_, seed=9))
    assert np.abs(fresh.patch.astype(int) - again.patch).max() <= 1, (
        "a cancelled fine-tuning must leave nothing in the weights"
    )


def test_cancel_is_seen_while_another_process_learns(engine: Engine, request_: EditRequest) -> None:
    cache = engine._cache
    assert cache is not None
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 8

    locks = [cache.lock(f"{number:02x}") for number in range(256)]
    for lock in locks:
        lock.acquire()
    with pytest.raises(Cancelled):
        engine.edit(request_, cancelled=cancelled)
    for lock in locks:
        lock.release()
    assert engine.edit(request_).record["cached"]["identity"] is False


@pytest.mark.parametrize(("mode", "forwards"), [("null_text", 2 * 4 + 3), ("npi", 3 * 4)])
def test_other_inversions(engine: Engine, request_: EditRequest, mode: str, forwards: int) -> None:
    settings = request_.settings.replace_from({"inversion.mode": mode, "inversion.inner_steps": 2})
    result = engine.edit(dataclasses.replace(request_, settings=settings))
    assert result.record["unet_forwards"]["editing"] == forwards


def test_several_objects(engine: Engine, request_: EditRequest, mask: Array) -> None:
    other = np.zeros_like(mask)
    other[5:15, 5:15] = 255
    request = dataclasses.replace(
        request_,
        source="a lady and a dog",
        target="a lady and a dog with a hat",
        objects=(ObjectSpec("lady", mask), ObjectSpec("dog", other)),
    )
    result = engine.edit(request)
    assert np.array_equal(result.alpha > 0, (mask | other) > 0)
    edit_mask = np.roll(mask, 4)
    bounded = engine.edit(dataclasses.replace(request, edit_mask=edit_mask))
    assert np.array_equal(bounded.alpha > 0, edit_mask > 0)
    assert bounded.record["cached"]["identity"]


def test_a_word_can_be_reweighted_and_nothing_else(engine: Engine, request_: EditRequest) -> None:
    """The same prompt twice and no mask: the reweighted word's attention says where."""
    settings = request_.settings.replace_from({"edit.emphasize.smiling": 3})
    prompt = "a smiling lady"
    request = dataclasses.replace(
        request_, source=prompt, target=prompt, objects=(ObjectSpec("lady"),), settings=settings
    )
    assert engine.edit(request).alpha.any()


def test_compose(engine: Engine, picture: Array, mask: Array, quick: Settings) -> None:
    request = ComposeRequest(
        picture,
        np.ascontiguousarray(picture[::-1, :80]),
        "a lady",
        "a model with makeup",
        "a lady with makeup",
        "lady",
        "makeup",
        mask=mask,
        settings=quick,
    )
    result = engine.compose(request)
    assert np.array_equal(result.alpha > 0, mask > 0)
    assert result.record["unet_forwards"]["identity"] > 2 * quick.identity.steps
    assert engine.compose(request).record["cached"] == {"identity": True, "inversion": True}
    with pytest.raises(PromptError, match="“beard”"):
        engine.compose(dataclasses.replace(request, attribute="beard"))


def test_compose_without_masks(engine: Engine, picture: Array, quick: Settings) -> None:
    """The object, the attribute and the place of the change are all found by attention."""
    request = ComposeRequest(
        picture, picture[::-1], "a lady", "a model with makeup", "a lady with makeup", "lady", "makeup", settings=quick
    )
    result = engine.compose(request)
    assert result.alpha.any()
    assert result.object_mask.any()
    assert result.record["unet_forwards"]["identity"] == 2 * (7 + quick.identity.steps)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"edit.emphasize.beard": 2}, "“beard” is not in the prompt"),
        ({"edit.mode": "replace"}, "as many words"),
        ({"identity.enabled": False}, "nothing is learned"),
    ],
)
def test_a_composition_passes_over_no_setting(
    engine: Engine, picture: Array, quick: Settings, change: dict[str, Any], error: str
) -> None:
    request = ComposeRequest(
        picture,
        picture,
        "a lady",
        "a model with makeup",
        "a lady with makeup",
        "lady",
        "makeup",
        settings=quick.replace_from(change),
    )
    with pytest.raises((PromptError, SettingError), match=error):
        engine.compose(request)


def test_automatic_mask(engine: Engine, picture: Array) -> None:
    found = engine.automatic_mask(picture, "a lady with a hat", "hat")
    assert found.shape == picture.shape[:2]
    assert set(np.unique(found)) <= {0, 255}
    assert found.any()
    with pytest.raises(PromptError):
        engine.automatic_mask(picture, "a lady", "hat")


def test_a_mask_with_nothing_inside_is_an_error(engine: Engine, request_: EditRequest) -> None:
    """Else [I] would act nowhere, and all learning would be for nothing."""
    settings = request_.settings.replace_from({"edit.mask_threshold": 1.0})
    with pytest.raises(MaskError, match="no place for “lady”"):
        engine.edit(dataclasses.replace(request_, objects=(ObjectSpec("lady"),), settings=settings))


def test_what_diverges_is_said_and_not_kept(engine: Engine, request_: EditRequest, tmp_path: Path) -> None:
    settings = request_.settings.replace_from({"identity.learning_rate": 1, "identity.steps": 12})
    with pytest.raises(SettingError, match="failed at step"):
        engine.edit(dataclasses.replace(request_, settings=settings))
    assert not list((tmp_path / "cache").glob("*.safetensors"))
    assert engine.edit(request_).alpha.any(), "the next edit starts from the published weights"


def test_automatic_masks_in_an_edit(engine: Engine, request_: EditRequest) -> None:
    result = engine.edit(dataclasses.replace(request_, objects=(ObjectSpec("lady"),)))
    assert result.object_mask.any()
    assert result.record["unet_forwards"]["identity"] == 2 + 7


def test_without_identity(engine: Engine, request_: EditRequest) -> None:
    settings = request_.settings.replace_from({"identity.enabled": False})
    result = engine.edit(dataclasses.replace(request_, settings=settings))
    assert result.record["unet_forwards"]["identity"] == 0


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"target": "a lady"}, PromptError),
        ({"source": ""}, PromptError),
        ({"objects": ()}, PromptError),
        ({"objects": (ObjectSpec("dog"),)}, PromptError),
        ({"objects": (ObjectSpec("lady", np.ones((3, 3), np.uint8)),)}, MaskError),
        ({"edit_mask": np.zeros((72, 96), np.uint8)}, MaskError),
        ({"image": np.zeros((72, 96), np.uint8)}, ImageError),
        ({"settings": dataclasses.replace(Settings(), native_size=-5)}, SettingError),
    ],
)
def test_wrong_requests(engine: Engine, request_: EditRequest, change: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        engine.edit(dataclasses.replace(request_, **change))
    assert "\n" not in str(caught.value)


def test_wrong_checkpoints(tmp_path: Path, request_: EditRequest) -> None:
    with pytest.raises(CheckpointError, match="no model"):
        Engine(tmp_path / "nothing", device="cpu").edit(request_)
    (tmp_path / "model.ckpt").write_bytes(b"\x80pickle")
    with pytest.raises(CheckpointError, match="safetensors"):
        Engine(tmp_path / "model.ckpt", device="cpu").edit(request_)
    with pytest.raises(SettingError):
        Engine(tmp_path, device="gpu7")


def test_weights_come_back(engine: Engine, request_: EditRequest) -> None:
    engine.automatic_mask(request_.image, "a lady", "lady")
    stages = engine._stages
    assert stages is not None
    before = {name: weight.clone() for name, weight in stages.checkpoint.network.named_parameters()}
    engine.edit(request_)
    assert any(not torch.equal(weight, before[name]) for name, weight in stages.checkpoint.network.named_parameters())
    stages.restore()
    assert all(torch.equal(weight, before[name]) for name, weight in stages.checkpoint.network.named_parameters())
    assert engine.memory()["used"] > 0
