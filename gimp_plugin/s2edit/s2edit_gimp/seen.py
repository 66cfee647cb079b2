"""What a result has to hold where its source is seen through a mask, faintly, or in another mode than Normal.

`s2edit_editor.delivery` says why: the colours that GIMP itself would show if the source were the result.
"""

from __future__ import annotations

from gi.repository import Gimp
from s2edit_editor.pixels import Picture
from s2edit_editor.samples import interleave, without_alpha

from . import marks
from .facts import MASK_PARASITE
from .pixels import read_colour, read_opacity, write_colour


def seen_through(image: Gimp.Image, source: Gimp.Layer, place: tuple[int, int], colours: Picture) -> Picture:
    """The colours of a box as the source's group shows them once the source's own are replaced.

    Args:
        source: the edited layer, which stays as it is.
        place: the box's left upper corner in the image; colours: 1 or 3 channels of the box's size.
    """
    copy = image.duplicate()  # shares its pixels with the image: nothing large is copied
    try:
        twin = _twin(image, copy, source)
        _leave_only_below(copy, twin)
        copy.crop(colours.width, colours.height, *place)
        if twin.is_group():
            if twin.get_mode() == Gimp.LayerMode.PASS_THROUGH:
                twin.set_mode(Gimp.LayerMode.NORMAL)  # only then it has a picture of its own
            twin = twin.merge()
        _replace(twin, colours)
        shown = Gimp.Layer.new_from_visible(copy, copy, "seen")
        seen = read_colour(shown, (0, 0, colours.width, colours.height))
        shown.delete()
        return without_alpha(seen)
    finally:
        copy.delete()


def _twin(image: Gimp.Image, copy: Gimp.Image, source: Gimp.Layer) -> Gimp.Layer:
    """The copy's layer in the same place of the tree."""
    path = []
    item = source
    while item is not None:
        path.append(image.get_item_position(item))
        item = item.get_parent()
    found = copy.get_layers()[path.pop()]
    while path:
        found = found.get_children()[path.pop()]
    return found


def _leave_only_below(copy: Gimp.Image, layer: Gimp.Layer) -> None:
    """Remove what is no part of the picture that a result over the layer is laid on: all above it, and mask layers.

    Within a group with a picture of its own, that is this group's; what is around it is removed, too.
    """
    item, alone = layer, False
    while item is not None:
        item.set_visible(True)
        parent = item.get_parent()
        siblings = copy.get_layers() if parent is None else parent.get_children()
        place = copy.get_item_position(item)
        for position, other in enumerate(siblings):
            if position < place or (position > place and (alone or marks.read_text(other, MASK_PARASITE))):
                copy.remove_layer(other)
        if parent is not None:
            if parent.get_mask() is not None:
                parent.remove_mask(Gimp.MaskApplyMode.DISCARD)
            parent.set_opacity(100.0)
            if parent.get_mode() != Gimp.LayerMode.PASS_THROUGH:
                parent.set_mode(Gimp.LayerMode.NORMAL)
                alone = True
        item = parent


def _replace(layer: Gimp.Layer, colours: Picture) -> None:
    """Give a layer of a cropped image these colours, at its own alpha, mask, opacity and mode."""
    for unlock in (layer.set_lock_content, layer.set_lock_position, layer.set_lock_alpha):
        unlock(False)
    _ok, x, y = layer.get_offsets()
    layer.resize(colours.width, colours.height, x, y)
    box = (0, 0, colours.width, colours.height)
    own = Picture(colours.width, colours.height, 1, colours.dtype, read_opacity(layer, box, colours.dtype))
    if not layer.has_alpha():
        layer.add_alpha()
    write_colour(layer, interleave(colours, own))
