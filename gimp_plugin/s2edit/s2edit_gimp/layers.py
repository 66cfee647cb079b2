"""Changes to the image: result layers, the recipe that they carry, and the marks by which a picture is found again."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from gi.repository import Gimp
from s2edit_editor.delivery import manner_over, spot_over
from s2edit_editor.notes import job_of
from s2edit_editor.pixels import Picture, kept_where
from s2edit_wire.recipe import NAME as RECIPE

from . import marks
from .facts import MASKS_PARASITE, SOURCE_PARASITE, facts
from .facts import layers as stack
from .pixels import Box, is_full, read_opacity, to_gray, to_rgb, write_colour, write_coverage
from .seen import seen_through

DOCUMENT_PARASITE = "s2edit-document"
PENDING_PARASITE = "s2edit-pending"
REFERENCE_PARASITE = "s2edit-reference"
MAX_PENDING = 64
"""Jobs whose place in the picture is remembered."""
# A parasite of the image that is persistent but not undoable puts an entry that can't be undone into the painter's
# history; so those are undoable and part of an undo group, or not persistent.
UNDOABLE = Gimp.PARASITE_PERSISTENT | Gimp.PARASITE_UNDOABLE
PASSING = 0


@dataclass(frozen=True)
class Anchor:
    """Where a job's picture was taken from.

    Args:
        layer: the layer's tattoo, which GIMP keeps in XCF files.
        offset: the layer's place in the image, x and y; size: its width and height.
        crop: the part that was sent, in the layer's coordinates.
        masks: tattoos of the mask layers that were used.
        reference: what something is taken over from (`choices.Choices.reference_mark`).
        canvas: the image's width and height; points: as in `place.Sent`.
    """

    layer: int
    offset: tuple[int, int]
    size: tuple[int, int]
    crop: Box
    masks: tuple[int, ...] = ()
    reference: str = ""
    canvas: tuple[int, int] = (0, 0)
    points: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        layer: Gimp.Drawable,
        crop: Box,
        masks: Sequence[Gimp.Layer] = (),
        reference: str = "",
        points: tuple[int, ...] = (),
    ) -> Anchor:
        """The anchor of a crop of a layer as it is now."""
        _ok, x, y = layer.get_offsets()
        image = layer.get_image()
        size, tattoos = (layer.get_width(), layer.get_height()), tuple(mask.get_tattoo() for mask in masks)
        canvas = (image.get_width(), image.get_height())
        return cls(layer.get_tattoo(), (x, y), size, crop, tattoos, reference, canvas, points)

    def box_in_image(self) -> Box:
        """The crop in the image's coordinates, as they were."""
        x, y, width, height = self.crop
        return x + self.offset[0], y + self.offset[1], width, height


def document_id(image: Gimp.Image) -> str:
    """The picture's own id; made when it has none, and kept in its XCF file from the first result on."""
    known = marks.read_text(image, DOCUMENT_PARASITE)[:64]
    if known:
        return known
    name = uuid.uuid4().hex
    marks.write(image, DOCUMENT_PARASITE, name, PASSING)
    return name


def remember_pending(image: Gimp.Image, job: str, anchor: Anchor) -> None:
    """Keep with the open picture where a job's result belongs."""
    pending = marks.read_map(image, PENDING_PARASITE)
    pending[job] = asdict(anchor)
    _store_pending(image, dict(list(pending.items())[-MAX_PENDING:]))


def forget_pending(image: Gimp.Image, job: str) -> None:
    """The result is there."""
    pending = marks.read_map(image, PENDING_PARASITE)
    if pending.pop(job, None) is not None:
        _store_pending(image, pending)


def anchor_of(image: Gimp.Image, job: str) -> Anchor | None:
    """Where the job's picture came from, if this image knows."""
    entry = marks.read_map(image, PENDING_PARASITE).get(job)
    if not isinstance(entry, dict):
        return None
    try:
        (x, y), (width, height), crop = entry["offset"], entry["size"], entry["crop"]
        across, down = entry["canvas"]
        left, top, wide, high = map(int, crop)
        return Anchor(
            int(entry["layer"]),
            (int(x), int(y)),
            (int(width), int(height)),
            (left, top, wide, high),
            tuple(map(int, entry["masks"])),
            str(entry["reference"]),
            (int(across), int(down)),
            tuple(map(int, entry["points"])),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _store_pending(image: Gimp.Image, pending: dict[str, object]) -> None:
    if pending:
        marks.write(image, PENDING_PARASITE, json.dumps(pending), PASSING)
    else:
        image.detach_parasite(PENDING_PARASITE)


def recipe_text(layer: Gimp.Item) -> str | None:
    """The recipe that a result layer carries, as JSON; None for other layers."""
    return marks.read_text(layer, RECIPE) or None


def jobs_here(image: Gimp.Image) -> set[str]:
    """The jobs whose results are layers of the image."""
    found = (job_of(recipe_text(layer) or "") for layer in all_layers(image.get_layers()))
    return {job for job in found if job}


def source_layer(image: Gimp.Image, result: Gimp.Item) -> Gimp.Layer | None:
    """The layer that a result layer was made from; None when it is gone, or for other layers."""
    text = marks.read_text(result, SOURCE_PARASITE)
    return image.get_layer_by_tattoo(int(text)) if text.isdecimal() else None


def reference_mark(result: Gimp.Item) -> str:
    """What a result has something from (`choices.Choices.reference_mark`); "" when from nothing else."""
    return marks.read_text(result, REFERENCE_PARASITE)


def place_over(image: Gimp.Image, layer: Gimp.Drawable, others: Sequence[Gimp.Layer]) -> int:
    """The position in the layer's group that is above it and above those of `others` that are in the same group."""
    beside = [layer, *(other for other in others if other.get_parent() == layer.get_parent())]
    return min(int(image.get_item_position(item)) for item in beside)


def all_layers(layers: Sequence[Gimp.Layer]) -> list[Gimp.Layer]:
    """Layers and what is in their groups, from the top down."""
    found = []
    for layer in layers:
        found.append(layer)
        if layer.is_group():
            found += all_layers(layer.get_children())
    return found


def insert_result(
    image: Gimp.Image,
    layer: Gimp.Drawable | None,
    place: tuple[int, int],
    patch: Picture,
    alpha: Picture,
    *,
    name: str,
    recipe: str,
    hide: Sequence[Gimp.Layer] = (),
    reference: str = "",
) -> Gimp.Layer:
    """Put a result over its layer as one undo step.

    Args:
        layer: the edited layer, None when it is gone: the result then becomes the top layer.
        place: the patch's left upper corner in the image.
        patch: colour, gray or RGB; alpha: what of it shows, 1 channel of the same size; it becomes the layer mask.
        name: the new layer's name; recipe: JSON for `recipe_text`.
        hide: mask layers that have done their work; reference: kept for `reference_mark`.

    Returns:
        The new layer, selected only if none but `hide` was; nothing else has changed but the visibility of `hide`.
    """
    patch = _as_image_wants(image, patch)
    # All that takes time happens before the layer is in the image: the painter may press Ctrl+Z at any moment.
    own = None if layer is None else _own_alpha(layer, place, patch)
    manner = manner_over(layer and facts(layer), opaque=own is None or is_full(own))
    if layer is not None and manner.blended:
        patch = seen_through(image, layer, place, patch)
    kind = Gimp.ImageType.RGBA_IMAGE if patch.channels == 3 else Gimp.ImageType.GRAYA_IMAGE
    new = Gimp.Layer.new(image, name, patch.width, patch.height, kind, 100.0, Gimp.LayerMode.NORMAL)
    new.set_offsets(*place)
    _blend_as_stored(image, new)
    if manner.clipped:
        new.set_composite_mode(Gimp.LayerCompositeMode.CLIP_TO_BACKDROP)
    write_colour(new, patch)
    mask = new.create_mask(Gimp.AddMaskType.BLACK)
    new.add_mask(mask)
    write_coverage(mask, alpha if own is None else _kept_where(alpha, own))
    tattoos = " ".join(str(covering.get_tattoo()) for covering in hide)
    for mark, text in ((RECIPE, recipe), (MASKS_PARASITE, tattoos), (REFERENCE_PARASITE, reference)):
        if text:
            marks.write(new, mark, text, Gimp.PARASITE_PERSISTENT)
    if layer is not None:
        marks.write(new, SOURCE_PARASITE, str(layer.get_tattoo()), Gimp.PARASITE_PERSISTENT)
    spot = spot_over(stack(image), "" if layer is None else str(layer.get_tattoo()))
    parent = image.get_layer_by_tattoo(int(spot.parent)) if spot.parent else None
    position = image.get_item_position(image.get_layer_by_tattoo(int(spot.above))) if spot.above else 0
    # Somebody who paints on meanwhile must not find the brush on another layer.
    busy = [other for other in image.get_selected_layers() if other not in hide]
    image.undo_group_start()
    try:
        image.insert_layer(new, parent, position)
        marks.write(image, DOCUMENT_PARASITE, document_id(image), UNDOABLE)
        marks.say_model(image)
        for covering in hide:
            if covering.is_valid():
                covering.set_visible(False)
    finally:
        image.undo_group_end()
    new.set_edit_mask(False)
    image.set_selected_layers(busy or [new])
    Gimp.displays_flush()
    return new


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


def _as_image_wants(image: Gimp.Image, patch: Picture) -> Picture:
    """A gray patch in an RGB image (or the reverse, when the image was converted meanwhile) becomes what fits."""
    gray = image.get_base_type() == Gimp.ImageBaseType.GRAY
    if gray == (patch.channels == 1):
        return patch
    return to_gray(patch) if gray else to_rgb(patch)


def _own_alpha(layer: Gimp.Drawable, place: tuple[int, int], patch: Picture) -> Picture:
    """The layer's own alpha where the patch goes, 0 beside the layer."""
    _ok, x, y = layer.get_offsets()
    box = (place[0] - x, place[1] - y, patch.width, patch.height)
    return Picture(patch.width, patch.height, 1, patch.dtype, read_opacity(layer, box, patch.dtype))


def _kept_where(alpha: Picture, own: Picture) -> Picture:
    """The result's alpha, closed where the source has nothing; a brush can open it again."""
    if alpha.dtype != own.dtype:
        return alpha
    return replace(alpha, data=kept_where(bytes(alpha.data), bytes(own.data), alpha.dtype))
