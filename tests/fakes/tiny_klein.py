"""FLUX.2 klein as an instruction model: the tiny klein of the parity tests, as if it were distilled."""

from __future__ import annotations

import json
from pathlib import Path

from tests.parity.tiny_flow import build_klein

NATIVE = 128


def build_klein_edit(folder: Path, *, distilled: bool = True) -> Path:
    """Write it as a diffusers folder, with `recommended.json` for pictures of `NATIVE` px."""
    build_klein(folder, size=NATIVE)
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    (folder / "model_index.json").write_text(json.dumps(index | {"is_distilled": distilled}), encoding="utf-8")
    (folder / "recommended.json").write_text(json.dumps({"native_size": NATIVE}), encoding="utf-8")
    return folder
