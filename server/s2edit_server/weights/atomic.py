"""Small JSON files of the weights folder: written as a whole or not at all, read only when small and plain."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from s2edit_wire.plain_files import read_plain

from ..blobs import flush_folder

MAX_JSON = 2**20
"""Bytes of one; what S²Edit writes there itself has some thousand."""


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file; {} when it is missing, damaged, too big or no plain file."""
    try:
        found = json.loads(read_plain(path, MAX_JSON))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, content: object) -> None:
    """Write, flush, rename; the folder is made when absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)  # whatever is there may be no plain file
    with temporary.open("x", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    flush_folder(path.parent)
