"""What several tests of the command share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.checkpoints import untrained_checkpoint


@pytest.fixture(scope="package")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return untrained_checkpoint(tmp_path_factory.mktemp("checkpoint"))
