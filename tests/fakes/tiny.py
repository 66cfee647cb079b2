"""Fixtures of the tests that compute: one thread, and the tiny checkpoint, built once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from s2edit.model.checkpoints import Checkpoint, load
from s2edit.model.flow import FlowCheckpoint
from tests.parity.tiny_checkpoint import build, build_xl
from tests.parity.tiny_flow import build_klein, build_z_image


def loaded(path: Path) -> Checkpoint:
    """A checkpoint of Stable Diffusion's kind."""
    found = load(path)
    assert isinstance(found, Checkpoint)
    return found


def flow_loaded(path: Path) -> FlowCheckpoint:
    """A flow transformer."""
    found = load(path)
    assert isinstance(found, FlowCheckpoint)
    return found


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_xl_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_xl(tmp_path_factory.mktemp("tiny-xl"))


@pytest.fixture(scope="session")
def tiny_klein_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_klein(tmp_path_factory.mktemp("tiny-klein"))


@pytest.fixture(scope="session")
def tiny_z_image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_z_image(tmp_path_factory.mktemp("tiny-z-image"))


@pytest.fixture(scope="session", params=["klein", "z-image"])
def flow_folder(request: pytest.FixtureRequest) -> Path:
    """Of each flow family."""
    found: Path = request.getfixturevalue(f"tiny_{request.param.replace('-', '_')}_folder")
    return found
