"""What the editors' one mind has to know of GIMP's layers."""

from __future__ import annotations

from gi.repository import Gimp
from s2edit_editor.host import NORMAL, Layer
from s2edit_editor.pixels import Box

from . import marks

SOURCE_PARASITE = "s2edit-source"
"""On a result: the tattoo of the layer that it was made from."""
MASKS_PARASITE = "s2edit-masks"
"""On a result: the tattoos of the mask layers that it was made with."""
MASK_PARASITE = "s2edit-mask"
"""On a painted mask: for which layer and object it was made."""
_NORMAL = (Gimp.LayerMode.NORMAL, Gimp.LayerMode.NORMAL_LEGACY)


def offsets(item: Gimp.Item) -> tuple[int, int]:
    """Where it lies in the image."""
    _ok, x, y = item.get_offsets()
    return x, y


def stack(image: Gimp.Image) -> list[Gimp.Layer]:
    """All layers from the top down, a group before what is in it."""
    found = []
    waiting = list(image.get_layers())
    while waiting:
        layer = waiting.pop(0)
        found.append(layer)
        waiting[:0] = layer.get_children() if layer.is_group() else []
    return found


def layers(image: Gimp.Image) -> list[Layer]:
    """The same, as the one mind knows them."""
    return [_facts(layer) for layer in stack(image)]


def _facts(layer: Gimp.Layer) -> Layer:
    """What is to be known of one layer; filters on it count as a mask, since they too change how it is seen."""
    parent = layer.get_parent()
    made = marks.read_map(layer, MASK_PARASITE)
    hidden = layer.get_mask() is not None and layer.get_apply_mask()
    return Layer(
        str(layer.get_tattoo()),
        layer.get_name(),
        Box(*offsets(layer), layer.get_width(), layer.get_height()),
        "" if parent is None else str(parent.get_tattoo()),
        group=layer.is_group(),
        visible=layer.get_visible(),
        opacity=layer.get_opacity() / 100,
        mode=NORMAL if layer.get_mode() in _NORMAL else str(layer.get_mode().value_nick),
        own_mask=layer.get_mask() is not None,
        masked=hidden or any(effect.get_visible() for effect in layer.get_filters()),
        made_for=str(made.get("layer", "")),
        word=str(made.get("word", "")),
        made_from=marks.read_text(layer, SOURCE_PARASITE),
        made_with=tuple(marks.read_text(layer, MASKS_PARASITE).split()),
    )
