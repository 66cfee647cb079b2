"""The worker's small parts: pixels in files, settings, requests, errors, previews."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from s2edit_server import worker_link as link
from s2edit_server.worker import faults, frames, processors
from s2edit_server.worker.choices import settings_for
from s2edit_server.worker.processors import free_cores, physical_cores
from s2edit_server.worker.reporting import PREVIEW_SIDE, Reporter, small
from s2edit_server.worker.requests import carried_word, edit_request, read_inputs
from s2edit_wire.errors import CODES, WireError
from s2edit_wire.frames import check_entry

from s2edit import errors
from s2edit.errors import SettingError
from s2edit.requests import Progress

EDIT: dict[str, Any] = {
    "kind": "edit",
    "model": "m",
    "profile": "balanced",
    "source": "a man",
    "target": "a man with a hat",
    "objects": [{"word": "man", "masked": True}],
    "seed": 7,
}


def as_file(folder: Path, role: str, pixels: np.ndarray, index: int = 0) -> link.FrameFile:
    path = folder / f"{role}{index}"
    pixels.tofile(path)
    height, width, channels = pixels.shape
    name = f"{pixels.dtype.kind}{pixels.dtype.itemsize}"
    space = "mask" if role.endswith("mask") else "srgb"
    return link.FrameFile(role, (height, width, channels), name, space, pixels.nbytes, str(path), index)


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_frames_go_through_files_unchanged(tmp_path: Path, dtype: str, channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (5, 7, channels)).astype(dtype)
    read = frames.read(as_file(tmp_path, "image", pixels))
    assert read.dtype == pixels.dtype and np.array_equal(read, pixels) and not read.flags.writeable
    written = frames.write(tmp_path, "patch", pixels)
    assert Path(written.path).read_bytes() == pixels.tobytes()
    check_entry(
        {name: getattr(written, name) for name in ("role", "dtype", "space", "nbytes")} | {"shape": [5, 7, channels]}
    )
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".partial"] == []


@pytest.mark.parametrize(("dtype", "full"), [("u1", 255), ("u2", 65_535), ("f4", 1.0)])
def test_masks_of_every_depth_become_bytes(tmp_path: Path, dtype: str, full: float) -> None:
    mask = np.array([[[0], [full]], [[full / 2], [full]]]).astype(dtype)
    read = frames.read_mask(as_file(tmp_path, "object_mask", mask))
    assert read.dtype == np.uint8 and read.tolist()[0] == [0, 255] and read[1, 0] in (127, 128)


def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    file = as_file(tmp_path, "image", np.zeros((4, 4, 3), np.uint8))
    Path(file.path).write_bytes(b"short")
    with pytest.raises(WireError):
        frames.read(file)


def test_samples_that_are_no_number_are_refused(tmp_path: Path) -> None:
    pixels = np.full((4, 4, 3), np.nan, np.float32)
    with pytest.raises(WireError) as failure:
        frames.read_image(as_file(tmp_path, "image", pixels))
    assert failure.value.code == "bad_image"


def test_an_edit_becomes_the_methods_request(tmp_path: Path) -> None:
    mask = np.zeros((8, 6, 1), np.uint8)
    mask[2:4] = 255
    files = [as_file(tmp_path, "image", np.zeros((8, 6, 4), np.uint16)), as_file(tmp_path, "object_mask", mask)]
    edit = {**EDIT, "guidance": 5, "settings": {"blend.feather": 3, "edit.guidance": 4.0}}
    run = link.Run("j", 1, edit, link.Model("m", str(tmp_path)), files, str(tmp_path))
    request = edit_request(run, read_inputs(files))
    assert (request.source, request.target, request.seed) == ("a man", "a man with a hat", 7)
    assert request.image.shape == (8, 6, 4) and request.image.dtype == np.uint16
    assert request.objects[0].mask is not None and request.objects[0].mask.sum() == 2 * 6 * 255
    assert request.edit_mask is None
    assert request.settings.blend.feather == 3.0 and request.settings.edit.guidance == 4.0


def test_recommended_settings_and_the_lower_level(tmp_path: Path) -> None:
    (tmp_path / "recommended.json").write_text(json.dumps({"identity": {"steps": 9}, "guidance": 3.5}))
    settings = settings_for(EDIT, tmp_path)
    assert (settings.identity.steps, settings.edit.guidance, settings.identity.level) == (9, 3.5, "auto")
    assert settings_for(EDIT, tmp_path / "weights.safetensors").identity.steps == 9
    assert settings_for(EDIT, tmp_path, lower=True).identity.level == "kv"
    assert settings_for({**EDIT, "profile": "faithful"}, tmp_path).identity.level == "full"
    assert settings_for({**EDIT, "profile": "faithful"}, tmp_path, lower=True).identity.level == "checkpointing"
    assert settings_for({**EDIT, "settings": {"identity.level": "lora"}}, tmp_path, lower=True).identity.level == "lora"
    for part, config in (
        ("transformer", {"_class_name": "Flux2Transformer2DModel"}),
        ("text_encoder", {"model_type": "qwen3"}),
    ):
        (tmp_path / part).mkdir()
        (tmp_path / part / "config.json").write_text(json.dumps(config))
    automatic = {**EDIT, "settings": {"identity.level": "auto"}}
    assert settings_for(automatic, tmp_path, lower=True).identity.level == "lora", "a flow model has no other"


@pytest.mark.parametrize("settings", [{"blend.fether": 1}, {"edit.guidance": "much"}, {"identity.steps": -1}])
def test_a_wrong_setting_is_named(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=next(iter(settings))) as failure:
        settings_for({**EDIT, "settings": settings}, tmp_path)
    assert faults.to_wire(failure.value).code == "bad_setting"


def test_every_error_of_the_method_has_a_code_on_the_wire() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.S2EditError)]
    for kind in kinds:
        if kind is errors.S2EditError:
            continue
        error = kind(None, None, "full") if kind is errors.OutOfMemory else kind("A sentence.")
        code = faults.to_wire(error).code
        assert code in CODES and code != "internal", kind


def test_out_of_memory_is_recognised_with_its_figures() -> None:
    cuda = RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 1.5 GiB free.")
    cpu = RuntimeError(
        "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes. Error 12"
    )
    for error in (cuda, cpu, MemoryError()):
        assert faults.to_wire(error).code == "out_of_memory"
    assert "tried to allocate 2.00 GiB" in faults.to_wire(cuda).message
    assert faults.to_wire(OSError(errno.ENOSPC, "no space")).code == "disk_full"


def test_an_unforeseen_error_says_nothing_about_paths() -> None:
    wire = faults.to_wire(ValueError("/home/someone/secret"))
    assert wire.code == "internal" and "secret" not in wire.message + wire.hint


def test_previews_are_small_and_seldom() -> None:
    said: list[link.Report] = []

    class Line:
        def say(self, report: link.Report) -> None:
            said.append(report)

    report = Reporter(Line(), "j")  # type: ignore[arg-type]
    for step in range(5):
        report(Progress("editing", step, 5, np.zeros((400, 800, 3), np.uint8)))
    previews = [entry.preview for entry in said if isinstance(entry, link.Progress)]
    assert len(previews) == 5 and previews[1:] == [None] * 4
    assert previews[0] is not None and previews[0].shape == (PREVIEW_SIDE // 2, PREVIEW_SIDE, 3)
    assert len(previews[0].data) == PREVIEW_SIDE // 2 * PREVIEW_SIDE * 3
    assert small(np.zeros((10, 20, 3), np.uint8)).shape == (10, 20, 3)


def test_a_core_that_another_program_uses_gets_no_thread(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    second = os.sysconf("SC_CLK_TCK")
    clock = [100.0]

    def rest(seconds: float, taken: float) -> None:
        clock[0] += seconds
        busy, idle = round(second * seconds * taken), 10**6
        stat.write_text(
            f"cpu {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 {busy} 0 0 {idle} 9 0 0 0 0 0\ncpu9 999 0 0 0 0 0 0 0\n"
        )

    monkeypatch.setattr(processors, "_TIMES", stat)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(processors, "_all_cores", lambda: 4)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    for taken, threads in ((0.0, 4), (0.5, 4), (1.0, 3), (2.0, 2), (7.0, 1)):
        rest(0, 0)
        monkeypatch.setattr("time.sleep", lambda seconds, taken=taken: rest(seconds, taken))
        assert free_cores() == threads
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # two workers on four cores: what the other takes is no loss
    for taken, threads in ((2.0, 2), (3.0, 1)):
        rest(0, 0)
        monkeypatch.setattr("time.sleep", lambda seconds, taken=taken: rest(seconds, taken))
        assert free_cores() == threads
    monkeypatch.delenv("OMP_NUM_THREADS")
    stat.unlink()
    assert free_cores() == 4, "a system that doesn't tell"


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert physical_cores() >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert physical_cores() == 1


def test_the_word_that_a_composition_carries_over() -> None:
    edit = {"source": "a lady", "reference_prompt": "a model with red makeup", "target": "a lady with red makeup"}
    assert carried_word(edit) == "makeup"
    with pytest.raises(WireError) as failure:
        carried_word({**edit, "target": "a lady with a hat"})
    assert failure.value.code == "bad_prompt"


def test_gray_and_deep_pictures_can_be_looked_at() -> None:
    gray = np.full((2, 2, 2), 65_535, np.uint16)
    assert frames.to_rgb8(gray).tolist() == [[[255] * 3] * 2] * 2
    assert frames.to_rgb8(np.full((1, 1, 4), 0.5, np.float32)).tolist() == [[[128] * 3]]
