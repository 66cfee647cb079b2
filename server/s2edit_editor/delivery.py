"""Where a result goes, once for both editors: over which layer, how it is shown there, what it is called.

A result is one layer over its source, and shows the picture as if the source itself had been edited: hidden by the
source's mask, as faint as its opacity, blended in its mode. With C the source's colour, B what lies under it, e its
opacity times mask times alpha, and M the mode's function, the picture shows X = (1 - e) B + e M(B, C). Edited to
(1 - a) C + a P within the patch's alpha a, it shows (1 - a) X + a Q with Q = (1 - e) B + e M(B, P), exactly for every
mode that is linear in its source (Porter and Duff 1984; W3C Compositing and Blending Level 1, section 10; all of
Normal, Multiply, Screen, Addition, Overlay). So the result holds Q, at full opacity in mode Normal, under the mask a.
Alpha stays what it was where the result is clipped to what it covers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from s2edit_wire.errors import WireError
from s2edit_wire.recipe import NAME as RECIPE
from s2edit_wire.records import EditRecord, JobRecord, ResultRecord

from . import masks, notes, sentences
from .host import NORMAL, Host, Insertion, Layer
from .locate import shift_of
from .notes import Pending
from .pixels import Box, Picture
from .place import LOST, TURNED, Sent, find
from .text import _
from .turns import BAND, Work

LONGEST_NAME = 60
"""Characters of a layer's name that layer lists show."""


class Spot(NamedTuple):
    """A place in the stack: the group's mark ("" at the top), and the layer that lies directly under it, or ""."""

    parent: str
    above: str


def spot_over(layers: Sequence[Layer], source: str) -> Spot:
    """The newest result's place: over its source and over all that was made of that before, in the source's group.

    Args:
        layers: all of the document, from the top down.
        source: mark of the edited layer; "" or one that is gone: on top of all.
    """
    known = {layer.mark: layer for layer in layers}
    if source not in known:
        return Spot("", next((layer.mark for layer in layers if not layer.parent), ""))
    parent, family = known[source].parent, descendants(layers, source)
    return Spot(parent, next(layer.mark for layer in layers if layer.parent == parent and layer.mark in family))


def descendants(layers: Sequence[Layer], source: str) -> Collection[str]:
    """A layer, its results, their results, and so on."""
    family = {source}
    while more := {layer.mark for layer in layers if layer.made_from in family} - family:
        family |= more
    return family


class Manner(NamedTuple):
    """How a result is to be shown; see `host.Insertion`."""

    blended: bool
    clipped: bool


def manner_over(source: Layer | None, *, opaque: bool) -> Manner:
    """What it takes that the picture looks as if the source had been edited.

    Args:
        source: None when it is gone: the result is then shown as it is.
        opaque: whether its own pixels are opaque all over the result's box.
    """
    if source is None:
        return Manner(blended=False, clipped=False)
    plain = source.mode == NORMAL and source.opacity == 1.0 and not source.masked
    return Manner(blended=not (plain and opaque), clipped=not (plain and opaque))


def layer_name(edit: Mapping[str, Any]) -> str:
    """What a result is called: by what it changes (“+ sunglasses”, “hat → crown”), not by what all results share."""
    return sentences.title(str(edit.get("source", "")), str(edit.get("target", "")).strip(), LONGEST_NAME) or "S²Edit"


def pictures_of(header: Mapping[str, Any], frames: Sequence[bytes | bytearray | memoryview]) -> dict[str, Picture]:
    """The pictures of an answer or event, by role."""
    return {
        entry["role"]: Picture(entry["shape"][1], entry["shape"][0], entry["shape"][2], entry["dtype"], bytes(frame))
        for entry, frame in zip(header.get("frames", []), frames, strict=True)
    }


def delivering(
    host: Host,
    job: JobRecord,
    record: ResultRecord,
    pictures: Mapping[str, Picture],
    sent: Picture | None = None,
    *,
    choose: bool = False,
) -> Work[str]:
    """Make the layer of a finished job, once: a second time, the layer that is there is named.

    Where it belongs is looked at again once its pixels are made: the painter went on meanwhile.

    Args:
        job, record: the answer to `result`; pictures: its frames (`pictures_of`).
        sent: the crop as it was sent, to find its place in a layer that was cropped meanwhile; None when forgotten.
        choose: whether the new layer becomes the active one.

    Returns:
        The layer's mark.

    Raises:
        WireError: the document can't take it as it is now, or the answer has no picture in it; nothing has changed.
    """
    there = host.results().get(job["job"])
    if there is not None:
        return there
    edit, then = job["edit"], notes.pending(host, job["job"])
    size = _size_of(host, edit, pictures)
    source, box = _home(host, edit, then, sent, size)
    if edit["kind"] == "mask":
        return _deliver_mask(host, source, job, box, pictures["mask"])
    while True:
        result = yield from _insertion(host, job, record, source, box, pictures)
        layer = yield from host.making(replace(result, choose=choose))
        there = host.results().get(job["job"])
        if there is not None:
            return there
        source, box = _home(host, edit, then, sent, size)
        if (source, box) == (result.source, result.box):
            spot = spot_over(host.layers(), source)
            return host.attach(layer, replace(result, parent=spot.parent, above=spot.above, choose=choose))


def foreseeing(
    host: Host, job: JobRecord, record: ResultRecord, pictures: Mapping[str, Picture]
) -> Work[tuple[Any, Insertion]]:
    """What `delivering` would put in, made and not put in: for a look at it. Takes and raises what that does."""
    edit, then = job["edit"], notes.pending(host, job["job"])
    source, box = _home(host, edit, then, None, _size_of(host, edit, pictures))
    result = yield from _insertion(host, job, record, source, box, pictures)
    return (yield from host.making(result)), result


def _size_of(host: Host, edit: EditRecord, pictures: Mapping[str, Picture]) -> tuple[int, int]:
    wanted = ("mask",) if edit["kind"] == "mask" else ("patch", "alpha")
    trouble = host.refusal()
    if not trouble and not pictures.keys() >= set(wanted):
        trouble = _("The result has no picture in it.")
    if trouble:
        raise WireError("bad_image", trouble)
    return pictures[wanted[0]].width, pictures[wanted[0]].height


def _home(
    host: Host, edit: EditRecord, then: Pending | None, sent: Picture | None, size: tuple[int, int]
) -> tuple[str, Box]:
    source = source_of(host, {layer.mark: layer for layer in host.layers()}, edit, then)
    return source, place_of(host, source, edit, then, sent, size)


def _insertion(
    host: Host, job: JobRecord, record: ResultRecord, source: str, box: Box, pictures: Mapping[str, Picture]
) -> Work[Insertion]:
    then, layers = notes.pending(host, job["job"]), {layer.mark: layer for layer in host.layers()}
    colour, alpha = pictures["patch"], pictures["alpha"]
    if (colour.width, colour.height) != (box.width, box.height):
        colour, alpha = (host.stretched(one, box.width, box.height) for one in (colour, alpha))
    manner = manner_over(layers.get(source), opaque=not source or (yield from _is_opaque(host, source, box)))
    spot = spot_over(list(layers.values()), source)
    crop = list(box) if box.clipped(*host.canvas()) == box else []
    recipe = notes.recipe_of(job, record, crop, host.versions(), then.mask_from if then is not None else "")
    kept = {RECIPE: recipe.to_json(), notes.REFERENCE: then.reference if then is not None else ""}
    return Insertion(
        layer_name(job["edit"]),
        box,
        colour,
        alpha,
        spot.parent,
        spot.above,
        source,
        manner.blended,
        manner.clipped,
        hide=tuple(mark for mark in (then.masks if then is not None else ()) if mark in layers),
        job=job["job"],
        notes={name: text for name, text in kept.items() if text},
    )


def _is_opaque(host: Host, layer: str, box: Box) -> Work[bool]:
    for band in box.bands(BAND):
        if not host.is_opaque(layer, band):
            return False
        yield
    return True


def source_of(host: Host, layers: Mapping[str, Layer], edit: EditRecord, then: Pending | None) -> str:
    """The layer that was edited, "" when it is gone.

    A document that doesn't know the job has it by the mark or name that the job says, else where the painter is now.
    """
    if then is not None:
        return then.layer if then.layer in layers else ""
    document = edit.get("document", {})
    mark = document.get("ref", "").rpartition(":")[2]
    if mark in layers:
        return mark
    named = next((layer.mark for layer in layers.values() if layer.name == document.get("layer")), "")
    return named or masks.edited(list(layers.values()), host.active())


def place_of(
    host: Host, source: str, edit: EditRecord, then: Pending | None, sent: Picture | None, size: tuple[int, int]
) -> Box:
    """Where a result of this size belongs in the document as it is now; raises WireError when nobody can say."""
    if then is None:
        x, y = edit.get("document", {}).get("crop", [0, 0])[:2]
        return Box(x, y, *size)
    frame = host.frame(source) if source else None
    if frame is not None and frame[2:] != then.frame[2:] and sent is not None:
        shift = shift_of(host.read(source, frame), sent)
        if shift is not None:
            return Box(frame.x + shift[0], frame.y + shift[1], then.crop.width, then.crop.height)
    at = None if frame is None else (frame.x, frame.y)
    look = host.looker(source) if source else lambda _x, _y: None
    found = find(Sent(then.canvas, (then.frame.x, then.frame.y), then.crop, then.points), host.canvas(), at, look)
    if found.box is None:
        raise WireError(
            "bad_image",
            {
                TURNED: _("The picture was turned while it was edited. Undo that, then add the result."),
                LOST: _("The picture was changed too much while it was edited. Undo that, then add the result."),
            }[found.why],
        )
    return found.box


def _deliver_mask(host: Host, source: str, job: JobRecord, box: Box, mask: Picture) -> str:
    if (mask.width, mask.height) != (box.width, box.height):
        raise WireError("bad_image", _("The picture was scaled meanwhile. Ask for the mask again."))
    if not source:
        raise WireError("bad_image", _("There is no layer to put the mask over."))
    word = next((entry["word"] for entry in job["edit"]["objects"]), "")
    return masks.mask_layer(host, source, word, (box, bytes(mask.data)), job["job"])
