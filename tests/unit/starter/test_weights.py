"""The shipped checkpoint: opens offline by itself, is small, and its recommended settings are settings."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

from s2edit.profiles import profile
from s2edit.research.starter import recommended, weights_folder
from s2edit.research.starter.attributes import TRAINING_SEED_LIMIT, sample_attributes
from s2edit.research.training.assess import Shown, decode, denoise, generation, save_grid

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def pipeline() -> object:
    torch.set_num_threads(1)
    with warnings.catch_warnings():
        # diffusers imports image processors that warn about torchvision, which nothing here needs.
        warnings.simplefilter("ignore")
        from diffusers import StableDiffusionPipeline

        folder = str(weights_folder())
        return StableDiffusionPipeline.from_pretrained(folder, local_files_only=True, dtype=torch.float32)


def test_it_opens_as_a_stable_diffusion_pipeline_and_draws_what_is_asked(pipeline: object) -> None:
    """Two walls from the same noise: the prompt, not the noise, must decide which is the bluer one."""
    noise = torch.randn((1, 4, 16, 16), generator=torch.Generator().manual_seed(3)).repeat(2, 1, 1, 1)
    prompts = [f"a smiling man on a {paint} background" for paint in ("blue", "yellow")]
    pictures = decode(pipeline, denoise(pipeline, noise, prompts, steps=12, guidance=4.5))
    assert pictures.shape == (2, 128, 128, 3)
    corners = pictures[:, :20, :20].reshape(2, -1, 3).astype(float).mean(axis=1)
    blueness = corners[:, 2] - corners[:, 0]
    assert blueness[0] > blueness[1] + 30, corners


def test_sizes_and_formats() -> None:
    files = [file for file in weights_folder().rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 40e6
    assert max(file.stat().st_size for file in files) < 20e6
    assert {file.suffix for file in files} <= {".json", ".txt", ".md", ".safetensors"}, "no pickle, no code"
    scheduler = json.loads((weights_folder() / "scheduler" / "scheduler_config.json").read_text("utf-8"))
    assert scheduler["steps_offset"] == 1
    assert scheduler["prediction_type"] == "epsilon"


def test_weights_are_finite_half_precision(pipeline: object) -> None:
    from safetensors.numpy import load_file

    for file in weights_folder().rglob("*.safetensors"):
        for name, value in load_file(file).items():
            assert value.dtype in (np.float16, np.int64), (file.name, name)
            assert np.isfinite(value).all(), (file.name, name)


@pytest.mark.parametrize("name", ["faithful", "balanced", "fast", "instant"])
def test_recommended_settings_are_taken(name: str) -> None:
    settings = profile(name, recommended())
    assert settings.native_size == 128
    assert settings.edit.self_replace_max_queries == 64
    assert settings.identity.learning_rate > 2e-6, "the paper's rate is Stable Diffusion's, too small for these weights"


def test_an_assessment_tells_what_was_asked_for_by_name() -> None:
    """One of two men gets no glasses, and a long beard for a beard; neither is asked for a hat, nor has one."""
    shown = Shown(
        fields={"accessory": [False, True], "facial_hair": [False, True], "hat": [True, True]},
        named={
            ("accessory", "glasses"): [None],
            ("facial_hair", "beard"): ["long beard"],
            ("facial_hair", "long beard"): ["long beard"],
        },
        pictures=np.zeros((2, 8, 8, 3), np.uint8),
        captions=["a man with a beard and glasses", "a man with a long beard"],
    )
    assert [" ".join(line.split()) for line in shown.lines()] == [
        "shown accessory 0.50; by name 0.00 of 1: glasses 0.00 of 1",
        "shown facial_hair 0.50; by name 0.50 of 2: beard 0.00 of 1, long beard 1.00 of 1, any beard 1.00 of 2",
        "shown hat 1.00",
        "shown on average 0.67; by name 0.25",
    ]


def test_grids_hold_any_number_of_pictures(tmp_path: Path) -> None:
    pictures = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((8, 8, 3), np.uint8)
    save_grid(tmp_path / "grid.png", pictures, 2)
    with Image.open(tmp_path / "grid.png") as opened:
        sheet = np.asarray(opened)
    assert sheet.shape == (16, 16, 3)
    assert [sheet[at][0] for at in ((0, 0), (0, 8), (8, 0), (8, 8))] == [0, 1, 2, 255]


def test_generation_counts_by_field_and_by_name(pipeline: object) -> None:
    shown = generation(pipeline, 3, steps=2)
    assert shown.pictures.shape == (3, 128, 128, 3)
    assert all(len(hits) <= 3 for hits in shown.fields.values())
    things = [sample_attributes(TRAINING_SEED_LIMIT + 500_000 + number) for number in range(3)]
    expected = {("accessory", thing.accessory) for thing in things if thing.accessory != "none"}
    assert {key for key in shown.named if key[0] == "accessory"} == expected
