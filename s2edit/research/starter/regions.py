"""Where the parts of a portrait are, at the latents' resolution: known, because the renderer drew them.

A part's region is found once per drawing, as what changes when the part is taken away or repainted in a standing
figure, and then moved to where the portrait's figure stands.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from s2edit.research.starter.attributes import Portrait
from s2edit.research.starter.renderer import least_variant, origin, render

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTS = ("figure", "background", "hair", "hat", "facial_hair", "accessory", "mood", "eyes", "clothes", "skin")
_SIZE = 140
_STANDING = Portrait(hair="bald", scale=0.95)  # small enough that nothing is cut off below


def _changed(one: Portrait, other: Portrait) -> NDArray[np.bool_]:
    difference = np.abs(render(one, _SIZE).astype(np.int16) - render(other, _SIZE))
    return np.asarray(difference.max(axis=2) > 24)


@cache
def _template(part: str, value: str, variant: int) -> NDArray[np.bool_]:
    """A part's region in the standing figure, (140, 140) bool."""
    figure = _STANDING.change(variant=variant)
    if part == "skin":
        return _changed(figure.change(skin="pale"), figure.change(skin="dark"))
    if part == "eyes":
        return _changed(figure, figure.change(eyes="closed"))
    figure = figure.change(**{part: value})
    if part == "mood":
        return _changed(figure, figure.change(mood="sad" if value == "serious" else "serious"))
    if value == "suit":  # its colour is fixed
        return _changed(figure, figure.change(clothes="t-shirt", clothes_color="white"))
    if part == "clothes":
        return _changed(figure.change(clothes_color="white"), figure.change(clothes_color="black"))
    return _changed(figure, _STANDING.change(variant=variant))


@cache
def _outline(part: str, value: str, variant: int) -> NDArray[np.bool_]:
    """All but the wall of a standing figure with this hair, hat or clothes and else nothing, (140, 140) bool."""
    figure = _STANDING.change(variant=variant, **{part: value})
    return ~_changed(figure.change(background="white"), figure.change(background="purple"))


def _placed(template: NDArray[np.bool_], portrait: Portrait, side: int) -> NDArray[np.float32]:
    """Move a template to where the portrait's figure stands: (side, side) in 0 to 1, the covered part of each cell."""
    fine, pixel = 4 * side, _SIZE / 280
    step = 280 / fine * _STANDING.scale / portrait.scale * pixel
    starts = [
        pixel * (there - here * _STANDING.scale / portrait.scale)
        for here, there in zip(
            origin(portrait.scale, portrait.shift), origin(_STANDING.scale, _STANDING.shift), strict=True
        )
    ]
    image = Image.fromarray((255 * template).astype(np.uint8))
    matrix = (step, 0.0, starts[0], 0.0, step, starts[1])
    moved = image.transform((fine, fine), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    return np.asarray(moved.reduce(4)).astype(np.float32) / np.float32(255)


def part_regions(portrait: Portrait, side: int = 16) -> NDArray[np.float32]:
    """The region of every part.

    Args:
        portrait: what was drawn.
        side: cells along each side.

    Returns:
        (len(PARTS), side, side) in 0 to 1, the covered part of each cell; zeros where a part is missing or hidden.
    """
    found = {part: np.zeros((side, side), np.float32) for part in PARTS}
    outline = np.zeros((_SIZE, _SIZE), np.bool_)
    worn = "hair" if portrait.hat == "none" else "hat"
    for part in (worn, "facial_hair", "accessory", "mood", "eyes", "clothes", "skin"):
        value = str(getattr(portrait, part))
        kind = "mouth" if part == "mood" else part
        variant = 0 if part in ("eyes", "skin") else least_variant(kind, value, portrait.variant)
        if part in (worn, "clothes"):
            outline |= _outline(part, value, variant)
        if value not in ("none", "bald"):
            found[part] = _placed(_template(part, value, variant), portrait, side)
    found["skin"] *= 1 - np.maximum(found[worn], found["facial_hair"])
    found["figure"] = _placed(outline, portrait, side)
    found["background"] = 1 - found["figure"]
    return np.stack([found[part] for part in PARTS])
