"""The tiny checkpoint, loaded, with one thread to compute on."""

from __future__ import annotations

from pathlib import Path

import pytest

from s2edit.attention import install
from s2edit.checkpoints import Checkpoint, load
from s2edit.diffusion import Denoiser
from tests.fakes.tiny import one_thread, tiny_folder

__all__ = ["one_thread", "tiny_folder"]


@pytest.fixture
def checkpoint(tiny_folder: Path) -> Checkpoint:
    return load(tiny_folder)


@pytest.fixture
def denoiser(checkpoint: Checkpoint) -> Denoiser:
    return Denoiser(checkpoint.unet, install(checkpoint.unet))
