"""Opening masks: what of a picture they mark, whichever way they were painted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from s2edit_wire.errors import WireError

from . import decoding, pictures
from .pictures import Box

if TYPE_CHECKING:
    from collections.abc import Iterable

BORDER = 127
"""Coverage (0 to 255) over which a pixel is marked: the method knows inside and outside, and feathers by itself."""
CLEAR_SHARE = 0.005
"""Share of see-through pixels from which the mask is taken for painted on nothing."""
MOTTLED_SHARE = 0.02
"""Share of the painted pixels, both near black and near white, from which the paint's brightness is what is meant."""
MUCH = 0.6
"""Share of the picture over which marking is more often a mask the wrong way round than meant."""


def open_mask(path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A mask's coverage, H x W uint8; over `BORDER` a pixel is marked.

    Args:
        size: width and height that it must have, px.
    Raises:
        WireError: bad_mask or bad_image.
    """
    opened = pictures.opened(path)
    image = opened.image
    if (image.width, image.height) != size:
        raise WireError(
            "bad_mask",
            f"The mask “{path.name}” has {image.width} × {image.height} pixels, the picture {size[0]} × {size[1]}.",
            "Save the mask at the picture's size.",
        )
    colours, bits = pictures.colours_and_bits(image)
    if colours is None or bits is None:
        raise WireError(
            "bad_mask", f"The mask “{path.name}” is {pictures.in_words(image)}.", "Save it as an 8-bit gray PNG."
        )
    try:
        samples = image.numpy()
    except Exception as error:
        raise decoding.damaged(path) from error
    coverage = _coverage(samples if samples.ndim == 3 else samples[:, :, None], colours, bits)
    if not coverage.any():
        raise WireError(
            "bad_mask", f"The mask “{path.name}” marks nothing: it is all black.", "Paint the object white."
        )
    if int(coverage.max()) <= BORDER:
        most = int(coverage.max()) * 100 // 255
        raise WireError(
            "bad_mask",
            f"The mask “{path.name}” marks nothing: it reaches {most} %, and a pixel counts from 50 % on.",
            "Paint the object white, or opaque.",
        )
    return coverage


def bounding_box(masks: list[NDArray[np.uint8]]) -> Box | None:
    """The smallest box around all that the masks mark, or None without masks."""
    if not masks:
        return None
    columns = np.logical_or.reduce([(mask > BORDER).any(axis=0) for mask in masks]).nonzero()[0]
    rows = np.logical_or.reduce([(mask > BORDER).any(axis=1) for mask in masks]).nonzero()[0]
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1


def share(mask: NDArray[np.uint8]) -> float:
    """Share of the picture that is marked, 0 to 1."""
    return float((mask > BORDER).mean())


def sentences(named: Iterable[tuple[str, NDArray[np.uint8]]]) -> list[tuple[str, bool]]:
    """How much each mask marks, and whether that is so much that one should look.

    Args:
        named: what people call the mask, such as `The mask`, and its coverage.
    """
    result = []
    for name, mask in named:
        part = share(mask)
        words = f"{part:.0%}" if part >= 0.01 else f"{part:.2%}"
        said = f"{name} marks {words} of the picture.".replace("%", " %")
        if part > MUCH:
            said += " If the rest was meant, turn the mask round (white where the object is)."
        result.append((said, part > MUCH))
    return result


def to_8_bits_up(plane: NDArray[Any]) -> NDArray[np.uint8]:
    """16-bit coverage at 8 bits, rounded up: what is marked at all stays marked."""
    return ((plane.astype(np.uint32) + 256) // 257).astype(np.uint8)


def _coverage(pixels: NDArray[Any], colours: int, bits: int) -> NDArray[np.uint8]:
    bright = _to_8_bits(pixels[:, :, :colours].max(axis=2), bits)
    if pixels.shape[2] == colours:
        return np.ascontiguousarray(bright)
    alpha = _to_8_bits(pixels[:, :, -1], bits)
    if (alpha <= BORDER).mean() >= CLEAR_SHARE and not _mottled(bright[alpha > BORDER]):
        return np.ascontiguousarray(alpha)
    # White on black, with an alpha channel that says little: colours under alpha 0 are nobody's.
    return np.rint(bright.astype(np.float32) * alpha / 255).astype(np.uint8)


def _mottled(painted: NDArray[np.uint8]) -> bool:
    if not painted.size:
        return False
    return bool((painted < 32).mean() >= MOTTLED_SHARE and (painted > 223).mean() >= MOTTLED_SHARE)


def _to_8_bits(plane: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    return to_8_bits_up(plane) if bits == 16 else plane.astype(np.uint8)
