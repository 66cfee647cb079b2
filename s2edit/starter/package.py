"""Where the shipped checkpoint lies, and the settings that belong to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent


def weights_folder() -> Path:
    """The folder that `StableDiffusionPipeline.from_pretrained` opens."""
    return _HERE / "weights"


def recommended() -> dict[str, Any]:
    """The settings that depend on the checkpoint: `recommended.json` beside its weights."""
    settings: dict[str, Any] = json.loads((weights_folder() / "recommended.json").read_text("utf-8"))
    return settings
