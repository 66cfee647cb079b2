"""Where the shipped checkpoint lies, and the settings that belong to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
_EMBEDDED = _HERE.parents[1] / "model" / "portraits"


def weights_folder(name: str = "portraits") -> Path:
    """The folder that `StableDiffusionPipeline.from_pretrained` opens; `name` is a domain's."""
    return _EMBEDDED if name == "portraits" else _HERE / name / "weights"


def recommended(name: str = "portraits") -> dict[str, Any]:
    """The settings that depend on the checkpoint: `recommended.json` beside its weights."""
    settings: dict[str, Any] = json.loads((weights_folder(name) / "recommended.json").read_text("utf-8"))
    return settings
