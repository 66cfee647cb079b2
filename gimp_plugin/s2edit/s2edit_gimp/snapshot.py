"""The picture, masks and words of one request, taken from the image at the moment of submitting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gi.repository import Gimp
from s2edit_editor.area import area_of, crop_on_canvas
from s2edit_editor.pixels import Box as Area
from s2edit_editor.pixels import Picture
from s2edit_editor.place import points_of
from s2edit_editor.text import _
from s2edit_wire.frames import FrameRecord, describe
from s2edit_wire.records import DocumentRecord, EditRecord, PlanReply, PlanRequest

from .choices import Choices
from .layers import Anchor, document_id
from .mask_sources import Coverage, covered_box
from .pixels import Box, read_colour, read_opacity

MAX_TITLE = 300


@dataclass(frozen=True)
class Snapshot:
    """Everything that `submit` needs.

    Args:
        edit: the wire's edit record.
        entries: descriptions of the frames; frames: their bytes.
        anchor: where the picture came from.
        picture: the crop as it was sent.
    """

    edit: EditRecord
    entries: list[FrameRecord]
    frames: list[bytes]
    anchor: Anchor
    picture: Picture

    def fields(self, job: str) -> dict[str, object]:
        """The fields of `submit`."""
        return {"job": job, "edit": self.edit, "frames": self.entries}

    def with_choices(self, choices: Choices, model: str) -> Snapshot:
        """The same pictures, not copied, for another wish, seed or guidance; `model` stands in where none is chosen."""
        masked = sum(entry["role"] == "object_mask" for entry in self.entries)
        return replace(self, edit=choices.wish.to_edit([True] * masked, self.edit["document"], model))


class CannotEdit(Exception):
    """The picture or layer can't be edited as it is; the message says what to do."""


def check_layer(image: Gimp.Image, drawables: Sequence[Gimp.Drawable]) -> Gimp.Drawable:
    """The one drawable to edit. A layer's mask stands for the layer.

    Raises CannotEdit for none, several, channels, and indexed images.
    """
    if len(drawables) != 1:
        raise CannotEdit(_("S²Edit works on one layer at a time. Select a single layer."))
    drawable = drawables[0]
    if drawable.is_layer_mask():
        drawable = Gimp.Layer.from_mask(drawable)
    if not drawable.is_layer():
        raise CannotEdit(_("S²Edit works on layers. Select a layer instead of a channel."))
    check_colours(image)
    return drawable


def check_colours(image: Gimp.Image) -> None:
    """Raises CannotEdit for indexed images: a result has colours of its own."""
    if image.get_base_type() == Gimp.ImageBaseType.INDEXED:
        raise CannotEdit(_("This picture uses indexed colours. Convert it first: Image → Mode → RGB."))


def gone(image: Gimp.Image, layer: Gimp.Drawable) -> str:
    """A sentence when a picture that was open, or its layer, is not there any more; "" when both are."""
    if not image.is_valid():
        return _("The picture is closed. Cancel, and open it again.")
    if not layer.is_valid():
        return _("The layer is gone. Undo its deletion, or cancel and select another layer.")
    return ""


def area(image: Gimp.Image, layer: Gimp.Drawable) -> Box:
    """What an edit of a layer is about, in its own coordinates: what it has of the canvas, without bare edges.

    Raises WireError of a layer that has nothing there.
    """
    _ok, x, y = layer.get_offsets()
    box: Box | None = (0, 0, layer.get_width(), layer.get_height())
    if layer.has_alpha():
        box = covered_box(read_opacity(layer, (0, 0, layer.get_width(), layer.get_height())), layer.get_width())
    told = _("The layer “{name}” shows nothing inside the picture. Choose another layer, or paint on it first.")
    size = image.get_width(), image.get_height()
    return area_of(box and Area(*box).moved(x, y), size, layer.get_name(), told=told).moved(-x, -y)


def crop_of(within: Box, plan: PlanReply | Mapping[str, Any]) -> Box:
    """A plan's crop, in the layer's own coordinates."""
    return crop_on_canvas(Area(*within), plan["crop"])


def plan_fields(layer_area: Box, choices: Choices, masks: Sequence[Coverage], model: str) -> PlanRequest:
    """The fields of `plan`; what the edit is about (`area`) is the canvas."""
    boxes = [Area(*mask.box) for mask in masks]
    return choices.wish.plan_request(Area(*layer_area), [True] * len(masks), model, boxes)


def take(
    image: Gimp.Image,
    layer: Gimp.Drawable,
    choices: Choices,
    masks: Sequence[Coverage],
    crop: Box,
    model: str,
    reference: Picture | None = None,
) -> Snapshot:
    """Copy the crop and its masks out of the image."""
    painted = [mask.layer for mask in masks if mask.layer is not None]
    picture = read_colour(layer, crop)
    points = points_of(picture)
    anchor = Anchor.of(layer, crop, painted, choices.reference_mark, points)
    entries = [_entry("image", picture)]
    frames = [bytes(picture.data)]
    for index, mask in enumerate(masks):
        entries.append(describe("object_mask", (crop[3], crop[2], 1), "u1", "mask", index))
        frames.append(mask.read(crop))
    if reference is not None:
        entries.append(_entry("reference", reference))
        frames.append(bytes(reference.data))
    edit = choices.wish.to_edit([True] * len(masks), document(image, layer, anchor), model)
    return Snapshot(edit, entries, frames, anchor, picture)


def document(image: Gimp.Image, layer: Gimp.Drawable, anchor: Anchor) -> DocumentRecord:
    """The wire's document record; the place in the picture only where the layer lies inside it."""
    record: DocumentRecord = {
        "host": "gimp",
        "title": _printable(image.get_name())[:MAX_TITLE],
        "layer": _printable(layer.get_name())[:MAX_TITLE],
        "ref": document_id(image),
    }
    x, y, width, height = anchor.box_in_image()
    canvas = [image.get_width(), image.get_height()]
    if x >= 0 and y >= 0 and x + width <= canvas[0] and y + height <= canvas[1]:
        record["canvas"], record["crop"] = canvas, [x, y, width, height]
    return record


def _entry(role: str, picture: Picture) -> FrameRecord:
    return describe(role, (picture.height, picture.width, picture.channels), picture.dtype)


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
