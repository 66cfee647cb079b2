"""Contact sheets at the pictures' own size: source, mask's outline, result and nearest truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from s2edit.evaluation.records import load

from .cases import NativeCase
from .runner import KeeperScore

FOLDER = "sheets"
_HEAD, _GAP = 44, 8
_OUTLINE = (255, 0, 200)


def write(cases: Iterable[NativeCase], method: str, out: Path) -> Iterator[Path]:
    """Write `out/FOLDER/CASE.METHOD.png` for every case that the method has a result of; yields the paths.

    Raises:
        ValueError: there is none.
    """
    scores = {score.case: score for score in load(out, KeeperScore) if score.method == method}
    written = False
    for case in cases:
        if case.id in scores:
            (out / FOLDER).mkdir(exist_ok=True)
            path = out / FOLDER / f"{case.id}.{method}.png"
            draw(case, scores[case.id], result_of(case, method, out)).save(path)
            written = True
            yield path
    if not written:
        raise ValueError(f"“{out}” has no result of {method} for any of these cases. Run them first.")


def result_of(case: NativeCase, method: str, out: Path) -> NDArray[np.uint8]:
    """The method's whole picture; the source where the edit failed."""
    path = out / method / f"{case.id}.png"
    if not path.is_file():
        return case.image
    with Image.open(path) as opened:
        return np.asarray(opened.convert("RGB"), dtype=np.uint8)


def draw(case: NativeCase, score: KeeperScore, result: NDArray[np.uint8]) -> Image.Image:
    """A case as one picture, nothing enlarged or reduced."""
    columns = {
        "source": case.image,
        case.manner or "no mask": outlined(case),
        score.method: result,
        "truth": case.truths[score.answer],
    }
    width, height = case.scene.canvas
    sheet = Image.new("RGB", (len(columns) * (width + _GAP) - _GAP, height + _HEAD), "white")
    pen = ImageDraw.Draw(sheet)
    pen.text((4, 3), case.told(), fill="black", font_size=16)
    pen.text((4 + 2 * (width + _GAP), 24), figures(score), fill="black", font_size=14)
    for number, (title, picture) in enumerate(columns.items()):
        left = number * (width + _GAP)
        if number != 2:  # the result's place is taken by its figures
            pen.text((4 + left, 24), title, fill="black", font_size=14)
        sheet.paste(Image.fromarray(picture), (left, _HEAD))
    return sheet


def figures(score: KeeperScore) -> str:
    """The measure in a line."""
    told = f"gain {score.gain:.2f}, damage {score.damage:.1f} dB, sharp {score.sharp:.2f}"
    return f"{score.method}: {told}: {'kept' if score.keeper else 'not kept'}{f' ({score.error})' * bool(score.error)}"


def outlined(case: NativeCase) -> NDArray[np.uint8]:
    """The source with the painted mask's outline; as it is where nothing is painted."""
    if case.mask is None:
        return case.image
    inside = case.mask > 127
    rim = inside & ~ndimage.binary_erosion(inside, iterations=2)
    return np.where(rim[..., None], np.array(_OUTLINE, np.uint8), case.image)
