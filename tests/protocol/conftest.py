"""A state folder with a short path: a Unix socket's address has room for about 100 bytes."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def state() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="s2w") as name:
        yield Path(name)
