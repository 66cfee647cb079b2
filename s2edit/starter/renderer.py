"""Draw a portrait as vectors, rasterise it at any size: python-avatars' figure before a shaded, textured wall."""

from __future__ import annotations

import colorsys
import io
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from s2edit.starter.attributes import (
    BACKGROUNDS,
    CLOTHING_COLORS,
    HAIR_COLORS,
    SKINS,
    Portrait,
    sample_attributes,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CANVAS = 280.0  # the figure of python-avatars is 264 x 280 units
_FIGURE = 264.0

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
    return (_CANVAS - _FIGURE * scale) / 2 + shift[0] * _CANVAS, 6.0 + shift[1] * _CANVAS


@cache
def _library() -> Any:
    import python_avatars

    return python_avatars


def _figure(portrait: Portrait) -> str:
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
    return str(svg)


def _tint(color: str, rng: np.random.Generator) -> tuple[float, float, float]:
    """The wall's own shade of a named colour: the same name, never exactly the same paint."""
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    hue += rng.uniform(-0.012, 0.012)
    light = float(np.clip(light + rng.uniform(-0.045, 0.045), 0.05, 0.96))
    return colorsys.hls_to_rgb(hue % 1.0, light, float(np.clip(saturation * rng.uniform(0.88, 1.1), 0, 1)))


def _hex(color: tuple[float, float, float], factor: float = 1.0) -> str:
    return "#" + "".join(f"{round(255 * min(1.0, max(0.0, part * factor))):02x}" for part in color)


def _texture(rng: np.random.Generator) -> str:
    """Low-contrast marks over the wall, of one of five kinds; white or black at a few per cent opacity."""
    kind = rng.choice(["plain", "spots", "stripes", "grid", "clouds"])
    ink = rng.choice(["#ffffff", "#000000"])
    opacity = rng.uniform(0.04, 0.13)
    if kind == "plain":
        return ""
    if kind == "stripes":
        step, angle = rng.uniform(22, 60), rng.uniform(0, 180)
        bars = "".join(
            f'<rect x="{x:.1f}" y="-140" width="{step / 2:.1f}" height="560"/>' for x in np.arange(-140, 420, step)
        )
        return f'<g fill="{ink}" opacity="{opacity:.3f}" transform="rotate({angle:.1f} 140 140)">{bars}</g>'
    if kind == "grid":
        step = rng.uniform(30, 70)
        start = rng.uniform(0, step)
        path = "".join(f"M{x:.1f} 0V280M0 {x:.1f}H280" for x in np.arange(start, 280, step))
        return f'<path d="{path}" stroke="{ink}" stroke-width="{step / 7:.1f}" opacity="{opacity:.3f}" fill="none"/>'
    low, high, count = (5, 16, 26) if kind == "spots" else (35, 80, 8)
    marks = "".join(
        f'<circle cx="{rng.uniform(0, 280):.1f}" cy="{rng.uniform(0, 280):.1f}" r="{rng.uniform(low, high):.1f}"/>'
        for _ in range(count)
    )
    return f'<g fill="{ink}" opacity="{opacity:.3f}">{marks}</g>'


def _wall(portrait: Portrait) -> str:
    """Background: a linear shade across, a texture, and a soft light, all drawn from `scene`."""
    rng = np.random.default_rng([0xBAC, portrait.scene])
    base = _tint(BACKGROUNDS[portrait.background], rng)
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.22)
    dx, dy = np.cos(angle) / 2, np.sin(angle) / 2
    light_x, light_y, glow = rng.uniform(0.1, 0.9), rng.uniform(0.0, 0.8), rng.uniform(0.0, 0.3)
    start, end = f'x1="{0.5 - dx:.3f}" y1="{0.5 - dy:.3f}"', f'x2="{0.5 + dx:.3f}" y2="{0.5 + dy:.3f}"'
    return (
        f'<defs><linearGradient id="wall" {start} {end}><stop offset="0" stop-color="{_hex(base, 1 + depth / 2)}"/>'
        f'<stop offset="1" stop-color="{_hex(base, 1 - depth)}"/>'
        f'</linearGradient><radialGradient id="lamp" cx="{light_x:.3f}" cy="{light_y:.3f}" r="0.7">'
        f'<stop offset="0" stop-color="#fff" stop-opacity="{glow:.3f}"/>'
        '<stop offset="1" stop-color="#fff" stop-opacity="0"/>'
        f'</radialGradient></defs><rect width="280" height="280" fill="url(#wall)"/>{_texture(rng)}'
        '<rect width="280" height="280" fill="url(#lamp)"/>'
    )


def portrait_svg(portrait: Portrait) -> str:
    """The whole portrait as one square SVG document of 280 x 280 units."""
    x, y = origin(portrait.scale, portrait.shift)
    place = f"translate({x:.3f} {y:.3f}) scale({portrait.scale:.4f})"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 280 280">'
        f'{_wall(portrait)}<g transform="{place}">{_figure(portrait)}</g></svg>'
    )


def render(portrait: Portrait, size: int = 128) -> NDArray[np.uint8]:
    """Rasterise a portrait.

    Args:
        portrait: what to draw.
        size: side of the square picture in pixels, 16 to 8192.

    Returns:
        (size, size, 3) uint8 sRGB; the same portrait and size give the same bytes.

    Raises:
        ValueError: the size is out of range.
    """
    if not 16 <= size <= 8192:
        raise ValueError(f"A portrait can be 16 to 8192 pixels wide; {size} is not.")
    import resvg_py
    from PIL import Image

    png = bytes(resvg_py.svg_to_bytes(svg_string=portrait_svg(portrait), width=size, height=size))
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"), dtype=np.uint8)


def sample_portrait(seed: int, size: int = 128) -> tuple[NDArray[np.uint8], Portrait]:
    """A random portrait: its picture, (size, size, 3) uint8, and its attributes.

    Training has seen the seeds below `TRAINING_SEED_LIMIT`: use others for tests and samples.
    """
    portrait = sample_attributes(seed)
    return render(portrait, size), portrait
