"""New layers in the image, each in one undo step: results under their masks, and layers to paint masks on."""

from __future__ import annotations

from dataclasses import replace

from gi.repository import Gegl, Gimp
from s2edit_editor.host import Insertion
from s2edit_editor.pixels import Box, Picture, kept_where
from s2edit_editor.samples import fitting
from s2edit_editor.text import _

from . import marks
from .facts import MASKS_PARASITE, SOURCE_PARASITE, offsets, stack
from .pixels import read_opacity, write_colour, write_coverage, write_tint
from .seen import seen_through

UNDOABLE = Gimp.PARASITE_PERSISTENT | Gimp.PARASITE_UNDOABLE
MASK_COLOUR = "red"
MASK_OPACITY = 50.0


def made(image: Gimp.Image, result: Insertion) -> Gimp.Layer:
    """A result's layer, not in the image yet: the painter may press Ctrl+Z at any moment while its pixels are made."""
    gray, place = image.get_base_type() == Gimp.ImageBaseType.GRAY, (result.box.x, result.box.y)
    colour = fitting(result.colour, gray=gray)
    layer = image.get_layer_by_tattoo(int(result.source)) if result.source else None
    if layer is not None and result.blended:
        colour = seen_through(image, layer, place, colour)
    kind = Gimp.ImageType.RGBA_IMAGE if colour.channels == 3 else Gimp.ImageType.GRAYA_IMAGE
    new = Gimp.Layer.new(image, result.name, colour.width, colour.height, kind, 100.0, Gimp.LayerMode.NORMAL)
    new.set_offsets(*place)
    _blend_as_stored(image, new)
    if result.clipped:
        new.set_composite_mode(Gimp.LayerCompositeMode.CLIP_TO_BACKDROP)
    write_colour(new, colour)
    mask = new.create_mask(Gimp.AddMaskType.BLACK)
    new.add_mask(mask)
    write_coverage(mask, result.alpha if layer is None else _kept_in(layer, result))
    held = {**result.notes, MASKS_PARASITE: " ".join(result.hide), SOURCE_PARASITE: result.source}
    for name, text in held.items():
        if text:
            marks.write(new, name, text, Gimp.PARASITE_PERSISTENT)
    return new


def put_in(image: Gimp.Image, new: Gimp.Layer, result: Insertion, document: tuple[str, str]) -> None:
    """Put in what was `made`; selected only if none but `hide` was, whose visibility is all else that changes.

    Args:
        document: name and text of a note that the image's file keeps from this layer on.
    """
    hide = [image.get_layer_by_tattoo(int(mark)) for mark in result.hide]
    older = [other.get_id() for other in stack(image)]
    # Somebody who paints on meanwhile must not find the brush on another layer.
    busy = [other for other in image.get_selected_layers() if other not in hide]
    image.undo_group_start()
    try:
        _put(image, new, result.parent, result.above)
        marks.write(image, *document, UNDOABLE)
        marks.say_model(image, older)
        for covering in hide:
            covering.set_visible(False)
    finally:
        image.undo_group_end()
    new.set_edit_mask(False)
    image.set_selected_layers([new] if result.choose else busy or [new])
    Gimp.displays_flush()


class Tab:
    """A `host.Previewed`: a copy of the image with the result in a display of its own, GIMP having no other canvas.

    The image itself is left alone: whatever is in it could be saved, and is a step of its undo.

    Args:
        image: where the result would go; new: what was `made`.
    """

    def __init__(self, image: Gimp.Image, new: Gimp.Layer, result: Insertion) -> None:
        self.over = result.source or None
        self._copy = copy = image.duplicate()  # shares its pixels with the image: nothing large is copied
        twins = dict(zip((str(one.get_tattoo()) for one in stack(image)), stack(copy), strict=True))
        shown = Gimp.Layer.new_from_drawable(new, copy)
        new.delete()
        above = twins.get(result.above)
        copy.insert_layer(shown, twins.get(result.parent), copy.get_item_position(above) if above is not None else 0)
        shown.set_name(result.name)
        shown.set_offsets(result.box.x, result.box.y)
        for mark in result.hide:
            twins[mark].set_visible(False)
        copy.clean_all()
        self._display = Gimp.Display.new(copy)
        Gimp.displays_flush()

    def is_there(self) -> bool:
        """See `host.Previewed`; the painter may have closed it."""
        return bool(self._display.is_valid())

    def end(self) -> None:
        """See `host.Previewed`; the copy goes with its only display."""
        if self._display.is_valid():
            self._display.delete()


def new_mask_layer(
    image: Gimp.Image,
    layer: Gimp.Layer,
    above: Gimp.Layer,
    name: str,
    note: tuple[str, str],
    filled: tuple[Box, bytes] | None,
) -> Gimp.Layer:
    """A layer as large as `layer`, directly over `above`, that shows in red whatever is painted on it.

    Args:
        note: name and text of what says of it that it is a mask. filled: as in `host.Host.add_mask_layer`.
    """
    gray = image.get_base_type() == Gimp.ImageBaseType.GRAY
    kind = Gimp.ImageType.GRAYA_IMAGE if gray else Gimp.ImageType.RGBA_IMAGE
    width, height = layer.get_width(), layer.get_height()
    made = Gimp.Layer.new(image, name, width, height, kind, MASK_OPACITY, Gimp.LayerMode.NORMAL)
    x, y = offsets(layer)
    made.set_offsets(x, y)
    if filled is not None:
        box, data = filled
        write_tint(made, Picture(box.width, box.height, 1, "u1", data), box.moved(-x, -y))
    marks.write(made, *note, Gimp.PARASITE_PERSISTENT)
    image.undo_group_start()
    try:
        image.insert_layer(made, layer.get_parent(), image.get_item_position(above))
        # A plug-in can't change the painter's brush colour; so a filter does.
        tint = Gimp.DrawableFilter.new(made, "gegl:color-overlay", _("Mask colour"))
        tint.get_config().set_property("value", Gegl.Color.new(MASK_COLOUR))
        tint.update()
        made.append_filter(tint)
        made.set_color_tag(Gimp.ColorTag.RED)
    finally:
        image.undo_group_end()
    image.set_selected_layers([made])
    return made


def _put(image: Gimp.Image, layer: Gimp.Layer, parent: str, above: str) -> None:
    group = image.get_layer_by_tattoo(int(parent)) if parent else None
    position = image.get_item_position(image.get_layer_by_tattoo(int(above))) if above else 0
    image.insert_layer(layer, group, position)


def _blend_as_stored(image: Gimp.Image, layer: Gimp.Layer) -> None:
    """Composite in the encoding that the image stores: on the way to linear light and back, GIMP would round pixels
    that lie under the layer's invisible parts."""
    name = image.get_precision().value_nick
    if name.endswith("linear") and not name.endswith("non-linear"):
        return
    spaces = Gimp.LayerColorSpace
    space = spaces.RGB_PERCEPTUAL if name.endswith("perceptual") else spaces.RGB_NON_LINEAR
    layer.set_blend_space(space)
    layer.set_composite_space(space)


def _kept_in(layer: Gimp.Drawable, result: Insertion) -> Picture:
    """The result's alpha, closed where the source has nothing; a brush can open it again."""
    alpha, (x, y) = result.alpha, offsets(layer)
    own = read_opacity(layer, result.box.moved(-x, -y), alpha.dtype)
    return replace(alpha, data=kept_where(bytes(alpha.data), own, alpha.dtype))
