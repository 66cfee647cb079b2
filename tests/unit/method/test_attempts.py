"""Guidance is raised while that changes much more of the picture, and no further."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from s2edit.attempts import GROWS, RAISED, Attempt, attempt
from s2edit.engine import EditRequest, Engine, ObjectSpec
from s2edit.job import Job
from s2edit.method.editing import Sampled
from s2edit.requests import never_cancelled, no_progress
from s2edit.settings import Settings
from s2edit.work import Work, smaller

Array = np.ndarray[Any, Any]
SIDE = 100


def settings_of(attempts: int, guidance: float) -> Settings:
    return Settings().replace_from({"edit.attempts": attempts, "edit.guidance": guidance})


class Model:
    """Its n-th attempt changes so many rows of the picture."""

    def __init__(self, rows: Sequence[int]) -> None:
        self.rows, self.asked = rows, list[float]()
        self.laid = 0

    def stage(self, settings: Settings, on_step: Callable[[int, Tensor], None]) -> Sampled:
        latent = torch.zeros(1, 3, SIDE, SIDE)
        latent[:, :, : self.rows[len(self.asked)]] = 1
        self.asked.append(settings.edit.guidance)
        on_step(0, latent)
        return Sampled(latent, None)

    def lay(self, decoded: Tensor, blend: Tensor | None) -> tuple[Array, Array]:
        assert blend is None
        self.laid += 1
        patch = (255 * decoded[0].permute(1, 2, 0).numpy()).astype(np.uint8)
        return patch, patch[..., 0]

    def attempted(self, settings: Settings, *, removal: bool = False) -> Attempt:
        checkpoint = cast(Any, SimpleNamespace(decode=lambda latent: latent))
        job = Job(no_progress, never_cancelled)
        return attempt(checkpoint, settings, self.stage, self.lay, job, removal=removal)


@pytest.mark.parametrize(
    ("rows", "made", "taken"),
    [
        ([50, 60, 99, 99, 99], 2, 0),
        ([0, 0, 0, 40, 41], 5, 3),
        ([0, 0, 0, 0, 0], 5, 4),
        ([1, 10, 20, 21, 90], 4, 2),
        ([10, 15, 22, 32, 50], 5, 4),
        ([60, 20], 2, 0),
        ([60, 0, 90], 2, 0),
        ([0, 60, 0], 3, 1),
        ([10, 13], 2, 0),
        ([10, 15], 2, 1),
    ],
)
def test_it_ends_where_more_guidance_changes_little_more(rows: list[int], made: int, taken: int) -> None:
    model = Model(rows)
    found = model.attempted(settings_of(len(rows), 1.5))
    assert model.asked == pytest.approx([1.5 * RAISED**number for number in range(made)])
    assert found.guidance == pytest.approx(model.asked[taken])
    assert found.changed == pytest.approx(rows[taken] / SIDE)


@pytest.mark.parametrize(("rows", "made"), [([3, 50, 90], 1), ([0, 0, 20, 90], 3), ([0, 0], 2)])
def test_a_removal_ends_with_the_first_attempt_that_does_anything(rows: list[int], made: int) -> None:
    model = Model(rows)
    found = model.attempted(settings_of(len(rows), 1.5), removal=True)
    assert len(model.asked) == made
    assert found.guidance == model.asked[-1]


def test_one_attempt_compares_nothing() -> None:
    model = Model([50])
    model.attempted(settings_of(1, 4))
    assert (model.asked, model.laid) == ([4], 0)


def test_the_limits_in_words() -> None:
    """What the table above relies on: 40 % more is not much more."""
    assert (GROWS, RAISED) == (0.4, 1.6)


def test_guidance_stays_in_its_range() -> None:
    model = Model([0, 0, 0])
    model.attempted(settings_of(4, 10))
    assert model.asked == [10, 16, 20]


@pytest.mark.parametrize(("side", "compared"), [(300, 300), (1023, 1023), (1024, 512), (1600, 534), (8000, 534)])
def test_attempts_are_compared_on_few_pixels(side: int, compared: int) -> None:
    mask = np.zeros((side, side + 64), np.uint8)
    mask[: side // 2] = 255
    work = Work(np.zeros((side, side + 64, 3), np.uint8), (), cast(Any, None), mask, Settings(), 0)
    found = smaller(work)
    assert found.image.shape[0] == compared
    assert found.edit_mask is not None and found.edit_mask.shape == found.image.shape[:2]
    assert found.edit_mask.mean() == pytest.approx(mask.mean(), rel=0.02)


@pytest.fixture
def request_(picture: Array, mask: Array, quick: Settings) -> EditRequest:
    settings = quick.replace_from({"edit.attempts": 3, "edit.guidance": 2})
    return EditRequest(picture, "a lady", "a lady with a hat", (ObjectSpec("lady", mask),), settings=settings, seed=5)


def test_the_record_says_what_was_taken_and_the_same_guidance_gives_the_same_edit(
    tiny_folder: Path, request_: EditRequest
) -> None:
    engine = Engine(tiny_folder, device="cpu", threads=1)
    found = engine.edit(request_)
    w = found.record["guidance"]
    assert w in (2, 2 * RAISED, 2 * RAISED**2)
    assert found.record["settings"]["edit"]["guidance"] == 2
    once = replace(request_, settings=request_.settings.replace_from({"edit.attempts": 1, "edit.guidance": w}))
    assert np.array_equal(engine.edit(once).patch, found.patch)


def test_the_words_say_that_something_is_only_taken_away(tiny_folder: Path, request_: EditRequest) -> None:
    engine = Engine(tiny_folder, device="cpu", threads=1)
    removal = replace(request_, source="a lady with a hat", target="a lady")
    found = engine.edit(removal)
    assert found.alpha.any()
    assert found.record["guidance"] == 2


def test_null_text_knows_one_guidance() -> None:
    """A recipe of a checkpoint that recommends attempts is no error then, and says what is made."""
    settings = Settings().replace_from({"inversion.mode": "null_text", "edit.attempts": 4})
    assert settings.attempts == 1
    model = Model([0, 0, 0, 0])
    model.attempted(settings)
    assert model.asked == [settings.edit.guidance]
