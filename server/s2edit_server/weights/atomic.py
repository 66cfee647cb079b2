"""Small JSON files of the weights folder: written as a whole or not at all, read only when small and plain."""

from __future__ import annotations

import itertools
import json
import logging
import os
from pathlib import Path
from typing import Any

from s2edit_wire.plain_files import read_plain

from ..blobs import flush_folder

LOG = logging.getLogger(__name__)
MAX_JSON = 2**20
"""Bytes of one; what S²Edit writes there itself has some thousand."""


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file; {} when it is missing, damaged, too big or no plain file."""
    found = _read(path)
    return {} if found is None else found


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(read_plain(path, MAX_JSON))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def write_json(path: Path, content: object) -> None:
    """Write, flush, rename; the folder is made when absent. What could not be read there is kept beside, as `….bad`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if _read(path) is None:
        names = (path.with_name(f"{path.name}.bad{number or ''}") for number in itertools.count())
        aside = next(name for name in names if not os.path.lexists(name))
        path.rename(aside)
        LOG.warning("%s could not be read and is kept as %s", path.name, aside.name)
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)  # whatever is there may be no plain file
    with temporary.open("x", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    flush_folder(path.parent)
