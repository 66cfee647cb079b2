"""The Stable Diffusion 1 path gives what it gave before backbones were told apart, stage by stage."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from tests.parity.stages_of_sd1 import DIGEST, RECORDED, computed, processor

ROUNDING = {"patch": 3.0, "learned": 2e-2, "null": 2e-2, "retraced": 1e-2}
"""What other processors may differ by, of the largest value where that is above 1. Adam divides by the gradient's size:
where that is rounding noise, what it trains may go either way by the rate."""


def test_every_stage_is_as_it_was(tiny_folder: Path) -> None:
    wanted, found = load_file(RECORDED), computed(tiny_folder)
    assert found.keys() == wanted.keys()
    with safe_open(RECORDED, framework="pt") as file:
        same = file.metadata()["processor"] == processor()
    for name, right in wanted.items():
        if same:
            assert torch.equal(found[name], right), name
        elif not name.endswith(DIGEST):
            largest = float(right.abs().max()) if right.is_floating_point() else 1.0
            tolerance = ROUNDING.get(name.rsplit("/", 1)[1], 1e-3) * max(1.0, largest)
            assert (found[name].float() - right.float()).abs().max() <= tolerance, name
