"""The pictures of a run's folder: each case's own, the results, and contact sheets at the pictures' own size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from .cases import NativeCase
from .scores import KeeperScore

CASES, SHEETS = "cases", "sheets"
_HEAD, _GAP = 44, 8
_OUTLINE = (255, 0, 200)
_SMALL: dict[str, Any] = {"quality": 70, "method": 6}


def result(out: Path, method: str, case: str) -> Path:
    """Where a method's whole picture lies."""
    return out / method / f"{case}.png"


def own(out: Path, case: str, name: str) -> Path:
    """Where a case's own picture lies: its "source", its "mask" (an outline on the source), or "truth-0", …."""
    return out / CASES / f"{case}.{name}.png"


def columns(score: KeeperScore, methods: Sequence[str], out: Path) -> dict[str, Path]:
    """The pictures that are shown of a case, by title; a method whose edit failed shows the source."""
    source = own(out, score.case, "source")
    shown = {"source": source}
    if score.painted:
        shown[f"mask ({score.painted})"] = own(out, score.case, "mask")
    for method in methods:
        made = result(out, method, score.case)
        shown[method] = made if made.is_file() else source
    return shown | {"truth": own(out, score.case, f"truth-{score.answer}")}


def keep(case: NativeCase, score: KeeperScore, out: Path) -> None:
    """Write the case's own pictures that are not there yet; of the truths, the one that the score was held against."""
    (out / CASES).mkdir(exist_ok=True)
    wanted = {"source": case.image, f"truth-{score.answer}": case.truths[score.answer]}
    if case.manner is not None:
        wanted["mask"] = outlined(case)
    for name, picture in wanted.items():
        if not (path := own(out, case.id, name)).is_file():
            Image.fromarray(picture).save(path)


def outlined(case: NativeCase) -> NDArray[np.uint8]:
    """The source with the painted mask's outline; as it is where nothing is painted."""
    if case.mask is None:
        return case.image
    inside = case.mask > 127
    rim = inside & ~ndimage.binary_erosion(inside, iterations=2)
    return np.where(rim[..., None], np.array(_OUTLINE, np.uint8), case.image)


def sheets(
    scores: Sequence[KeeperScore], cases: Sequence[str], methods: Sequence[str], out: Path, *, webp: Path | None = None
) -> Iterator[Path]:
    """Write `out/SHEETS/CASE.png` for every one of the cases that all methods have a score of; yields the paths.

    Args:
        webp: a folder for `CASE.webp` instead, with a tenth of the bytes and a little loss.
    Raises:
        ValueError: there is none.
    """
    found = {(score.case, score.method): score for score in scores}
    shown = [case for case in cases if all((case, method) in found for method in methods)]
    if not shown:
        raise ValueError(f"“{out}” has no results of {', '.join(methods)} for any of these cases. Run them first.")
    folder = webp or out / SHEETS
    folder.mkdir(parents=True, exist_ok=True)
    for case in shown:
        path = folder / f"{case}.{'webp' if webp else 'png'}"
        sheet([found[case, method] for method in methods], out).save(path, **(_SMALL if webp else {}))
        yield path


def sheet(scores: Sequence[KeeperScore], out: Path) -> Image.Image:
    """One case's pictures side by side, nothing enlarged or reduced, each result under its figures."""
    told = {score.method: figures(score) for score in scores}
    shown = columns(scores[0], list(told), out)
    pictures = {title: Image.open(path).convert("RGB") for title, path in shown.items()}
    width, height = pictures["source"].size
    drawn = Image.new("RGB", (len(shown) * (width + _GAP) - _GAP, height + _HEAD), "white")
    pen = ImageDraw.Draw(drawn)
    pen.text((4, 3), title_of(scores[0]), fill="black", font_size=16)
    for number, (title, picture) in enumerate(pictures.items()):
        left = number * (width + _GAP)
        pen.text((4 + left, 24), told.get(title, title), fill="black", font_size=14)
        drawn.paste(picture, (left, _HEAD))
    return drawn


def title_of(score: KeeperScore) -> str:
    """The case in a line."""
    mask = f"mask painted as {score.painted}" if score.painted else "no mask painted"
    return f"{score.case}: {score.edit}, {score.size} px, {score.placing}, {mask}: {score.prompt}"


def figures(score: KeeperScore) -> str:
    """The measure in a line."""
    told = f"{score.method}: gain {score.gain:.2f}, damage {score.damage:.1f} dB, sharp {score.sharp:.2f}"
    return f"{told}: {'kept' if score.keeper else 'not kept'}{f' ({score.error})' * bool(score.error)}"
