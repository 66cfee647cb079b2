"""From the daemon's `result` to a layer: where it belongs now, what it is called, and the recipe that it carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gi.repository import Gimp
from s2edit_editor.delivery import layer_name
from s2edit_editor.notes import recipe_of
from s2edit_editor.pixels import Box, Picture
from s2edit_editor.place import TURNED, Sent, find
from s2edit_editor.text import _
from s2edit_wire.client import Incoming
from s2edit_wire.errors import WireError

from . import VERSION
from .layers import Anchor, anchor_of, forget_pending, insert_result
from .locate import shift_of
from .mask_sources import kind_of
from .pixels import green_at, stretched
from .snapshot import CannotEdit, check_colours


def deliver(
    image: Gimp.Image,
    answer: Incoming,
    sent: Picture | None = None,
    mask_from: str = "",
) -> Gimp.Layer:
    """Make the layer of a `result` answer.

    Args:
        image: where it goes.
        answer: what the daemon answered to `result`.
        sent: the crop as it was sent, to find its place in a layer that was cropped meanwhile.
        mask_from: one of `mask_sources.SOURCES`, "" when not known.

    Returns:
        The new layer. Raises WireError("bad_image") when the answer has no patch, CannotEdit when the image can't take
        it as it is now.
    """
    check_colours(image)
    job, record = answer.header["job"], answer.header["record"]
    pictures = frames_by_role(answer)
    if "patch" not in pictures or "alpha" not in pictures:
        raise WireError("bad_image", _("The result has no picture in it."))
    anchor = anchor_of(image, job["job"])
    layer = _layer_of(image, job["edit"], anchor)
    crop = job["edit"].get("document", {}).get("crop", [])
    program = {"host": f"GIMP {Gimp.version()}", "plugin": VERSION}
    masks = [image.get_layer_by_tattoo(tattoo) for tattoo in (anchor.masks if anchor is not None else ())]
    patch, alpha = pictures["patch"], pictures["alpha"]
    if anchor is None:
        box = Box(*_found_place(layer, job["edit"], patch), patch.width, patch.height)
    else:
        box = _place(image, layer, anchor, sent)
    if (patch.width, patch.height) != (box.width, box.height):
        patch, alpha = (stretched(image, one, box.width, box.height) for one in (patch, alpha))
    new = insert_result(
        image,
        layer,
        (box.x, box.y),
        patch,
        alpha,
        name=layer_name(job["edit"]),
        recipe=recipe_of(job, record, crop, program, kind_of(mask_from)).to_json(),
        hide=[mask for mask in masks if mask is not None],
        reference=anchor.reference if anchor is not None else "",
    )
    forget_pending(image, job["job"])
    return new


def frames_by_role(answer: Incoming) -> dict[str, Picture]:
    """The pictures of an answer or event, by role."""
    entries: list[dict[str, Any]] = answer.header.get("frames", [])
    return {
        entry["role"]: Picture(entry["shape"][1], entry["shape"][0], entry["shape"][2], entry["dtype"], bytes(frame))
        for entry, frame in zip(entries, answer.frames, strict=True)
    }


def _layer_of(image: Gimp.Image, edit: Mapping[str, Any], anchor: Anchor | None) -> Gimp.Layer | None:
    """The layer that was edited: by its mark, else by its name."""
    if anchor is not None:
        return image.get_layer_by_tattoo(anchor.layer)
    name = edit.get("document", {}).get("layer", "")
    return image.get_layer_by_name(name) if name else None


def _place(image: Gimp.Image, layer: Gimp.Layer | None, anchor: Anchor, sent: Picture | None) -> Box:
    """Where the patch belongs in the image as it is now; raises CannotEdit when nobody can say."""
    at = None if layer is None else tuple(layer.get_offsets())[1:]
    if layer is not None and at is not None:
        x, y = at
        if (layer.get_width(), layer.get_height()) != anchor.size and sent is not None:
            shift = shift_of(layer, sent)
            if shift is not None:
                return Box(x + shift[0], y + shift[1], *anchor.crop[2:])
    then = Sent(anchor.canvas, anchor.offset, Box(*anchor.box_in_image()), anchor.points)

    def look(column: int, row: int) -> int | None:
        return None if layer is None or at is None else green_at(layer, column - at[0], row - at[1])

    found = find(then, (image.get_width(), image.get_height()), at, look)
    if found.why == TURNED:
        raise CannotEdit(_("The picture was turned while it was edited. Undo that, then add the result."))
    if found.box is None:
        raise CannotEdit(_("The picture was changed too much while it was edited. Undo that, then add the result."))
    return found.box


def _found_place(layer: Gimp.Layer | None, edit: Mapping[str, Any], patch: Picture) -> tuple[int, int]:
    """The same for a picture that was closed meanwhile: as the job says, else by what the patch left as it was."""
    crop = edit.get("document", {}).get("crop")
    if crop is not None or layer is None:
        x, y = (crop or [0, 0])[:2]
        return x, y
    # The wire has no places outside the picture: the layer was larger than that.
    _ok, x, y = layer.get_offsets()
    shift = shift_of(layer, patch) or (0, 0)
    return x + shift[0], y + shift[1]
