"""What a result's record says of the watermark, and what of the pixels it may touch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from s2edit_marks import watermark
from s2edit_server import worker_link as link
from s2edit_server.worker import frames, tasks

from s2edit.requests import EditResult
from tests.unit.marks.test_watermark import ellipse, photo

WHITE = {"u1": 255, "u2": 65_535, "f4": 1.0}
SIDE = 256
EDITS = {
    "nothing": (0, False),
    "one pixel": (1, False),
    "a small edit": (40, False),
    "a large edit": (SIDE, True),
}
"""Side of the round edit, px, and whether it can carry a mark."""


def result(side: int, dtype: str) -> EditResult:
    """A round edit in the middle of a picture of SIDE."""
    white = WHITE[dtype]
    patch = (photo(side=SIDE) / 255 * white).astype(f"<{dtype}")
    alpha, start = np.zeros((SIDE, SIDE)), (SIDE - side) // 2
    alpha[start : start + side, start : start + side] = 1 if side == 1 else ellipse(side, side) / 255
    scaled = (alpha * white).astype(f"<{dtype}")
    return EditResult(patch, scaled, (alpha > 0).astype(np.uint8) * 255, (start, start, side, side), {})


def kept(made: EditResult, folder: Path, **edit: Any) -> tuple[dict[str, Any], np.ndarray[Any, Any]]:
    """The watermark's part of the record, and the patch, as the worker hands them over."""
    model: Any = None
    run = link.Run(job="a", attempt=1, edit=edit, model=model, frames=[], out=str(folder))
    record, files = tasks._keep(made, run)
    patch = next(file for file in files if file.role == "patch")
    return record["watermark"], frames.read(patch)


@pytest.mark.parametrize("dtype", WHITE)
@pytest.mark.parametrize("name", EDITS)
def test_the_record_counts_the_edits_pixels_and_says_why_it_has_no_mark(name: str, dtype: str, tmp_path: Path) -> None:
    side, carries = EDITS[name]
    made = result(side, dtype)
    told, patch = kept(made, tmp_path)
    inside = made.alpha > 0
    assert told["pixels"] == np.count_nonzero(inside) and type(told["pixels"]) is int
    assert told["carried"] == carries == (told["score"] >= watermark.SELF_CHECK)
    assert np.array_equal(patch[~inside], made.patch[~inside])
    assert np.array_equal(patch, made.patch) != carries
    assert told.get("why") == (
        None if carries else f"the edit, of {told['pixels']:,} pixels, is too small or too faint to carry one"
    )


def test_a_mark_that_is_not_wanted_leaves_every_pixel(tmp_path: Path) -> None:
    made = result(SIDE, "u1")
    told, patch = kept(made, tmp_path, watermark=False)
    assert told == {"carried": False, "why": "switched off"}
    assert np.array_equal(patch, made.patch)
