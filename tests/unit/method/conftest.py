"""A tiny checkpoint and a picture to edit with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from s2edit.engine import EditRequest, Engine, ObjectSpec
from s2edit.method.prompts import PromptTokenizer
from s2edit.model.checkpoints import CONFIGS
from s2edit.settings import Settings
from tests.fakes.tiny import one_thread, tiny_folder

__all__ = ["one_thread", "tiny_folder"]


@pytest.fixture(scope="session")
def tokenizer() -> PromptTokenizer:
    return PromptTokenizer.from_folder(CONFIGS / "sd1")


@pytest.fixture
def picture() -> NDArray[np.uint8]:
    """A smooth 96×72 RGB picture."""
    y, x = np.mgrid[:72, :96]
    return np.stack([x * 2, y * 3, 255 - x - y], axis=-1).astype(np.uint8)


@pytest.fixture
def mask() -> NDArray[np.uint8]:
    """A box in the picture."""
    found = np.zeros((72, 96), np.uint8)
    found[20:50, 30:70] = 255
    return found


@pytest.fixture
def quick() -> Settings:
    """Two steps of everything, at rates that show."""
    return Settings().replace_from({"identity.steps": 2, "identity.learning_rate": 1e-3, "inversion.steps": 4})


@pytest.fixture
def engine(tiny_folder: Path, tmp_path: Path) -> Iterator[Engine]:
    made = Engine(tiny_folder, device="cpu", cache_dir=tmp_path / "cache", threads=1)
    yield made
    made.unload()


@pytest.fixture
def request_(picture: NDArray[np.uint8], mask: NDArray[np.uint8], quick: Settings) -> EditRequest:
    return EditRequest(picture, "a lady", "a lady with a hat", (ObjectSpec("lady", mask),), settings=quick, seed=5)
