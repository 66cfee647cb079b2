"""Small JSON files that are either the old or the new one, whatever happens while they are written."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ..blobs import flush_folder


def write_json(path: Path, content: object) -> None:
    """Write, flush, rename; the folder is made when absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    flush_folder(path.parent)
