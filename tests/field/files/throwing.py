"""What one awkward file comes to: opened, edited as a job would edit it, and written, without a daemon."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from s2edit_cli import colour, composite, masks, targets, writing
from s2edit_cli.editing import open_for_result
from s2edit_cli.marking import marking
from s2edit_cli.pictures import open_picture
from s2edit_wire.errors import WireError

HERE = Path(__file__).parent / "cases"
BOX = (4, 6, 20, 16)


def edit(path: Path, suffix: str | None = None) -> str:
    """`refused: …`, `told: …` or `taken`, after all pixels outside the edit were compared."""
    out = path.with_name(f"result{suffix or path.suffix}")
    try:
        picture = open_for_result(path, out, None, [path])
    except WireError as error:
        return f"refused: {error.message}"
    sent = colour.to_srgb(picture, picture.crop(BOX))
    patch = np.ascontiguousarray(sent[:, :, : 3 if sent.shape[2] > 2 else 1])
    alpha = np.full((BOX[3], BOX[2], 1), np.iinfo(sent.dtype).max, sent.dtype)
    merged = composite.composite(picture, composite.native_layer(picture, patch, alpha, BOX))
    writing.save(merged, out, marking(picture, out, without=frozenset({"c2pa"})), picture)
    again = open_picture(out)
    if writing.lossless(out):
        outside = np.ones((picture.size[1], picture.size[0]), bool)
        outside[BOX[1] : BOX[1] + BOX[3], BOX[0] : BOX[0] + BOX[2]] = False
        whole = (0, 0, *picture.size)
        assert np.array_equal(picture.crop(whole)[outside], again.crop(whole)[outside])
    assert (again.size, again.bits, again.colours) == (picture.size, picture.bits, picture.colours)
    assert (again.has_alpha, again.has_extra) == (picture.has_alpha, picture.has_extra)
    return f"told: {' '.join(picture.notes)}" if picture.notes else "taken"


def sent_whole(path: Path) -> str:
    """What is said of a picture that would be sent as a whole, since nothing is masked."""
    try:
        open_for_result(path, path.with_name("result.png"), None, [path], sent=True)
    except WireError as error:
        return f"refused: {error.message}"
    return "taken"


def mask(path: Path, size: tuple[int, int]) -> str:
    """What is said of a mask."""
    try:
        coverage = masks.open_mask(path, size)
    except WireError as error:
        return f"refused: {error.message}"
    ((sentence, warned),) = masks.sentences([("The mask", coverage)])
    return f"{'told' if warned else 'taken'}: {sentence}"


def output(path: Path, sources: list[Path]) -> str:
    """What is said of a place to write to, before anything is done."""
    try:
        targets.check_output(path, sources, tuple(targets.KINDS))
    except WireError as error:
        return f"refused: {error.message}"
    return "taken"
