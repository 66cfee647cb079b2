"""Draw a robot as vectors, rasterise it at any size: DiceBear's "bottts" figure before the portraits' wall."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from s2edit.research.starter.attributes import BACKGROUNDS
from s2edit.research.starter.canvas import CANVAS, rasterise
from s2edit.research.starter.robots.attributes import COLORS, Robot

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PARTS_FILE = Path(__file__).resolve().parent / "parts.json"
_SIDE = 180.0  # the drawings' own canvas
# Where DiceBear's own `create` puts each kind on that canvas, from back to front.
_PLACES = {"sides": (0, 66), "top": (41, 0), "face": (25, 44), "mouth": (52, 124), "eyes": (38, 76)}

# Drawings whose difference is seen at 128 pixels, by the name that a caption gives them.
DRAWINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "sides": {"none": ("",), "ears": ("square", "round"), "cables": ("cables01", "cables02")},
    "top": {
        "none": ("",),
        "antenna": ("antenna", "antennaCrooked"),
        "bulb": ("glowingBulb01", "glowingBulb02"),
        "horns": ("horns",),
        "radar": ("radar",),
        "pyramid": ("pyramid",),
    },
    "face": {"round": ("round01", "round02"), "square": ("square01", "square02")},
    "mouth": {
        "smiling": ("smile01", "smile02"),
        "serious": ("square01", "square02"),
        "grinning": ("grill03", "bite"),
        "grille": ("grill02",),
    },
    "eyes": {
        "small": ("round",),
        "big": ("bulging",),
        "heart": ("hearts",),
        "crossed": ("dizzy",),
        "visor": ("frame1", "roundFrame01"),
        "sunglasses": ("shade01",),
    },
    "texture": {"plain": ("",), "dirty": ("dirty01", "dirty02"), "circuits": ("circuits",), "camouflage": ("camo01",)},
}


@cache
def _parts() -> dict[str, dict[str, str]]:
    parts: dict[str, dict[str, str]] = json.loads(PARTS_FILE.read_text("utf-8"))["drawings"]
    return parts


def _drawing(robot: Robot, kind: str) -> str:
    """The SVG of one kind; every kind reads a bit of its own of `variant`, so kinds vary independently."""
    names = DRAWINGS[kind][robot.head if kind == "face" else getattr(robot, kind)]
    name = names[(robot.variant >> list(DRAWINGS).index(kind)) % len(names)]
    return _parts()[kind][name] if name else ""


def figure(robot: Robot, kinds: tuple[str, ...] = tuple(_PLACES)) -> str:
    """The robot, or only some of its kinds of drawing, as an SVG group on the canvas of 280 x 280 units."""
    factor = robot.scale * CANVAS / _SIDE
    x, y = (CANVAS * ((1 - robot.scale) / 2 + shift) for shift in robot.shift)
    drawn = "".join(
        f'<g transform="translate({left} {top})">{_drawing(robot, kind)}</g>'
        for kind, (left, top) in _PLACES.items()
        if kind in kinds
    )
    drawn = drawn.replace("$texture", _drawing(robot, "texture")).replace("$color", COLORS[robot.color])
    return f'<g fill="none" transform="translate({x:.3f} {y:.3f}) scale({factor:.4f})">{drawn}</g>'


def render(robot: Robot, size: int = 128) -> NDArray[np.uint8]:
    """Rasterise a robot: (size, size, 3) uint8 sRGB; see `s2edit.research.starter.renderer.render`."""
    return rasterise(BACKGROUNDS[robot.background], robot.scene, figure(robot), size)
