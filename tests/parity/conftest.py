"""The tiny checkpoints, loaded, with one thread to compute on; what takes `folder` holds for every family."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from s2edit.method.diffusion import Denoiser
from s2edit.model.checkpoints import Checkpoint, load
from tests.fakes.tiny import (
    flow_folder,
    one_thread,
    tiny_folder,
    tiny_klein_folder,
    tiny_xl_folder,
    tiny_z_image_folder,
)

__all__ = [
    "flow_folder",
    "one_thread",
    "tiny_folder",
    "tiny_klein_folder",
    "tiny_xl_folder",
    "tiny_z_image_folder",
]


@pytest.fixture(params=["sd1", "sdxl"])
def folder(request: pytest.FixtureRequest) -> Path:
    name = {"sd1": "tiny_folder", "sdxl": "tiny_xl_folder"}[request.param]
    found: Path = request.getfixturevalue(name)
    return found


@pytest.fixture
def checkpoint(folder: Path) -> Checkpoint:
    found = load(folder)
    assert isinstance(found, Checkpoint)
    return found


@pytest.fixture
def denoiser(checkpoint: Checkpoint) -> Denoiser:
    return Denoiser(checkpoint)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever tries to reach the network fails."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something tried to reach the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
