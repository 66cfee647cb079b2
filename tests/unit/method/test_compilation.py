"""Compiled blocks compute what the others do, in both directions; without a compiler all goes on as before."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch._inductor.config
from diffusers.models.attention import FeedForward
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn

from s2edit.engine import Engine
from s2edit.model.compilation import compile_blocks, missing_compiler

CPU = torch.device("cpu")


class Blocks(nn.Module):
    """One block of each kind, as a U-Net has them."""

    def __init__(self) -> None:
        super().__init__()
        self.residual = ResnetBlock2D(in_channels=8, out_channels=8, temb_channels=16, groups=4)
        self.feed_forward = FeedForward(8, mult=2)

    def forward(self, states: Tensor, time: Tensor) -> Tensor:
        """B×8×h×w in and out."""
        mixed = self.residual(states, time).permute(0, 2, 3, 1)
        return self.feed_forward(mixed).permute(0, 3, 1, 2)  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing compiled earlier is found, and nothing is left behind."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    limit = torch._dynamo.config.recompile_limit
    torch._dynamo.reset()
    yield
    torch._dynamo.config.recompile_limit = limit
    torch._dynamo.reset()


# Torch's compiler looks at a tensor's gradient where it has none, and warns of itself.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
def test_same_values_and_gradients() -> None:
    if missing_compiler(CPU) is not None:
        assert not compile_blocks(Blocks(), CPU), "a machine without a compiler"
        return
    torch.manual_seed(0)
    blocks, plain = Blocks(), Blocks()
    plain.load_state_dict(blocks.state_dict())
    assert compile_blocks(blocks, CPU)
    assert blocks.state_dict().keys() == plain.state_dict().keys()
    states, time = torch.randn(2, 8, 6, 6), torch.randn(2, 16)
    ours, theirs = blocks(states, time), plain(states, time)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    ours.square().mean().backward()
    theirs.square().mean().backward()
    for one, other in zip(blocks.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-5)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] >= 2


def test_without_a_compiler(tiny_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    engine = Engine(tiny_folder, device="cpu", compiled=True)
    missing = {"cpp.cxx": (None, "/nowhere/no-such-compiler")}
    with torch._inductor.config.patch(missing), caplog.at_level(logging.WARNING):
        checkpoint = engine._loaded().checkpoint
    assert "runs uncompiled" in caplog.text
    assert "Install g++" in caplog.text
    assert all(module._compiled_call_impl is None for module in checkpoint.network.modules())
