"""Scores on disk: a line of JSON each, written the moment it is known, so that a cut run is a smaller run."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Record = TypeVar("Record", bound=DataclassInstance)

SCORES = "scores.jsonl"


def append(out: Path, score: DataclassInstance) -> None:
    """Add a line to the folder's scores, the moment it is known; a line that a kill cut short stays alone."""
    with (out / SCORES).open("a+b") as file:
        if file.tell():
            file.seek(-1, 2)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write((json.dumps(asdict(score)) + "\n").encode())


def load(out: Path, kind: type[Record]) -> list[Record]:
    """The scores of a kind in a folder; a line that a kill cut short is passed over."""
    path = out / SCORES
    if not path.is_file():
        return []
    found = []
    for line in path.read_text("utf-8").splitlines():
        try:
            values: dict[str, Any] = json.loads(line)
            found.append(kind(**values))
        except (ValueError, TypeError):
            continue
    return found
