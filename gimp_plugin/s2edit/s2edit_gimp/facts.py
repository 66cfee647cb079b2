"""What the editors' one mind has to know of GIMP's layers."""

from __future__ import annotations

from collections.abc import Sequence

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


def mark_of(layer: Gimp.Item) -> str:
    """A layer's name for the one mind: its tattoo, which GIMP keeps in XCF files."""
    return str(layer.get_tattoo())


def by_marks(image: Gimp.Image, found: Sequence[str]) -> list[Gimp.Layer]:
    """The layers with these marks."""
    return [image.get_layer_by_tattoo(int(mark)) for mark in found]


def layers(image: Gimp.Image) -> list[Layer]:
    """All layers from the top down, a group before what is in it."""
    return _in(image.get_layers(), "")


def facts(layer: Gimp.Layer, parent: str = "") -> Layer:
    """What is to be known of one layer; filters on it count as a mask, since they too change how it is seen."""
    _ok, x, y = layer.get_offsets()
    made = marks.read_map(layer, MASK_PARASITE)
    hidden = layer.get_mask() is not None and layer.get_apply_mask()
    return Layer(
        str(layer.get_tattoo()),
        layer.get_name(),
        Box(x, y, layer.get_width(), layer.get_height()),
        parent,
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


def _in(found: Sequence[Gimp.Layer], parent: str) -> list[Layer]:
    known = []
    for layer in found:
        known.append(facts(layer, parent))
        if layer.is_group():
            known += _in(layer.get_children(), str(layer.get_tattoo()))
    return known
