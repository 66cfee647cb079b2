"""A checkpoint folder with a tokenizer and configurations, without weights: all that the planner looks at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from s2edit_server.settings import DaemonSettings
from s2edit_server.weights.manager import Weights
from s2edit_server.weights.places import PORTRAITS_VARIABLE

from s2edit.research.training.tokenizer import write_vocabulary


def tensor_file() -> bytes:
    header = json.dumps({"w": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}).encode()
    return len(header).to_bytes(8, "little") + header + b"\0"


@pytest.fixture
def small_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The embedded model's stand-in."""
    folder = tmp_path / "portraits"
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    (folder / "unet" / "config.json").write_text('{"block_out_channels": [8, 8, 8]}')
    (folder / "unet" / "w.safetensors").write_bytes(tensor_file())
    (folder / "recommended.json").write_text('{"native_size": 128, "identity": {"steps": 100}}')
    write_vocabulary(folder / "tokenizer")
    (folder / "tokenizer" / "tokenizer_config.json").write_text('{"model_max_length": 77}')
    monkeypatch.setenv(PORTRAITS_VARIABLE, str(folder))
    return folder


@pytest.fixture
def weights(tmp_path: Path, small_model: Path) -> Weights:
    return Weights(tmp_path / "state", DaemonSettings, caches=[])
