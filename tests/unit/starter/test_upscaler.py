"""The upscaler: edits lie on their answers, interrupted training goes on to the bit, the export is what was trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from s2edit.picture.upscaling import load_upscaler
from s2edit.research.starter import weights_folder
from s2edit.research.starter.portraits import PORTRAITS
from s2edit.research.training import pairs, train_upscaler
from s2edit.research.training.assess import open_pipeline, psnr
from s2edit.research.training.assess_upscaler import finishers, gradient_energy, upscaler_report
from tests.fakes.tiny import one_thread

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["one_thread"]


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A training folder with one shard of two edits, as the shipped checkpoint draws them, and a small network."""
    monkeypatch.setattr(pairs, "SHARD", 2)
    for name, value in (("_BATCH", 2), ("CHANNELS", 8), ("BLOCKS", 1)):
        monkeypatch.setattr(train_upscaler, name, value)
    pairs.build_pairs(tmp_path, PORTRAITS, weights_folder(), 1)
    return tmp_path


def test_an_edit_is_drawn_with_its_answer(tiny: Path) -> None:
    (edits,) = pairs.open_pairs(tiny, 1)
    sides = {part: edits[part].shape for part in pairs.PARTS}
    assert sides == dict.fromkeys(("source", "truth"), (2, 512, 512, 3)) | dict.fromkeys(
        ("before", "after"), (2, 128, 128, 3)
    )
    for k in range(2):
        small = {part: np.asarray(Image.fromarray(edits[part][k]).reduce(4)) for part in ("source", "truth")}
        assert 20 < psnr(edits["before"][k], small["source"]) < 40, "the source by the autoencoder"
        asked = np.abs(small["truth"].astype(int) - small["source"]).max(axis=2) > 8
        missed = [
            np.abs(edits[part][k][asked].astype(int) - small["truth"][asked]).mean() for part in ("before", "after")
        ]
        assert missed[1] < 0.8 * missed[0], "what was asked"
    written = [path.stat().st_mtime_ns for path in sorted((tiny / "pairs").iterdir())]
    pairs.build_pairs(tiny, PORTRAITS, weights_folder(), 1)
    assert [path.stat().st_mtime_ns for path in sorted((tiny / "pairs").iterdir())] == written
    again = pairs.draw_edit(open_pipeline(weights_folder()), PORTRAITS, 1)
    assert all(np.array_equal(again[part], edits[part][1]) for part in pairs.PARTS)


def test_crops_lie_on_each_other(tiny: Path) -> None:
    source, before, after, truth = train_upscaler.draw_batch(pairs.open_pairs(tiny, 1), np.random.default_rng(3), 16)
    assert source.shape == truth.shape == (16, 3, 128, 128)
    assert before.shape == after.shape == (16, 3, 32, 32)
    for large, drawn in ((source, before), (truth, after)):
        small = torch.nn.functional.avg_pool2d(large, 4)
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
    assert state["average:head.4.weight"].abs().max() > 0, "it learned something"


def test_gradient_energy_by_hand() -> None:
    picture = np.zeros((2, 3, 3), np.uint8)
    picture[0, 1] = 2
    assert gradient_energy(picture) == 3 * (4 + 4 + 4), "left, right and below, in three colours"


def test_a_report_compares_what_is_there(tiny: Path) -> None:
    told = upscaler_report(weights_folder(), tiny / "grids", count=2)
    ways = finishers(weights_folder())
    assert [line[:25].strip() for line in told.splitlines()] == [name[:25] for name in ways]
    assert "mean of 2" in told
    with Image.open(next((tiny / "grids").iterdir())) as sheet:
        assert sheet.size == (512 * (len(ways) + 2), 512)
