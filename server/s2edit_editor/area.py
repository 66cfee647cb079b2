"""What of a document an edit is about: the layer's own box, cut to the canvas, and all boxes seen from there.

The daemon plans within that area as if it were the whole picture, so that a small layer fills the model's view.
"""

from __future__ import annotations

from collections.abc import Sequence

from s2edit_wire.errors import WireError

from .pixels import Box


def area_of(box: Box | None, canvas: tuple[int, int], name: str, *, told: str) -> Box:
    """The part of the canvas that a layer with these bounds covers.

    Args:
        box: its own bounds in canvas pixels, which may reach outside; None when nothing is on it.
        name: the layer's, for the error.
        told: the sentence for a layer that shows nothing on the canvas, with `{name}`.

    Raises:
        WireError: `bad_image` when it shows nothing there.
    """
    area = box and box.clipped(*canvas)
    if not area:
        raise WireError("bad_image", told.format(name=name))
    return area


def crop_on_canvas(area: Box, crop: Sequence[int]) -> Box:
    """The canvas box of a plan's `crop`."""
    return Box(*crop).out_of(area)
