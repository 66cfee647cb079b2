"""Draw a portrait as vectors, rasterise it at any size: python-avatars' figure before a shaded, textured wall."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from s2edit.research.starter.attributes import (
    BACKGROUNDS,
    CLOTHING_COLORS,
    HAIR_COLORS,
    SKINS,
    Portrait,
    sample_attributes,
)
from s2edit.research.starter.canvas import CANVAS, cut_out, rasterise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FIGURE = 264.0  # python-avatars draws on 264 x 280 units

# WAYFARERS have dark lenses, so they are sunglasses here; the frames that show the eyes are glasses.
_DRAWINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "hair": {
        "bald": ("NONE",),
        "short": ("SHORT_FLAT", "SHORT_ROUND", "CAESAR"),
        "long": ("STRAIGHT_STRAND", "LONG_NOT_TOO_LONG"),
        "wavy": ("LOOSE_HAIR",),
        "curly": ("CURLY",),
        "bob": ("BOB", "MIA_WALLACE"),
        "bun": ("BUN",),
        "afro": ("FRO",),
        "dreadlocks": ("DREADS",),
        "quiff": ("QUIFF",),
        "mohawk": ("MOHAWK",),
    },
    "hat": {"hat": ("HAT",), "winter hat": ("WINTER_HAT_3", "WINTER_HAT_2"), "turban": ("TURBAN",)},
    "facial_hair": {
        "none": ("NONE",),
        "beard": ("BEARD_MEDIUM",),
        "long beard": ("BEARD_MAGESTIC",),
        "moustache": ("MOUSTACHE_MAGNUM", "MOUSTACHE_FANCY"),
    },
    "accessory": {
        "none": ("NONE",),
        "glasses": ("PRESCRIPTION_2", "ROUND"),
        "sunglasses": ("WAYFARERS", "SUNGLASSES"),
        "eyepatch": ("EYEPATCH",),
    },
    "mouth": {
        "smiling": ("SMILE", "BIG_SMILE"),
        "serious": ("SERIOUS",),
        "sad": ("SAD",),
        "surprised": ("DISBELIEF",),
        "angry": ("GRIMACE",),
    },
    "brows": {
        "smiling": ("DEFAULT_NATURAL",),
        "serious": ("FLAT_NATURAL",),
        "sad": ("SAD_CONCERNED_NATURAL",),
        "surprised": ("RAISED_EXCITED_NATURAL",),
        "angry": ("ANGRY_NATURAL",),
    },
    "eyes": {"open": ("DEFAULT",), "closed": ("CLOSED",), "winking": ("WINK",)},
    "clothes": {
        "t-shirt": ("SHIRT_CREW_NECK", "SHIRT_V_NECK"),
        "hoodie": ("HOODIE",),
        "sweater": ("COLLAR_SWEATER",),
        "overalls": ("OVERALL",),
        "suit": ("BOND_SUIT",),
    },
}


def _choice(kind: str, value: str, variant: int) -> tuple[int, int]:
    """Which drawing of a value, and from which bit of `variant` on that is read: kinds vary independently."""
    bit = 2 * list(_DRAWINGS).index(kind) % 14
    return (variant >> bit) % len(_DRAWINGS[kind][value]), bit


def _drawing(kind: str, value: str, variant: int) -> str:
    """The drawing's name in python-avatars."""
    return _DRAWINGS[kind][value][_choice(kind, value, variant)[0]]


def least_variant(kind: str, value: str, variant: int) -> int:
    """The smallest `variant` that gives the same drawing of a kind's value (kind: hair, hat, mouth, clothes, …)."""
    number, bit = _choice(kind, value, variant)
    return number << bit


def origin(scale: float, shift: tuple[float, float]) -> tuple[float, float]:
    """Where the figure's upper left corner stands, x then y, in units of 1/280 of the picture's side."""
    return (CANVAS - _FIGURE * scale) / 2 + shift[0] * CANVAS, 6.0 + shift[1] * CANVAS


@cache
def _library() -> Any:
    import python_avatars

    return python_avatars


def _darkened(svg: str, drawing: str) -> str:
    """A figure whose sunglasses hide the eyes: their lenses 95 instead of 70 per cent opaque, and nothing else changed.

    The lenses are what uses a path of the drawing's own, by its name, and is nearly opaque.
    """
    lens = rf'fill-opacity="0\.7\d*"(?=[^>]*href="#{drawing.lower()}_path-\d+")'
    return re.sub(lens, 'fill-opacity="0.95"', svg)


def _figure(portrait: Portrait, *, dark_lenses: bool = False) -> str:
    """The figure alone as an SVG document of 264 x 280 units, transparent behind."""
    avatars = _library()

    def pick(enum: str, kind: str, value: str) -> Any:
        return getattr(getattr(avatars, enum), _drawing(kind, value, portrait.variant))

    top = pick("HairType", "hair", portrait.hair) if portrait.hat == "none" else pick("HatType", "hat", portrait.hat)
    surprised = portrait.mood == "surprised" and portrait.eyes == "open"
    svg = avatars.Avatar(
        style=avatars.AvatarStyle.TRANSPARENT,
        top=top,
        hat_color=CLOTHING_COLORS[portrait.hat_color],
        hair_color=HAIR_COLORS[portrait.hair_color],
        facial_hair=pick("FacialHairType", "facial_hair", portrait.facial_hair),
        facial_hair_color=HAIR_COLORS[portrait.hair_color],
        accessory=pick("AccessoryType", "accessory", portrait.accessory),
        mouth=pick("MouthType", "mouth", portrait.mood),
        eyebrows=pick("EyebrowType", "brows", portrait.mood),
        eyes=avatars.EyeType.SURPRISED if surprised else pick("EyeType", "eyes", portrait.eyes),
        skin_color=SKINS[portrait.skin],
        clothing=pick("ClothingType", "clothes", portrait.clothes),
        clothing_color=CLOTHING_COLORS[portrait.clothes_color],
    ).render()
    dark = dark_lenses and portrait.accessory == "sunglasses"
    return _darkened(str(svg), _drawing("accessory", "sunglasses", portrait.variant)) if dark else str(svg)


def standing(portrait: Portrait, *, dark_lenses: bool = False) -> str:
    """The figure where it stands on a canvas of 280 x 280 units, as an SVG group without a wall behind."""
    x, y = origin(portrait.scale, portrait.shift)
    figure = _figure(portrait, dark_lenses=dark_lenses)
    return f'<g transform="translate({x:.3f} {y:.3f}) scale({portrait.scale:.4f})">{figure}</g>'


def render(portrait: Portrait, size: int = 128, *, dark_lenses: bool = False) -> NDArray[np.uint8]:
    """Rasterise a portrait.

    Args:
        portrait: what to draw.
        size: side of the square picture in pixels, 16 to 8192.
        dark_lenses: sunglasses through which no eyes are seen. The shipped checkpoint learned from the lighter ones, so
            what it is measured against has those.

    Returns:
        (size, size, 3) uint8 sRGB; the same portrait and size give the same bytes.

    Raises:
        ValueError: the size is out of range.
    """
    return rasterise(
        BACKGROUNDS[portrait.background], portrait.scene, standing(portrait, dark_lenses=dark_lenses), size
    )


def rendered_figure(portrait: Portrait, size: int) -> NDArray[np.uint8]:
    """The portrait without its wall: (size, size, 4) uint8, straight alpha; raises as `render`."""
    return cut_out(standing(portrait), size)


def sample_portrait(seed: int, size: int = 128) -> tuple[NDArray[np.uint8], Portrait]:
    """A random portrait: its picture, (size, size, 3) uint8, and its attributes.

    Training has seen the seeds below `TRAINING_SEED_LIMIT`: use others for tests and samples.
    """
    portrait = sample_attributes(seed)
    return render(portrait, size), portrait
