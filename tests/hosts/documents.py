"""Documents as painters have them, built by the same script in both editors, and what each shows once it is edited.

The truth is computed here, by the formulas of W3C Compositing and Blending Level 1 on the encoded values: the edited
layer's own pixels are replaced, and all else stays. Arrays are H x W x 4, uint8 or float64 from 0 to 1.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .scenarios import draw_portrait

Pixels = np.ndarray[Any, Any]
Box = tuple[int, int, int, int]
"""x, y, width, height."""
FAINT = 115 / 255
"""45 %, as both editors can say it."""
TOLERANCE = 3
"""8-bit steps: each editor rounds after every layer."""


@dataclass(frozen=True)
class Sheet:
    """A layer: where it lies, its RGBA pixels (uint8), and how it is seen. `mask` is H x W."""

    name: str
    at: tuple[int, int]
    pixels: Pixels
    group: str = ""
    opacity: float = 1.0
    mode: str = "normal"
    mask: Pixels | None = None

    @property
    def box(self) -> Box:
        """Where it lies."""
        return (*self.at, self.pixels.shape[1], self.pixels.shape[0])


@dataclass(frozen=True)
class Document:
    """A picture from the lowest layer up; `edited` names the layer, `marked` is what is selected, on the canvas."""

    name: str
    canvas: tuple[int, int]
    sheets: tuple[Sheet, ...]
    marked: Box
    edited: str = "portrait"
    look: Box = field(default=(0, 0, 0, 0))
    """The part that is compared; the whole canvas when it has no size."""

    @property
    def seen(self) -> Box:
        """What is compared."""
        return self.look if self.look[2] else (0, 0, *self.canvas)

    @property
    def sheet(self) -> Sheet:
        """The layer that is edited."""
        return next(sheet for sheet in self.sheets if sheet.name == self.edited)

    def write(self, folder: Path) -> dict[str, Any]:
        """Leave the pixels in a folder; returns what a script inside an editor needs to build it."""
        layers = []
        for sheet in self.sheets:
            entry: dict[str, Any] = {name: getattr(sheet, name) for name in ("name", "box", "group", "opacity", "mode")}
            for role, pixels in (("pixels", sheet.pixels), ("mask", sheet.mask)):
                path = folder / f"{self.name}-{sheet.name}-{role}.raw"
                if pixels is not None:
                    path.write_bytes(pixels.tobytes())
                    entry[role] = str(path)
            layers.append(entry)
        shown = str(folder / f"{self.name}-shown.raw")
        record = {name: getattr(self, name) for name in ("name", "canvas", "marked", "edited", "seen")}
        return {**record, "layers": layers, "shown": shown}

    def sent(self, crop: Box) -> str:
        """The digest of the layer's own pixels in a box of the canvas, as they have to be sent."""
        x, y = crop[0] - self.sheet.at[0], crop[1] - self.sheet.at[1]
        part = self.sheet.pixels[y : y + crop[3], x : x + crop[2]]
        return hashlib.sha256(np.ascontiguousarray(part).tobytes()).hexdigest()

    def truth(self) -> Pixels:
        """What is seen once the marked part of the layer is inverted, as the fake worker does it; straight alpha."""
        changed = []
        for sheet in self.sheets:
            pixels = sheet.pixels.copy()
            if sheet.name == self.edited:
                x, y = self.marked[0] - sheet.at[0], self.marked[1] - sheet.at[1]
                part = pixels[max(0, y) : y + self.marked[3], max(0, x) : x + self.marked[2], :3]
                part[...] = 255 - part
            changed.append((sheet, pixels))
        groups = {sheet.group for sheet in self.sheets if sheet.group}
        ground = np.zeros((self.seen[3], self.seen[2], 4))
        for sheet, pixels in changed:
            if sheet.group in groups:
                groups.discard(sheet.group)
                inner = np.zeros_like(ground)
                for other, drawn in changed:
                    if other.group == sheet.group:
                        inner = self._over(inner, other, drawn)
                ground = _blend(ground, inner[..., :3], inner[..., 3:], "normal")
            elif not sheet.group:
                ground = self._over(ground, sheet, pixels)
        return ground

    def _over(self, ground: Pixels, sheet: Sheet, pixels: Pixels) -> Pixels:
        cover = pixels[..., 3:] / 255 * sheet.opacity
        if sheet.mask is not None:
            cover = cover * (sheet.mask[..., None] / 255)
        left, top, width, height = self.seen
        drawn = np.zeros((height, width, 4))
        x, y = sheet.at[0] - left, sheet.at[1] - top
        inside = np.s_[max(0, y) : max(0, y + pixels.shape[0]), max(0, x) : max(0, x + pixels.shape[1])]
        room = drawn[inside]
        part = np.s_[max(0, -y) : max(0, -y) + room.shape[0], max(0, -x) : max(0, -x) + room.shape[1]]
        drawn[inside] = np.concatenate([pixels[..., :3] / 255, cover], axis=2)[part]
        return _blend(ground, drawn[..., :3], drawn[..., 3:], sheet.mode)


def _blend(ground: Pixels, colour: Pixels, cover: Pixels, mode: str) -> Pixels:
    """Section 5.1 and 10: what lies over what, straight alpha in and out."""
    below, under = ground[..., :3], ground[..., 3:]
    mixed = (1 - under) * colour + under * (below * colour if mode == "multiply" else colour)
    alpha = cover + under * (1 - cover)
    both = cover * mixed + (1 - cover) * under * below
    return np.concatenate([np.divide(both, alpha, out=np.zeros_like(both), where=alpha > 0), alpha], axis=2)


def worst(shown: Path, document: Document) -> int:
    """How far the editor's picture (raw RGBA of `seen`) is from the truth, in 8-bit steps of what is seen."""
    width, height = document.seen[2:]
    seen = np.frombuffer(shown.read_bytes(), np.uint8).reshape(height, width, 4) / 255
    wanted = document.truth()
    off = np.abs(seen[..., :3] * seen[..., 3:] - wanted[..., :3] * wanted[..., 3:]).max()
    return round(255 * float(max(off, np.abs(seen[..., 3] - wanted[..., 3]).max())))


def portrait(folder: Path, size: int) -> Pixels:
    """A drawn portrait, opaque."""
    with Image.open(draw_portrait(folder / "drawn.png", size)) as drawn:
        return np.asarray(drawn.convert("RGBA")).copy()


def documents(folder: Path) -> Iterator[Document]:
    """All of them; `folder` is for scratch files."""
    face = portrait(folder, 128)
    rows, columns = np.mgrid[0:128, 0:128]
    away = np.hypot(rows - 63.5, columns - 63.5)
    soft: Callable[[float, float], Pixels] = lambda inner, outer: np.clip(  # noqa: E731 - a formula
        255 * (outer - away) / (outer - inner), 0, 255
    ).astype(np.uint8)
    wall = np.zeros((240, 320, 4), np.uint8)
    wall[...] = (40, 90, 160, 255)
    wall[::2, :, 0] = np.arange(320) // 2
    glow = np.zeros((60, 320, 4), np.uint8)
    glow[...] = (255, 240, 200, 90)
    ground, light = Sheet("wall", (0, 0), wall), Sheet("glow", (0, 0), glow)
    at, marked, wide = (170, 70), (200, 90, 64, 40), (176, 76, 116, 116)
    body, inner = Sheet("body", (190, 150), face[:60, :90], "people"), Sheet("portrait", at, face, "people")
    yield Document("group", (320, 240), (ground, body, inner, light), marked)
    yield Document("vignette", (320, 240), (ground, Sheet("portrait", at, face, mask=soft(30, 60))), wide)
    faint = Sheet("portrait", at, face, opacity=FAINT, mode="multiply")
    yield Document("faint", (320, 240), (ground, faint, light), marked)
    for hidden in (0, 128, 255):
        cut = face.copy()
        cut[..., 3] = soft(40, 56)
        cut[cut[..., 3] == 0, :3] = hidden
        yield Document(f"cutout{hidden}", (320, 240), (Sheet("portrait", at, cut),), wide)
    edge = Sheet("portrait", (-20, -30), face)
    yield Document("edge", (320, 240), (ground, edge), (0, 0, 64, 40))
    small = Sheet("wall", (5900, 4900), wall)
    yield Document(
        "large", (8192, 8192), (small, Sheet("portrait", (5960, 4950), face)), (5990, 4970, 64, 40), look=small.box
    )


def describe(folder: Path) -> tuple[dict[str, Document], str]:
    """The documents by name, and all that the scripts need as JSON."""
    found = {document.name: document for document in documents(folder)}
    return found, json.dumps([document.write(folder) for document in found.values()])
