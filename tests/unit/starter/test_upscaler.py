"""The upscaler: pairs lie on each other, interrupted training goes on to the bit, the export is what was trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from s2edit.starter import pairs, train_upscaler, weights_folder
from s2edit.starter.assess import open_pipeline, psnr
from s2edit.starter.assess_upscaler import enlargers, gradient_energy, upscaler_report
from s2edit.starter.portraits import PORTRAITS
from s2edit.starter.renderer import sample_portrait
from s2edit.upscaling import load_upscaler
from tests.fakes.tiny import one_thread

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["one_thread"]


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A training folder with one shard of two pairs, as the shipped checkpoint draws them, and a small network."""
    monkeypatch.setattr(pairs, "SHARD", 2)
    for name, value in (("_BATCH", 2), ("CHANNELS", 8), ("BLOCKS", 1)):
        monkeypatch.setattr(train_upscaler, name, value)
    pairs.build_pairs(tmp_path, PORTRAITS, weights_folder(), 1)
    return tmp_path


def test_a_pair_is_a_thing_as_drawn_and_as_rendered(tiny: Path) -> None:
    ((drawn, truth),) = pairs.open_pairs(tiny, 1)
    assert (drawn.shape, truth.shape) == ((2, 128, 128, 3), (2, 512, 512, 3))
    for seed in range(2):
        assert np.array_equal(truth[seed], sample_portrait(seed, 512)[0])
        assert 20 < psnr(drawn[seed], sample_portrait(seed)[0]) < 40, "drawn by the checkpoint, with all in its place"
    before = [path.stat().st_mtime_ns for path in pairs.shard_paths(tiny, 0)]
    pairs.build_pairs(tiny, PORTRAITS, weights_folder(), 1)
    assert [path.stat().st_mtime_ns for path in pairs.shard_paths(tiny, 0)] == before
    again = pairs.draw_pair(open_pipeline(weights_folder()), PORTRAITS, 1)[0]
    assert np.array_equal(again, drawn[1])


def test_crops_lie_on_each_other(tiny: Path) -> None:
    drawn, truth = train_upscaler.draw_batch(pairs.open_pairs(tiny, 1), np.random.default_rng(3), 16)
    assert (drawn.shape, truth.shape) == ((16, 3, 32, 32), (16, 3, 128, 128))
    small = torch.nn.functional.avg_pool2d(truth, 4)
    right = (small - drawn).square().mean(dim=(1, 2, 3))
    shifted = (small.roll(3, dims=3) - drawn).square().mean(dim=(1, 2, 3))
    assert (right < shifted).all()


def test_it_resumes_to_the_bit_and_exports_its_average(tiny: Path) -> None:
    def train(seconds: float) -> int:
        return int(train_upscaler.train_upscaler(tiny, shards=1, steps=3, seconds=seconds, seed=5)["step"])

    assert train(60) == 3
    straight = load_file((tiny / "upscaler.safetensors").rename(tiny / "straight.safetensors"))
    assert train(0) == 1
    assert train(60) == 3
    state = load_file(tiny / "upscaler.safetensors")
    assert state.keys() == straight.keys()
    assert all(torch.equal(each, straight[key]) for key, each in state.items())

    train_upscaler.export_upscaler(tiny, tiny / "out")
    upscaler = load_upscaler(tiny / "out")
    assert upscaler is not None
    for key, each in upscaler.network.state_dict().items():
        assert torch.equal(each, state[f"average:{key}"].half().float())
    assert upscaler.network.leave.weight.abs().max() > 0, "it learned something"


def test_gradient_energy_by_hand() -> None:
    picture = np.zeros((2, 3, 3), np.uint8)
    picture[0, 1] = 2
    assert gradient_energy(picture) == 3 * (4 + 4 + 4), "left, right and below, in three colours"


def test_a_report_compares_what_is_there(tiny: Path) -> None:
    told = upscaler_report(weights_folder(), tiny / "grids", count=2)
    assert {line.split()[0] for line in told.splitlines()} == {each.split()[0] for each in enlargers(weights_folder())}
    assert "mean of 1" in told
    with Image.open(next((tiny / "grids").iterdir())) as sheet:
        assert sheet.size == (512 * (len(enlargers(weights_folder())) + 1), 512)
