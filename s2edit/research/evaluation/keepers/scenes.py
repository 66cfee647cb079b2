"""Where a portrait stands: alone in its picture, as a framed picture on another wall, or before one wide wall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from s2edit.research.starter.attributes import BACKGROUNDS, Portrait
from s2edit.research.starter.canvas import CANVAS, rasterise
from s2edit.research.starter.renderer import render, standing

Placing = Literal["alone", "framed", "standing"]
Box = tuple[int, int, int, int]
"""x, y, width, height in pixels."""
LARGE = (1600, 1200)
"""Width and height of the larger pictures, px."""
_FRAME_COLOURS = ("#2a2522", "#f4f1ea", "#8a6a3f")
_AROUND = 0.04
"""Of a side: room that is left around a framed portrait."""


@dataclass(frozen=True)
class Scene:
    """A portrait's place.

    Args:
        placing: alone, framed on a wall of another colour and scene, or standing before its own wall, which then fills
            the larger picture. size: side of the portrait's square, px.
        x, y: of the square's upper left corner. wall, scene, frame: of a framed portrait's surroundings.
    """

    placing: Placing
    size: int
    x: int = 0
    y: int = 0
    wall: str = "gray"
    scene: int = 0
    frame: str = _FRAME_COLOURS[0]

    @property
    def canvas(self) -> tuple[int, int]:
        """Width and height of the picture, px."""
        return (self.size, self.size) if self.placing == "alone" else LARGE

    @property
    def box(self) -> Box:
        """The portrait's square in the picture."""
        return (self.x, self.y, self.size, self.size)

    def draw(self, portrait: Portrait) -> NDArray[np.uint8]:
        """The picture with this portrait in it: H x W x 3 uint8."""
        if self.placing == "alone":
            return render(portrait, self.size)
        if self.placing == "standing":
            return self._before_wide_wall(portrait)
        return self._framed(portrait)

    def _before_wide_wall(self, portrait: Portrait) -> NDArray[np.uint8]:
        """The wall as wide as the picture, and the figure's square, clear, at its place: drawn in one go."""
        side, unit = max(LARGE), CANVAS / max(LARGE)
        moved = f"translate({self.x * unit:.4f} {self.y * unit:.4f}) scale({self.size / side:.6f})"
        figure = f'<g transform="{moved}">{standing(portrait)}</g>'
        drawn = rasterise(BACKGROUNDS[portrait.background], portrait.scene, figure, side)
        return np.ascontiguousarray(drawn[: LARGE[1]])

    def _framed(self, portrait: Portrait) -> NDArray[np.uint8]:
        side, unit = max(LARGE), CANVAS / max(LARGE)
        border = round(self.size / 40)
        x, y, wide = ((value * unit) for value in (self.x - border, self.y - border, self.size + 2 * border))
        frame = f'<rect x="{x:.4f}" y="{y:.4f}" width="{wide:.4f}" height="{wide:.4f}" fill="{self.frame}"/>'
        drawn = np.array(rasterise(BACKGROUNDS[self.wall], self.scene, frame, side)[: LARGE[1]])
        drawn[self.y : self.y + self.size, self.x : self.x + self.size] = render(portrait, self.size)
        return drawn


def sample(rng: np.random.Generator, placing: Placing, size: int) -> Scene:
    """A place off the picture's centre, drawn at random; a standing figure reaches the lower edge."""
    if placing == "alone":
        return Scene(placing, size)
    room = round(_AROUND * size)
    free = LARGE[0] - size - 2 * room
    # A third of the free way lies around the middle, and is left out.
    along = rng.uniform(0, 1 / 3) if rng.random() < 0.5 else rng.uniform(2 / 3, 1)
    x = room + round(free * along)
    y = LARGE[1] - size
    if placing == "framed":
        y = round(rng.uniform(room, max(room, LARGE[1] - size - room)))
    return Scene(
        placing,
        size,
        x,
        y,
        wall=str(rng.choice(list(BACKGROUNDS))),
        scene=int(rng.integers(1 << 31)),
        frame=str(rng.choice(_FRAME_COLOURS)),
    )
