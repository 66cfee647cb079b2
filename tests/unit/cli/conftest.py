"""What several tests of the command share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.checkpoints import untrained_checkpoint


@pytest.fixture(scope="package")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return untrained_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own: what is written is signed with a credential that is made there."""
    folder = tmp_path / "state"
    monkeypatch.setenv("S2EDIT_HOME", str(folder))
    return folder
