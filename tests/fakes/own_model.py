"""A real daemon whose user has imported one model."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from s2edit_wire.client import Client

from .daemon import RunningDaemon


@contextmanager
def own_model(model: Path) -> Iterator[Client]:
    """A client of a daemon with its real worker; the folder's model is `import-NAME` there."""
    with tempfile.TemporaryDirectory(prefix="s2o") as folder:  # short: a Unix socket's path may have 107 bytes
        weights = Path(folder) / "weights"
        weights.mkdir()
        (weights / "imports.json").write_text(json.dumps({"paths": [str(model)]}))
        with RunningDaemon(Path(folder), worker=None) as running, running.client("cli") as connected:
            yield connected
