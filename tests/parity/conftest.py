"""The tiny checkpoint, built once, and the machine's quirks switched off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from s2edit.attention import install
from s2edit.checkpoints import Checkpoint, load
from s2edit.diffusion import Denoiser
from tests.parity.tiny_checkpoint import build


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def checkpoint(tiny_folder: Path) -> Checkpoint:
    return load(tiny_folder)


@pytest.fixture
def denoiser(checkpoint: Checkpoint) -> Denoiser:
    return Denoiser(checkpoint.unet, install(checkpoint.unet))
