"""Which part of the canvas is edited, and at what size the model sees it: integer arithmetic. Torch-free."""

from __future__ import annotations

import math

from ..errors import ImageError
from ..settings import Settings

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels."""

LATENT_STRIDE = 8
"""Pixels per latent cell of every Stable-Diffusion VAE."""

_WIDER = 1.35
"""How much wider a frame may become for what was painted."""
_ROOM = 1.08
"""How much more than the frame is shown: what it cuts off can't be edited, what it adds costs little."""
_NEARLY_WHOLE = 0.75
"""Share of the picture's longer side from which a frame is as good as the whole picture."""


def crop_for(canvas: tuple[int, int], mask_box: Box | None, settings: Settings, checkpoint_size: int) -> Box:
    """The crop that every client sends: the one place where it is chosen, for the planner and the benchmark alike.

    Args:
        canvas, mask_box: as for `crop_box`.
        settings: of the edit; their native size goes before the checkpoint's.
        checkpoint_size: short side that the checkpoint was trained at, px.
    Raises:
        ImageError: as `crop_box`.
    """
    native = settings.native_size or checkpoint_size
    return crop_box(canvas, mask_box, context=settings.blend.context, native=native)


def crop_box(canvas: tuple[int, int], mask_box: Box | None, *, context: float, native: int) -> Box:
    """The crop that is handed to `Engine.edit`: the mask's box and some surroundings.

    Args:
        canvas: width and height of the whole picture, px.
        mask_box: bounding box of the mask inside the canvas, or None for the whole picture.
        context: surroundings on each side as a fraction of the mask's longer side, 0 to 4.
        native: the model's short side, px; the crop is at least this large where the canvas has it.
    Returns:
        The crop, inside the canvas. Its sides are multiples of 8 where the canvas allows, and it is no more
        elongated than 2:1 where the canvas allows, since the model distorts what is longer.
    Raises:
        ImageError: the mask's box is empty or leaves the canvas.
    """
    width, height = canvas
    if width < 1 or height < 1:
        raise ImageError("The picture has no pixels.", code="image_size", hint="Choose another layer.")
    if mask_box is None:
        return (0, 0, width, height)
    x, y, w, h = mask_box
    if w < 1 or h < 1 or x < 0 or y < 0 or x + w > width or y + h > height:
        raise ImageError("The mask's box leaves the picture.", code="image_size", hint="Paint the mask again.")
    margin = round(context * max(w, h))
    sides = [max(w + 2 * margin, native), max(h + 2 * margin, native)]
    sides = [max(sides[0], -(-sides[1] // 2)), max(sides[1], -(-sides[0] // 2))]
    left, wide = _span(x, w, sides[0], width)
    top, high = _span(y, h, sides[1], height)
    return (left, top, wide, high)


def _span(start: int, length: int, wanted: int, limit: int) -> tuple[int, int]:
    """Start and length of an interval of about `wanted` around [start, start+length), inside [0, limit)."""
    wanted = -(-wanted // LATENT_STRIDE) * LATENT_STRIDE
    if wanted >= limit:
        return 0, limit
    first = start + length // 2 - wanted // 2
    return min(max(first, 0), limit - wanted), wanted


def square_around(frame: tuple[float, float, float], mask_box: Box | None, canvas: tuple[int, int]) -> Box | None:
    """The square of a picture that shows what a checkpoint knows as its training did.

    Args:
        frame: x, y and side of that square, px; it may reach beyond the canvas. mask_box: what was painted, or None.
        canvas: width and height, px.
    Returns:
        The square with some room around it, moved inside the canvas, widened to `_WIDER` times at most so that it holds
        the mask. None where the whole canvas is meant: the square nearly fills it, or what was painted lies elsewhere.
    """
    width, height = canvas
    side = _ROOM * frame[2]
    x, y = (place - (side - frame[2]) / 2 for place in frame[:2])
    if mask_box is not None:
        left, top = min(x, mask_box[0]), min(y, mask_box[1])
        wanted = max(max(x + side, mask_box[0] + mask_box[2]) - left, max(y + side, mask_box[1] + mask_box[3]) - top)
        if wanted > _WIDER * side:
            return None
        x, y = x - (x - left) * (wanted > side), y - (y - top) * (wanted > side)
        side = max(side, wanted)
    if side >= _NEARLY_WHOLE * max(width, height):
        return None
    first_x, first_y = math.floor(x), math.floor(y)
    length = min(max(math.ceil(x + side) - first_x, math.ceil(y + side) - first_y), width, height)
    found = (min(max(first_x, 0), width - length), min(max(first_y, 0), height - length), length, length)
    # A picture narrower than the square cuts it: what was painted must not be lost by that.
    return found if mask_box is None or _holds(found, mask_box) else None


def _holds(box: Box, other: Box) -> bool:
    beyond = (other[0] + other[2] > box[0] + box[2], other[1] + other[3] > box[1] + box[3])
    return box[0] <= other[0] and box[1] <= other[1] and not any(beyond)


def model_size(w: int, h: int, native: int, multiple: int) -> tuple[int, int]:
    """The size at which the model sees a crop.

    Args:
        w, h: the crop's size, px.
        native: short side that the checkpoint was trained at, px.
        multiple: 8 · 2^(levels - 1), so that every U-Net level halves exactly.
    Returns:
        (height, width), px, multiples of `multiple`: the short side is `native` rounded up, the long side keeps the
        aspect as nearly as the multiple allows, and is at most twice the short one (a longer crop is squeezed).
    Raises:
        ImageError: `image_size`, for a crop without pixels.
    """
    if w < 1 or h < 1:
        raise ImageError("The picture has no pixels.", code="image_size", hint="Choose another layer.")
    short = -(-native // multiple) * multiple
    ratio = min(max(w, h) / min(w, h), 2.0)
    longer = min(max(round(short * ratio / multiple) * multiple, short), 2 * short)
    return (short, longer) if w >= h else (longer, short)


def bucket_size(w: int, h: int, native: int, multiple: int) -> tuple[int, int]:
    """The size at which a model of equal areas sees a crop, as SDXL was trained (Podell et al., 2023, appendix I).

    Args:
        w, h: the crop's size, px. native: side of the square that the model was trained at, px.
        multiple: as for `model_size`; buckets are `native` / 16 apart, 64 px for SDXL's 1024, or one multiple.
    Returns:
        (height, width), px: of at most native² pixels and at most 2:1, nearest to the crop in its aspect.
    Raises:
        ImageError: `image_size`, for a crop without pixels.
    """
    if w < 1 or h < 1:
        raise ImageError("The picture has no pixels.", code="image_size", hint="Choose another layer.")
    step = -(-max(native // 16, 1) // multiple) * multiple
    square = -(-native // step) * step
    ratio = min(max(w, h) / min(w, h), 2.0)
    buckets = [(square, square)]
    for short in range(step, square, step):
        most = square * square // short // step * step
        buckets += [(short, long) for long in (most, most - step) if short < long <= 2 * short]
    short, long = min(buckets, key=lambda one: (abs(math.log(one[1] / one[0] / ratio)), -one[0] * one[1]))
    return (short, long) if w >= h else (long, short)
