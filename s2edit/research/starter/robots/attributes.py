"""What a robot is made of: a frozen record whose fields can be changed one at a time, and its random draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from s2edit.research.starter.attributes import BACKGROUNDS, draw_value
from s2edit.research.starter.domain import Thing

if TYPE_CHECKING:
    from collections.abc import Mapping

COLORS = {
    "gray": "#757b82",
    "red": "#e53935",
    "orange": "#fb8c00",
    "yellow": "#fdd835",
    "green": "#2f9e44",
    "blue": "#1e66d8",
    "purple": "#7e34c9",
    "pink": "#ec407a",
}

# How often each value is drawn.
HEADS = {"round": 50, "square": 50}
EYES = {"small": 22, "big": 22, "heart": 13, "crossed": 11, "visor": 18, "sunglasses": 14}
MOUTHS = {"smiling": 38, "serious": 26, "grinning": 18, "grille": 18}
TOPS = {"none": 22, "antenna": 24, "bulb": 16, "horns": 14, "radar": 13, "pyramid": 11}
SIDES = {"none": 34, "ears": 36, "cables": 30}
TEXTURES = {"plain": 50, "dirty": 20, "circuits": 16, "camouflage": 14}

VALUES: dict[str, tuple[str, ...]] = {
    "color": tuple(COLORS),
    "head": tuple(HEADS),
    "eyes": tuple(EYES),
    "mouth": tuple(MOUTHS),
    "top": tuple(TOPS),
    "sides": tuple(SIDES),
    "texture": tuple(TEXTURES),
    "background": tuple(BACKGROUNDS),
}


@dataclass(frozen=True, slots=True)
class Robot(Thing):
    """One robot, fully described.

    The named fields take the values listed in `VALUES`. `variant` picks among drawings of the same value; `scene` seeds
    the background's shading, texture and tint; `scale` (0.86 to 0.97) and `shift` (fractions of the picture, x then y,
    within ±0.04) place the figure.
    """

    VALUES: ClassVar[Mapping[str, tuple[str, ...]]] = VALUES

    color: str = "blue"
    head: str = "square"
    eyes: str = "small"
    mouth: str = "smiling"
    top: str = "none"
    sides: str = "none"
    texture: str = "plain"
    background: str = "white"
    variant: int = 0
    scene: int = 0
    scale: float = 0.93
    shift: tuple[float, float] = (0.0, 0.0)


def seen_well(color: str, eyes: str, background: str) -> bool:
    """Whether the robot stands out from its wall and its eyes from it: heart eyes are red."""
    return color != background and (eyes != "heart" or color not in {"red", "orange", "pink"})


def sample_robot(seed: int) -> Robot:
    """Draw a robot from the training distribution; the same seed gives the same robot.

    All of it can be seen well. Seeds below `TRAINING_SEED_LIMIT` belong to training.
    """
    rng = np.random.default_rng([0xB07, seed])
    while True:
        color, eyes, background = (
            str(rng.choice(list(COLORS))),
            draw_value(rng, EYES),
            str(rng.choice(list(BACKGROUNDS))),
        )
        if seen_well(color, eyes, background):
            break
    return Robot(
        color=color,
        head=draw_value(rng, HEADS),
        eyes=eyes,
        mouth=draw_value(rng, MOUTHS),
        top=draw_value(rng, TOPS),
        sides=draw_value(rng, SIDES),
        texture=draw_value(rng, TEXTURES),
        background=background,
        variant=int(rng.integers(1 << 16)),
        scene=int(rng.integers(1 << 31)),
        scale=float(rng.uniform(0.86, 0.97)),
        shift=(float(rng.uniform(-0.04, 0.04)), float(rng.uniform(0.0, 0.04))),
    )


def visible(robot: Robot) -> frozenset[str]:
    """The named fields that the picture shows: of a robot, all of them."""
    return frozenset(robot.VALUES)
