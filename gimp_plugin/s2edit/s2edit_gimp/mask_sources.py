"""Where an object's mask comes from: the selection, the layer's mask, a channel, painted mask layers, or nowhere.

A mask layer is an ordinary layer whose painted parts are the mask; a parasite says for which layer and word it was made.
All boxes are (x, y, width, height) in the edited layer's own coordinates, whatever the mask itself is attached to.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from gi.repository import Gegl, Gimp
from s2edit_wire.limits import MAX_OBJECTS

from .pixels import Box, read_coverage, read_opacity
from .text import _

AUTOMATIC, SELECTION, LAYER_MASK, MASK_LAYERS, CHANNEL = "automatic", "selection", "layer-mask", "mask-layers", "channel"
SOURCES = (AUTOMATIC, SELECTION, LAYER_MASK, MASK_LAYERS, CHANNEL)
MASK_PARASITE = "s2edit-mask"
MASK_COLOUR = "red"
MASK_OPACITY = 50.0


@dataclass(frozen=True)
class Coverage:
    """One object's mask.

    Args:
        title: what it is called in the editor.
        word: the word it was painted for, "" if unknown.
        box: the smallest box that holds all of it.
        read: 8-bit coverage of a box, row by row.
        layer: the mask layer, None for other sources.
    """

    title: str
    word: str
    box: Box
    read: Callable[[Box], bytes]
    layer: Gimp.Layer | None = None


class NoMask(Exception):
    """The wanted mask is not there or marks nothing of the layer; the message says what to do."""


def collect(image: Gimp.Image, layer: Gimp.Layer, source: str, channel: str = "") -> list[Coverage]:
    """The masks of an edit of `layer`; none for AUTOMATIC. Raises NoMask."""
    if source == AUTOMATIC:
        return []
    if source == MASK_LAYERS:
        found = [_painted(layer, mask) for mask in mask_layers(image, layer)]
        masks = [mask for mask in found if mask is not None][:MAX_OBJECTS]
        if not masks:
            raise NoMask(_("No mask is painted yet. Choose “Paint Object Mask”, paint over the object, and try again."))
        return masks
    if source == SELECTION:
        if Gimp.Selection.is_empty(image):
            raise NoMask(_("Nothing is selected. Select the object first, or choose another mask."))
        drawable, title = image.get_selection(), _("Selection")
    elif source == LAYER_MASK:
        drawable, title = layer.get_mask(), _("Layer mask")
        if drawable is None:
            raise NoMask(_("This layer has no layer mask. Add one, or choose another mask."))
    else:
        drawable, title = image.get_channel_by_name(channel), channel
        if drawable is None:
            raise NoMask(_("There is no channel “{name}”.").format(name=channel))
    shift = (0, 0) if source == LAYER_MASK else _offsets(layer)

    def read(box: Box) -> bytes:
        return read_coverage(drawable, (box[0] + shift[0], box[1] + shift[1], box[2], box[3]))

    covered = _bounds(layer, read)
    if covered is None:
        raise NoMask(_("The mask “{name}” marks nothing of this layer.").format(name=title))
    return [Coverage(title, "", covered, read)]


def available(image: Gimp.Image, layer: Gimp.Layer) -> list[str]:
    """The sources that have something to offer now, the likeliest first."""
    offers = [
        (MASK_LAYERS, bool(mask_layers(image, layer))),
        (SELECTION, not Gimp.Selection.is_empty(image)),
        (LAYER_MASK, layer.get_mask() is not None),
        (AUTOMATIC, True),
        (CHANNEL, bool(image.get_channels())),
    ]
    return [source for source, there in offers if there]


def mask_layers(image: Gimp.Image, layer: Gimp.Layer) -> list[Gimp.Layer]:
    """The mask layers made for a layer, from the lowest up: the order in which they were painted."""
    tattoo = layer.get_tattoo()
    found = [candidate for candidate in _all_layers(image.get_layers()) if _made_for(candidate) == tattoo]
    return list(reversed(found))


def edited_layer(image: Gimp.Image, drawable: Gimp.Drawable) -> Gimp.Drawable:
    """The layer that an edit started from `drawable` is about: for a mask layer, the one it was made for."""
    tattoo = _made_for(drawable)
    layer = image.get_layer_by_tattoo(tattoo) if tattoo else None
    return layer if layer is not None else drawable


def mark(mask: Gimp.Layer, layer: Gimp.Layer, word: str) -> None:
    """Say of a layer that it is a mask for `layer` and the object `word`."""
    data = json.dumps({"layer": layer.get_tattoo(), "word": word}).encode()
    mask.attach_parasite(Gimp.Parasite.new(MASK_PARASITE, Gimp.PARASITE_PERSISTENT, data))


def _mark_of(layer: Gimp.Drawable) -> dict[str, object]:
    parasite = layer.get_parasite(MASK_PARASITE)
    if parasite is None:
        return {}
    try:
        value = json.loads(bytes(parasite.get_data()))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _made_for(layer: Gimp.Drawable) -> int:
    value = _mark_of(layer).get("layer", 0)
    return value if isinstance(value, int) else 0


def _painted(layer: Gimp.Layer, mask: Gimp.Layer) -> Coverage | None:
    own, other = _offsets(layer), _offsets(mask)
    shift = (own[0] - other[0], own[1] - other[1])

    def read(box: Box) -> bytes:
        return read_opacity(mask, (box[0] + shift[0], box[1] + shift[1], box[2], box[3]))

    covered = _bounds(layer, read)
    if covered is None:
        return None
    return Coverage(mask.get_name(), str(_mark_of(mask).get("word", "")), covered, read, mask)


def _bounds(layer: Gimp.Layer, read: Callable[[Box], bytes]) -> Box | None:
    width, height = layer.get_width(), layer.get_height()
    return covered_box(read((0, 0, width, height)), width, height)


def covered_box(data: bytes, width: int, height: int) -> Box | None:
    """The smallest box that holds every non-zero byte of a width x height plane; None when all are zero."""
    lead = len(data) - len(data.lstrip(b"\0"))
    if lead == len(data):
        return None
    top, bottom = lead // width, (len(data.rstrip(b"\0")) - 1) // width
    left, right = width, 0
    for row in range(top, bottom + 1):
        line = data[row * width : (row + 1) * width]
        start = width - len(line.lstrip(b"\0"))
        if start < width:
            left, right = min(left, start), max(right, len(line.rstrip(b"\0")))
    return left, top, right - left, bottom - top + 1


def _offsets(item: Gimp.Item) -> tuple[int, int]:
    _ok, x, y = item.get_offsets()
    return x, y


def _all_layers(layers: list[Gimp.Layer]) -> list[Gimp.Layer]:
    found = []
    for layer in layers:
        found.append(layer)
        if layer.is_group():
            found += _all_layers(layer.get_children())
    return found


def paint_layer(image: Gimp.Image, layer: Gimp.Layer, word: str = "") -> Gimp.Layer:
    """An empty mask layer over `layer`, half opaque, chosen for painting with a red brush; one undo step."""
    number = len(mask_layers(image, layer)) + 1
    name = _("S²Edit mask: {word}").format(word=word) if word else _("S²Edit mask {number}").format(number=number)
    image.undo_group_start()
    try:
        kind = Gimp.ImageType.RGBA_IMAGE if image.get_base_type() == Gimp.ImageBaseType.RGB else Gimp.ImageType.GRAYA_IMAGE
        mask = Gimp.Layer.new(
            image, name, layer.get_width(), layer.get_height(), kind, MASK_OPACITY, Gimp.LayerMode.NORMAL
        )
        image.insert_layer(mask, layer.get_parent(), image.get_item_position(layer))
        mask.set_offsets(*_offsets(layer))
        mark(mask, layer, word)
        image.set_selected_layers([mask])
    finally:
        image.undo_group_end()
    Gimp.context_set_foreground(Gegl.Color.new(MASK_COLOUR))
    Gimp.context_set_paint_method("gimp-paintbrush")
    Gimp.displays_flush()
    return mask
