"""Where an object's mask comes from: the selection, the layer's mask, a channel, painted mask layers, or nowhere.

A mask layer is an ordinary layer whose painted parts are the mask; a parasite says for which layer it was made.
All boxes are (x, y, width, height) in the edited layer's own coordinates, whatever the mask itself is attached to.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from gi.repository import Gegl, Gimp
from s2edit_editor import host, masks
from s2edit_editor.host import MaskChoice
from s2edit_editor.pixels import Picture
from s2edit_editor.text import _
from s2edit_wire.limits import MAX_OBJECTS

from . import marks
from .brush import choose_paintbrush
from .facts import MASK_PARASITE, by_marks, mark_of
from .facts import layers as stack
from .layers import place_over
from .pixels import Box, read_coverage, read_opacity, write_tint

AUTOMATIC, SELECTION, LAYER_MASK, MASK_LAYERS, CHANNEL = (
    "automatic",
    "selection",
    "layer-mask",
    "mask-layers",
    "channel",
)
EARLIER = "earlier-result"
SOURCE_OF = {
    host.AUTOMATIC: AUTOMATIC,
    host.SELECTION: SELECTION,
    host.LAYER_MASK: LAYER_MASK,
    host.PAINTED: MASK_LAYERS,
    host.CHANNEL: CHANNEL,
    host.EARLIER: EARLIER,
}
"""What the procedure's argument calls the kinds of mask."""


def kind_of(source: str) -> str:
    """What a recipe calls a source (`recipe.MASK_SOURCES`); "" for those of an earlier result, which had another."""
    return next((kind for kind, name in SOURCE_OF.items() if name == source and kind != host.EARLIER), "")


SOURCES = (AUTOMATIC, SELECTION, LAYER_MASK, MASK_LAYERS, CHANNEL, EARLIER)
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


def collect(
    image: Gimp.Image, layer: Gimp.Layer, source: str, channel: str = "", earlier: Gimp.Layer | None = None
) -> list[Coverage]:
    """The masks of an edit of `layer`; none for AUTOMATIC.

    Args:
        channel: the channel's name for CHANNEL.
        earlier: the result whose masks EARLIER takes; None for the newest.

    Raises NoMask.
    """
    if source == AUTOMATIC:
        return []
    known = stack(image)
    if source == EARLIER and earlier is None:
        earlier = next(iter(by_marks(image, [one.mark for one in masks.results_of(known, mark_of(layer))])), None)
    painted = mask_layers(image, layer) if source == MASK_LAYERS else []
    if source == EARLIER and earlier is not None:
        painted = by_marks(image, masks.used_by(known, mark_of(earlier)))
    found = [mask for mask in (_painted(layer, mask) for mask in painted) if mask is not None][:MAX_OBJECTS]
    if found:
        return found
    if source == MASK_LAYERS:
        raise NoMask(_("No mask is painted yet. Choose “Paint Object Mask”, paint over the object, and try again."))
    drawable, title = _drawable(image, layer, source, channel, earlier)
    shift = (0, 0) if source == LAYER_MASK else _offsets(layer)
    if source == EARLIER:
        # A layer mask has its layer's offsets, but GIMP tells them of the layer only.
        other = _offsets(Gimp.Layer.from_mask(drawable))
        shift = (shift[0] - other[0], shift[1] - other[1])

    def read(box: Box) -> bytes:
        return read_coverage(drawable, (box[0] + shift[0], box[1] + shift[1], box[2], box[3]))

    covered = _bounds(layer, read)
    if covered is None:
        trouble = masks.nothing_marked(MaskChoice(source, label=title))
        raise NoMask(f"{trouble.message} {trouble.hint}")
    return [Coverage(title, "", covered, read)]


def _drawable(
    image: Gimp.Image, layer: Gimp.Layer, source: str, channel: str, earlier: Gimp.Layer | None
) -> tuple[Gimp.Drawable, str]:
    """The drawable that holds the mask, and what to call it."""
    if source == SELECTION:
        if Gimp.Selection.is_empty(image):
            raise NoMask(_("Nothing is selected. Select the object first, or choose another mask."))
        return image.get_selection(), _("Selection")
    if source == LAYER_MASK:
        if layer.get_mask() is None:
            raise NoMask(_("This layer has no layer mask. Add one, or choose another mask."))
        return layer.get_mask(), _("Layer mask")
    if source == EARLIER:
        if earlier is None or earlier.get_mask() is None:
            raise NoMask(_("No earlier result of this layer has a mask. Choose another mask."))
        return earlier.get_mask(), _("Earlier result")
    found = image.get_channel_by_name(channel)
    if found is None:
        raise NoMask(_("There is no channel “{name}”.").format(name=channel))
    return found, channel


def available(image: Gimp.Image, layer: Gimp.Layer) -> list[str]:
    """The sources that have something to offer now, the likeliest first."""
    selected, channels = not Gimp.Selection.is_empty(image), bool(image.get_channels())
    return [SOURCE_OF[kind] for kind in masks.kinds(stack(image), mark_of(layer), selected=selected, channels=channels)]


def mask_layers(image: Gimp.Image, layer: Gimp.Layer) -> list[Gimp.Layer]:
    """The mask layers made for a layer (`masks.painted_for`)."""
    return by_marks(image, masks.painted_for(stack(image), mark_of(layer)))


def edited_layer(image: Gimp.Image, drawable: Gimp.Drawable) -> Gimp.Drawable:
    """The layer that an edit started from `drawable` is about: for a mask layer, the one it was made for."""
    return by_marks(image, [masks.edited(stack(image), mark_of(drawable))])[0]


def is_mask_layer(layer: Gimp.Drawable) -> bool:
    """Whether a layer was made to be painted on as a mask."""
    return bool(_made_for(layer))


def mark(mask: Gimp.Layer, layer: Gimp.Layer, word: str) -> None:
    """Say of a layer that it is a mask for `layer` and the object `word`."""
    note = json.dumps({"layer": layer.get_tattoo(), "word": word})
    marks.write(mask, MASK_PARASITE, note, Gimp.PARASITE_PERSISTENT)


def _made_for(layer: Gimp.Drawable) -> int:
    value = marks.read_map(layer, MASK_PARASITE).get("layer", 0)
    return value if isinstance(value, int) else 0


def _painted(layer: Gimp.Layer, mask: Gimp.Layer) -> Coverage | None:
    own, other = _offsets(layer), _offsets(mask)
    shift = (own[0] - other[0], own[1] - other[1])

    def read(box: Box) -> bytes:
        return read_opacity(mask, (box[0] + shift[0], box[1] + shift[1], box[2], box[3]))

    covered = _bounds(layer, read)
    if covered is None:
        return None
    return Coverage(mask.get_name(), str(marks.read_map(mask, MASK_PARASITE).get("word", "")), covered, read, mask)


def _bounds(layer: Gimp.Layer, read: Callable[[Box], bytes]) -> Box | None:
    width, height = layer.get_width(), layer.get_height()
    return covered_box(read((0, 0, width, height)), width)


def covered_box(data: bytes, width: int) -> Box | None:
    """The smallest box that holds every non-zero byte of a plane so wide; None when all are zero."""
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


def paint_layer(image: Gimp.Image, layer: Gimp.Layer, word: str = "") -> Gimp.Layer:
    """An empty mask layer over `layer`, red and half opaque whatever it is painted with; one undo step."""
    mask = _new_layer(image, layer, word, None)
    choose_paintbrush()
    Gimp.displays_flush()
    return mask


def mask_layer_from(image: Gimp.Image, layer: Gimp.Layer, word: str, mask: Picture, crop: Box) -> Gimp.Layer:
    """A mask layer that shows the model's own mask of a crop, to be corrected with the brush; one undo step."""
    made = _new_layer(image, layer, word, (mask, crop))
    Gimp.displays_flush()
    return made


def _new_layer(image: Gimp.Image, layer: Gimp.Layer, word: str, content: tuple[Picture, Box] | None) -> Gimp.Layer:
    made_for = [one for one in stack(image) if one.made_for == mark_of(layer)]
    number = len(made_for) + 1
    name = _("S²Edit mask: {word}").format(word=word) if word else _("S²Edit mask {number}").format(number=number)
    gray = image.get_base_type() == Gimp.ImageBaseType.GRAY
    kind = Gimp.ImageType.GRAYA_IMAGE if gray else Gimp.ImageType.RGBA_IMAGE
    width, height = layer.get_width(), layer.get_height()
    made = Gimp.Layer.new(image, name, width, height, kind, MASK_OPACITY, Gimp.LayerMode.NORMAL)
    made.set_offsets(*_offsets(layer))
    if content is not None:
        write_tint(made, *content)
    # Where it would be under them, nobody could see it.
    over = by_marks(image, [one.mark for one in (*made_for, *masks.results_of(stack(image), mark_of(layer)))])
    mark(made, layer, word)
    image.undo_group_start()
    try:
        image.insert_layer(made, layer.get_parent(), place_over(image, layer, over))
        _always_red(made)
    finally:
        image.undo_group_end()
    image.set_selected_layers([made])
    return made


def _always_red(mask: Gimp.Layer) -> None:
    """A filter that shows everything painted in red: a plug-in can't change the painter's brush colour."""
    tint = Gimp.DrawableFilter.new(mask, "gegl:color-overlay", _("Mask colour"))
    tint.get_config().set_property("value", Gegl.Color.new(MASK_COLOUR))
    tint.update()
    mask.append_filter(tint)
    mask.set_color_tag(Gimp.ColorTag.RED)
