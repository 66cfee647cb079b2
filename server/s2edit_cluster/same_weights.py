"""Whether two computers mean the same weights by a model's name: else the same job would give other pixels."""

from __future__ import annotations

from pathlib import Path

from s2edit_server.worker.engines import Signature, signature

from s2edit.model.weight_files import model_hash


class Hashes:
    """`model_hash` of weights, which for large ones reads gigabytes: once, and again when a file was replaced."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[Signature, str]] = {}

    def of(self, path: Path) -> str:
        """The hash; raises OSError, CheckpointError."""
        now = signature(path)
        known = self._known.get(path)
        if known is None or known[0] != now:
            known = self._known[path] = now, model_hash(path)
        return known[1]
