"""An instruction model inside S²Edit's shell: exact outside the mask, laid over its source, refused plainly."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import Flux2KleinPipeline
from numpy.typing import NDArray
from PIL import Image

from s2edit.engine import Engine
from s2edit.errors import Cancelled, CheckpointError, ImageError, PromptError, S2EditError, SettingError
from s2edit.instruct import InstructEngine, laid_in, open_engine
from s2edit.job import Job
from s2edit.model.instructed import INSTRUCTED, KLEIN_EDIT, instructed_of
from s2edit.model.instructed_counts import counts
from s2edit.model.instructed_weights import load_pipelines
from s2edit.picture import imaging
from s2edit.profiles import profile
from s2edit.requests import ComposeRequest, EditRequest, EditResult, ObjectSpec, Progress
from tests.fakes.distorted import Distortion, as_tensor, photographs, tinted
from tests.fakes.tiny_klein import NATIVE, build_klein_edit
from tests.parity.tiny_flow import TEMPLATE

SETTINGS = profile("balanced", {"native_size": NATIVE})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_klein_edit(tmp_path_factory.mktemp("klein"))


@pytest.fixture(scope="module")
def engine(folder: Path) -> InstructEngine:
    found = open_engine(folder, device="cpu", cache_dir=None, cache_quota=None, compiled=False)
    assert isinstance(found, InstructEngine)
    return found


def request(dtype: str = "uint8", **changes: Any) -> EditRequest:
    """A photograph with a painted box, 16 bits where asked."""
    image = next(photographs())[:150, :200]
    if dtype == "uint16":
        image = image.astype(np.uint16) * np.uint16(257)
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[40:100, 60:140] = 255
    asked = EditRequest(image, "", "add sunglasses", (), mask, SETTINGS, 3)
    return replace(asked, **changes)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_outside_the_mask_nothing_changes(engine: InstructEngine, dtype: str) -> None:
    asked = request(dtype)
    seen: list[Progress] = []
    result = engine.edit(asked, seen.append)
    assert asked.edit_mask is not None
    assert not result.alpha[asked.edit_mask == 0].any()
    assert result.alpha.max() > 0
    assert result.patch.dtype == asked.image.dtype
    steps = [report.step for report in seen if report.phase == "editing"]
    assert steps == [0, 1, 2, 3, 4, 4]
    record = json.loads(json.dumps(result.record))
    assert record["engine"] == "instruct"
    assert record["registration"]["matched"] is False  # random weights draw nothing that could be laid over
    assert record["model_size"] == [112, 144]


def test_same_seed_same_pixels(engine: InstructEngine) -> None:
    one, again, other = (engine.edit(request(seed=seed)) for seed in (1, 1, 2))
    assert np.array_equal(one.patch, again.patch)
    assert not np.array_equal(one.patch, other.patch)


def test_what_is_drawn_is_what_diffusers_own_pipeline_draws(folder: Path) -> None:
    """The two halves, with Qwen3's template written out, against the whole pipeline with the tokenizer's own."""
    words, draws = load_pipelines(folder, KLEIN_EDIT, torch.float32)
    words.tokenizer.chat_template = TEMPLATE
    whole = Flux2KleinPipeline(
        draws.scheduler, draws.vae, words.text_encoder, words.tokenizer, draws.transformer, is_distilled=True
    )
    whole.set_progress_bar_config(disable=True)
    engine = InstructEngine(folder, KLEIN_EDIT, device="cpu", dtype="float32")
    asked = request()
    shown = imaging.model_input(asked.image, (96, 128))
    wanted = whole(
        image=Image.fromarray(imaging.preview(shown)),
        prompt=asked.target,
        num_inference_steps=4,
        guidance_scale=1.0,
        generator=torch.Generator().manual_seed(asked.seed),
        output_type="latent",
    ).images
    with torch.inference_mode():
        drawn = engine._drawn(engine._load(), asked, shown, Job(lambda _: None, lambda: False))
    assert torch.allclose(drawn, wanted, atol=1e-5)


def test_on_a_small_card_one_half_of_the_model_is_there_at_a_time(
    engine: InstructEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = engine.edit(request())
    model = engine._load()
    moved: list[tuple[str, str]] = []
    for name in ("words", "draws"):
        pipeline, move = getattr(model, name), getattr(model, name).to

        def to(where: Any, name: str = name, move: Any = move) -> Any:
            moved.append((name, "away" if where == "cpu" else "there"))
            return move(where)

        monkeypatch.setattr(pipeline, "to", to)
    monkeypatch.setattr(engine, "_fit_together", lambda _: False)
    assert np.array_equal(engine.edit(request()).patch, wanted.patch)
    assert moved == [("draws", "away"), ("words", "there"), ("words", "away"), ("draws", "there")]


def test_references_are_seen(engine: InstructEngine) -> None:
    other = np.ascontiguousarray(next(photographs())[:90, 200:400])
    plain, with_one, with_three = (engine.edit(request(references=(other,) * count)) for count in (0, 1, 3))
    assert not np.array_equal(plain.patch, with_one.patch)
    assert not np.array_equal(with_one.patch, with_three.patch)
    assert with_three.record["references"] == 3


def test_a_cancel_comes_between_steps_and_the_engine_goes_on(engine: InstructEngine) -> None:
    steps: list[int] = []

    def note(report: Progress) -> None:
        if report.phase == "editing":
            steps.append(report.step)

    with pytest.raises(Cancelled):
        engine.edit(request(), note, lambda: bool(steps) and steps[-1] == 2)
    assert max(steps) == 2
    assert engine.edit(request()).alpha.any()


NARROW = np.zeros((10, 90, 3), np.uint8)


@pytest.mark.parametrize(
    ("changes", "kind", "says"),
    [
        ({"target": "  "}, PromptError, "no instruction"),
        ({"source": "a woman"}, PromptError, "one instruction"),
        ({"objects": (ObjectSpec("woman"),)}, PromptError, "one instruction"),
        ({"target": "add sunglasses, please, " * 200}, PromptError, "too long"),
        ({"references": (np.zeros((9, 9, 3), np.uint8),) * 4}, ImageError, "At most 3"),
        ({"references": (NARROW,)}, ImageError, "longer than wide"),
        ({"references": (np.zeros((9, 9), np.uint8),)}, ImageError, "reference picture"),
        ({"edit_mask": None}, ImageError, "answer"),
        ({"image": np.zeros((1, 1, 3), np.uint8), "edit_mask": None}, ImageError, "."),
    ],
)
def test_what_cannot_be_met_is_said(engine: InstructEngine, changes: dict[str, Any], kind: type, says: str) -> None:
    with pytest.raises(kind, match=says) as raised:
        engine.edit(request(**changes))
    assert isinstance(raised.value, S2EditError)
    assert raised.value.hint


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (64, 64), (600, 40)])
def test_pictures_of_any_size_are_edited_below_a_mask(engine: InstructEngine, size: tuple[int, int]) -> None:
    image = np.zeros((*size, 3), np.uint8)
    result = engine.edit(request(image=image, edit_mask=np.full(size, 255, np.uint8)))
    assert result.patch.shape == image.shape


def test_what_it_has_no_answer_to_is_refused(engine: InstructEngine) -> None:
    image = request().image
    with pytest.raises(SettingError, match="no composition"):
        engine.compose(ComposeRequest(image, image, "a", "b", "c", "a", "b"))
    with pytest.raises(SettingError, match="find an object"):
        engine.automatic_mask(image, "a woman", "woman")


def laid(asked: EditRequest, truth: NDArray[np.uint8], number: int) -> EditResult:
    """What comes of an answer that shows the truth, but moved and tinted; the picture is 1.5 times the model's size."""
    size = (asked.image.shape[0] * 2 // 3, asked.image.shape[1] * 2 // 3)
    rng = np.random.default_rng(number)
    shown = as_tensor(asked.image, size)
    answer = tinted(Distortion.drawn(rng).laid(as_tensor(truth, size)), rng)
    return laid_in(asked, shown, shown, answer)


@pytest.mark.parametrize("painted", [True, False])
@pytest.mark.parametrize("number", range(4))
def test_a_shifted_answer_changes_only_what_was_asked(number: int, painted: bool) -> None:
    """What a loose mask covers beyond the edit stays, and so does everything else where nothing is painted."""
    shots = list(photographs())
    image, other = shots[number % 2], shots[1 - number % 2]
    truth = image.copy()
    truth[120:180, 160:240] = other[120:180, 160:240]
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[80:230, 110:300] = 255
    result = laid(request(image=image, edit_mask=mask if painted else None), truth, number)
    assert result.record["registration"]["matched"]
    share = result.alpha[..., None] / 255
    composed = image * (1 - share) + result.patch * share
    changed = np.zeros(image.shape[:2], bool)
    changed[112:188, 152:248] = True
    if painted:
        assert not result.alpha[mask == 0].any()
    kept = np.abs(composed - image)[~changed]
    asked = np.abs(composed - truth)[128:172, 168:232]
    assert np.sqrt((kept**2).mean()) < 5
    assert np.median(asked) < 0.5 * np.median(np.abs(image.astype(float) - truth)[128:172, 168:232])


def test_edges_that_a_shifted_answer_does_not_show_are_kept() -> None:
    image = next(photographs())
    height, width = image.shape[:2]
    shown = as_tensor(image, (height // 2, width // 2))
    answer = Distortion((0.0, 0.0), (0.0, 0.1)).laid(shown)
    result = laid_in(request(image=image, edit_mask=np.full((height, width), 255, np.uint8)), shown, shown, answer)
    assert not result.alpha[:, -width // 25 :].any()
    down, across = result.record["registration"]["shift"]
    assert abs(down) < 0.2 and across == pytest.approx(width / 20, abs=0.2)


def test_how_a_folder_is_told(folder: Path, tmp_path: Path, tiny_folder: Path) -> None:
    assert instructed_of(folder) is KLEIN_EDIT
    base = build_klein_edit(tmp_path / "base", distilled=False)
    assert [instructed_of(path) for path in (base, tiny_folder, tmp_path, tmp_path / "none")] == [None] * 4
    assert isinstance(open_engine(tiny_folder, device="cpu"), Engine)


@pytest.mark.parametrize("part", ["transformer", "vae", "text_encoder", "tokenizer", "scheduler"])
def test_a_missing_part_is_named(tmp_path: Path, part: str) -> None:
    broken = build_klein_edit(tmp_path / "klein")
    for file in (broken / part).iterdir():
        file.unlink()
    with pytest.raises(CheckpointError, match="klein") as raised:
        InstructEngine(broken, KLEIN_EDIT, device="cpu").edit(request())
    assert str(tmp_path) not in str(raised.value)


def test_only_safetensors_are_opened(tmp_path: Path) -> None:
    broken = build_klein_edit(tmp_path / "klein")
    weights = broken / "transformer" / "diffusion_pytorch_model.safetensors"
    torch.save({}, weights.with_suffix(".bin"))
    weights.unlink()
    with pytest.raises(CheckpointError, match="transformer is missing"):
        InstructEngine(broken, KLEIN_EDIT, device="cpu").edit(request())


@pytest.mark.parametrize("kind", INSTRUCTED.values(), ids=lambda kind: kind.key)
def test_the_published_figures_are_what_is_counted(kind: Any) -> None:
    found = counts(kind)
    assert kind.operations == pytest.approx(found["operations"], rel=0.01)
    assert kind.memory == {"instruction": found["total"]}
