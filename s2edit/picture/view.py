"""From the painter's crop to the part of it that the model is shown, and its result back into the crop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import overload

import numpy as np
from numpy.typing import NDArray

from ..requests import ComposeRequest, EditRequest, EditResult, Mask, Pixels
from .framing import Framing
from .imaging import bounding_box, seen
from .region import Box, square_around

_LOOKED_AT = 512
"""Pixels along the shorter side that the framing network's looks are taken from, at least where there are as many."""
_CUT = 0.25
"""The part of an edge that has to change for an edit to count as one that goes on beyond it."""
_FADING = 16
"""The part of a view's side over which an edit sinks to nothing is one in so many."""


def view_of(framing: Framing | None, image: Pixels, masks: Iterable[Mask | None]) -> Box:
    """The part of a picture (H×W×C) that the model is shown: the whole, or the square its framing network finds.

    Args:
        masks: all that was painted on it, H×W uint8; None for what was not.
    """
    if framing is None:
        return (0, 0, image.shape[1], image.shape[0])
    # Where something stands can be told from a picture of some hundred pixels; 8k would take a gigabyte of memory.
    step = max(1, min(image.shape[:2]) // _LOOKED_AT)
    painted = [mask > 127 for mask in masks if mask is not None]
    mask_box = bounding_box(np.logical_or.reduce(painted)) if painted else None
    frame = framing.find(seen(image[::step, ::step])[0])
    whole = (0, 0, image.shape[1], image.shape[0])
    if frame is None:
        return whole
    square = (frame.x * step, frame.y * step, frame.side * step)
    return square_around(square, mask_box, (image.shape[1], image.shape[0])) or whole


def edit_view(framing: Framing | None, request: EditRequest) -> tuple[EditRequest, Box]:
    """The request for the part of its picture that the model is shown, and that part."""
    masks = [request.edit_mask, *(spec.mask for spec in request.objects)]
    box = view_of(framing, request.image, masks)
    objects = tuple(replace(spec, mask=_cut(spec.mask, box)) for spec in request.objects)
    cut = replace(request, image=_cut(request.image, box), objects=objects, edit_mask=_cut(request.edit_mask, box))
    return cut, box


def compose_view(framing: Framing | None, request: ComposeRequest) -> tuple[ComposeRequest, Box]:
    """As `edit_view`; of the reference, too, the model is shown what it knows."""
    box = view_of(framing, request.image, [request.mask, request.edit_mask])
    other = view_of(framing, request.reference, [request.reference_mask])
    cut = replace(
        request,
        image=_cut(request.image, box),
        mask=_cut(request.mask, box),
        edit_mask=_cut(request.edit_mask, box),
        reference=_cut(request.reference, other),
        reference_mask=_cut(request.reference_mask, other),
    )
    return cut, box


def placed(result: EditResult, view: Box, size: tuple[int, int], *, fading: bool = False) -> EditResult:
    """The result of a view as one of the whole crop, (H, W): alpha and object mask are 0 around it.

    Args:
        fading: whether alpha sinks towards the view's edges that lie inside the crop: what goes on beyond them, such as
            a wall, would end there as if cut off.
    """
    x, y, width, height = view
    result = replace(result, record=result.record | {"view": list(view)})
    if (height, width) == size:
        return result
    if fading:
        ramp = np.outer(_ramp(y, height, size[0]), _ramp(x, width, size[1]))
        alpha = (result.alpha * ramp).astype(result.alpha.dtype)
        record = result.record | {"fades": _is_cut(result.alpha, view, size)}
        result = replace(result, alpha=alpha, box=bounding_box(alpha > 0), record=record)

    def whole(part: Pixels) -> Pixels:
        found = np.zeros((*size, *part.shape[2:]), part.dtype)
        found[y : y + height, x : x + width] = part
        return found

    left, top, wide, high = result.box
    return replace(
        result,
        patch=whole(result.patch),
        alpha=whole(result.alpha),
        object_mask=whole(result.object_mask),
        box=(left + x, top + y, wide, high) if wide else result.box,
    )


def _is_cut(alpha: Pixels, view: Box, size: tuple[int, int]) -> bool:
    """Whether a good part of an edge of the view that lies inside the crop was meant to change."""
    x, y, width, height = view
    edges = (
        (alpha[0], y > 0),
        (alpha[-1], y + height < size[0]),
        (alpha[:, 0], x > 0),
        (alpha[:, -1], x + width < size[1]),
    )
    return any(is_inner and float((edge > 0).mean()) > _CUT for edge, is_inner in edges)


def _ramp(start: int, length: int, whole: int) -> NDArray[np.float64]:
    """1 along a side of the view, but for a slope at each end that is not the crop's own: float64 of its length."""
    slope = max(1, length // _FADING)
    at = (np.arange(length) + 0.5) / slope
    up = np.clip(at, 0, 1) if start > 0 else np.ones(length)
    down = np.clip(at[::-1], 0, 1) if start + length < whole else np.ones(length)
    return up * down


@overload
def _cut(array: Pixels, box: Box) -> Pixels: ...
@overload
def _cut(array: Mask | None, box: Box) -> Mask | None: ...
def _cut(array: Pixels | Mask | None, box: Box) -> Pixels | Mask | None:
    x, y, width, height = box
    return None if array is None else np.ascontiguousarray(array[y : y + height, x : x + width])
