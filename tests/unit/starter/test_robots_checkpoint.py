"""The second domain's checkpoint: it opens as the portraits' does, draws what is asked, and a fresh robot is edited."""

from __future__ import annotations

import warnings
from itertools import count

import pytest
import torch

from s2edit.research.baselines import Workbench
from s2edit.research.evaluation import bench, runner
from s2edit.research.evaluation.cases import TEST_FIRST, Case
from s2edit.research.evaluation.methods import METHODS
from s2edit.research.starter import classify, recommended, weights_folder
from s2edit.research.starter.robots import ROBOTS
from s2edit.research.training.assess import decode, denoise
from tests.fakes.tiny import one_thread

__all__ = ["one_thread"]

FOLDER = weights_folder("robots")


@pytest.fixture(scope="module")
def pipeline() -> object:
    with warnings.catch_warnings():
        # diffusers imports image processors that warn about torchvision, which nothing here needs.
        warnings.simplefilter("ignore")
        from diffusers import StableDiffusionPipeline

        return StableDiffusionPipeline.from_pretrained(str(FOLDER), local_files_only=True, dtype=torch.float32)


def test_it_draws_the_robots_that_it_is_asked_for(pipeline: object) -> None:
    """Two robots from the same noise: the prompt, not the noise, must decide what they are."""
    noise = torch.randn((1, 4, 16, 16), generator=torch.Generator().manual_seed(3)).repeat(2, 1, 1, 1)
    asked = [("orange", "green"), ("blue", "yellow")]
    prompts = [f"a smiling {color} robot with big eyes on a {wall} background" for color, wall in asked]
    pictures = decode(pipeline, denoise(pipeline, noise, prompts, steps=12, guidance=4.5))
    seen = [classify(picture, ROBOTS) for picture in pictures]
    assert [(found["color"], found["background"]) for found in seen] == asked


def test_sizes_and_formats() -> None:
    files = [file for file in FOLDER.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 40e6
    assert {file.suffix for file in files} <= {".json", ".txt", ".md", ".safetensors"}, "no pickle, no code"
    assert recommended("robots")["domain"] == ROBOTS.name


def test_a_fresh_robot_is_repainted() -> None:
    """Gray to orange, by the method as it is recommended but with a third of its steps."""
    (edit,) = (edit for edit in ROBOTS.edits if edit.name == "gray robot to orange")
    seed = next(seed for seed in count(TEST_FIRST + 500_000) if edit.needs(ROBOTS.sample(seed)))
    case = Case(edit, seed, painted=True, domain=ROBOTS)
    few = {"identity.steps": 24, "inversion.steps": 14}
    settings = METHODS["s2edit"].settings("balanced", recommended("robots"), few)
    workbench = Workbench(FOLDER, device="cpu", threads=1)
    result = workbench.edit(runner.request_of(case, settings))
    score = bench.judge(case, "s2edit", runner.over(case.image, result))
    untouched = bench.judge(case, "source", case.image)
    assert score.reached == 1
    assert score.psnr_inside > untouched.psnr_inside + 1
    assert score.psnr_outside > 25
