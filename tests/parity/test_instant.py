"""The profile “instant”: equal to the written-out formulas, in at most 8 rows after the picture is inverted."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from s2edit.engine import ComposeRequest, EditRequest, Engine, ObjectSpec
from s2edit.errors import SettingError
from s2edit.method.diffusion import Ddim, Denoiser
from s2edit.model.checkpoints import Checkpoint
from s2edit.profiles import profile
from s2edit.settings import Settings
from tests.parity.test_editing import REFINE, REPLACE, assert_equal, finest, literal, ours, scene

ROWS = 8
"""Through the denoiser, at most, once the picture is inverted."""


def instant(**changes: Any) -> Settings:
    return profile("instant").replace_from({"edit.map_stride": 2} | changes)


@pytest.mark.parametrize(("prompts", "size"), [(REPLACE, (8, 8)), (REFINE, (8, 16))])
def test_an_edit_in_few_steps_of_an_inversion_of_more(
    checkpoint: Checkpoint, denoiser: Denoiser, prompts: tuple[str, str], size: tuple[int, int]
) -> None:
    settings = instant()
    it = scene(checkpoint, denoiser, prompts, size, steps=settings.inversion.steps, identity=False)
    chosen = dataclasses.replace(settings.edit, self_replace_max_queries=32, local_blend_threshold=0.9)
    shape = finest(checkpoint, size)
    before = denoiser.forwards
    latent, blend = ours(checkpoint, denoiser, it, chosen, "direct", None, shape)
    rows = denoiser.forwards - before
    wanted, wanted_blend = literal(checkpoint, it, chosen, "direct", None, shape)
    assert blend is not None
    assert wanted_blend is not None
    assert torch.equal(blend, wanted_blend)
    assert_equal(latent, wanted)
    assert (latent - it.trajectory[:1]).abs().max() > 1e-2, "the edit has to change something"
    assert rows <= ROWS


def test_steps_are_spread_from_the_noisiest_on(checkpoint: Checkpoint) -> None:
    every = Ddim(checkpoint.alphas, 18)
    assert Ddim(checkpoint.alphas, 18, 3).timesteps == every.timesteps[::6]
    for taken in (0, 18, 50):
        assert Ddim(checkpoint.alphas, 18, taken).timesteps == every.timesteps
    trajectory = torch.arange(19.0).reshape(19, 1, 1, 1)
    assert Ddim(checkpoint.alphas, 18, 3).passed(trajectory).flatten().tolist() == [0, 6, 12, 18]
    assert torch.equal(every.passed(trajectory), trajectory)


@pytest.mark.parametrize("painted", [True, False])
@pytest.mark.parametrize("target", ["a man with a hat", "a lady with a hat and a beard", "a lady"])
def test_rows_after_the_inversion(folder: Path, painted: bool, target: str) -> None:
    """At most 8, and a next edit makes no others; only a mask that is not painted is found beforehand."""
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, 8:40] = 255
    objects = (ObjectSpec("lady", mask if painted else None),)
    settings = instant(**{"edit.local_blend_threshold": 0.0})
    engine = Engine(folder, device="cpu")
    first = engine.edit(EditRequest(picture, "a lady with a hat", target, objects, settings=settings)).record
    assert first["unet_forwards"]["identity"] == (0 if painted else 7)
    assert first["unet_forwards"]["inversion"] == settings.inversion.steps
    assert 0 < first["unet_forwards"]["editing"] <= ROWS
    again = EditRequest(picture, "a lady with a hat", "a lady with a scarf", objects, settings=settings)
    rows = engine.edit(again).record["unet_forwards"]
    assert rows["identity"] == rows["inversion"] == 0
    assert 0 < rows["editing"] <= ROWS


def test_a_composition_says_that_it_has_to_learn(folder: Path) -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    prompts = ("a lady", "a model with makeup", "a lady with makeup")
    words: dict[str, Any] = {"word": "lady", "attribute": "makeup"}
    with pytest.raises(SettingError, match="nothing is learned") as caught:
        Engine(folder, device="cpu").compose(ComposeRequest(picture, picture, *prompts, **words, settings=instant()))
    assert "instant" in caught.value.hint


def test_null_text_takes_every_step() -> None:
    with pytest.raises(SettingError, match=r"edit\.steps") as caught:
        instant(**{"inversion.mode": "null_text"})
    assert caught.value.hint
    assert instant(**{"inversion.mode": "null_text", "edit.steps": 0}).edited_in == 18
