"""From the daemon's `result` to a layer: where it belongs now, what it is called, and the recipe that it carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gi.repository import Gimp
from s2edit_editor.delivery import layer_name
from s2edit_editor.notes import recipe_of
from s2edit_editor.text import _
from s2edit_wire.client import Incoming
from s2edit_wire.errors import WireError

from . import VERSION
from .layers import Anchor, anchor_of, forget_pending, insert_result
from .locate import shift_of
from .mask_sources import AUTOMATIC, CHANNEL, LAYER_MASK, MASK_LAYERS, SELECTION
from .pixels import Picture
from .snapshot import check_colours

RECIPE_MASKS = {
    AUTOMATIC: "automatic",
    SELECTION: "selection",
    LAYER_MASK: "layer_mask",
    MASK_LAYERS: "layer",
    CHANNEL: "channel",
}
"""What the recipe calls the mask sources."""


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
    new = insert_result(
        image,
        layer,
        _found_place(layer, job["edit"], pictures["patch"]) if anchor is None else _place(layer, anchor, sent),
        pictures["patch"],
        pictures["alpha"],
        name=layer_name(job["edit"]),
        recipe=recipe_of(job, record, crop, program, RECIPE_MASKS.get(mask_from, "")).to_json(),
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


def _place(layer: Gimp.Layer | None, anchor: Anchor, sent: Picture | None) -> tuple[int, int]:
    """The patch's left upper corner in the image as it is now."""
    if layer is None:
        return anchor.box_in_image()[:2]
    _ok, x, y = layer.get_offsets()
    if (layer.get_width(), layer.get_height()) != anchor.size and sent is not None:
        shift = shift_of(layer, sent)
        if shift is not None:
            return x + shift[0], y + shift[1]
    return x + anchor.crop[0], y + anchor.crop[1]


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
