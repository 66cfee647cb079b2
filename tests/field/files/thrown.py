"""All that is thrown at the reading and writing of pictures, and what comes of it today."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from tests.field.case import Case
from tests.field.files import building, colours, damage, hostile, places

CASES: list[Case] = [*damage.cases(), *colours.cases(), *building.cases(), *hostile.cases(), *places.cases()]

NOTE = """

Unseen is damage that nothing in the file contradicts as its decoder reads it: samples that are not compressed, and the
codes of JPEG and WebP, also inside a TIFF, which have no checksum and were overwritten with bits that are as good a
code, for as many blocks. “40 places” says how often that is; of pictures that matter, keep PNG or TIFF with Deflate."""


def outcome(case: Case, folder: Path) -> str:
    """What comes of one case in an empty folder; nothing of the user's own is touched."""
    (folder / "home").mkdir()
    (folder / "files").mkdir()
    with mock.patch.dict(os.environ, {"S2EDIT_HOME": str(folder / "home")}):
        return case.throw(folder / "files")


def rows() -> Iterator[tuple[str, str, str]]:
    """Group, what was thrown, and what came of it."""
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            yield case.group, case.name, outcome(case, Path(folder)).replace(f"{folder}/files", "…")
