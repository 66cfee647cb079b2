"""From an order to the wire's `submit`, once for both editors: what is planned, what may not be sent, what is read.

The order of events: `Submission.of` (what the edit is about), `plan` (to be asked of the daemon), `refusal` (why it is
not sent), `taking` (the pixels, a band at a time; `take` in one go), and the parcel's `fields` with its frames go out
as `submit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import NamedTuple

from s2edit_wire.errors import WireError
from s2edit_wire.frames import FrameRecord, describe
from s2edit_wire.records import DocumentRecord, EditRecord, PlanReply, PlanRequest

from .host import AUTOMATIC, PAINTED, Host, Layer, MaskChoice
from .masks import nothing_marked
from .notes import Pending
from .order import LONGEST_REFERENCE, Order
from .photo import likeness, step_of
from .pixels import Box, Picture, is_blank
from .place import points_of
from .planning import Facts, first_lack
from .text import _
from .turns import Work, at_once
from .wish import Wish

LONGEST_TITLE = 300
LARGEST_HASHED = 2**22
"""Bytes of a crop whose digest is worth its time, to learn whether the daemon has learned it already."""


class Seen(NamedTuple):
    """What a plan wants to know of the picture that would be sent.

    Args:
        crop: what was looked at.
        photo: how photo-like it is, 0.0 to 1.0. image_sha256: its digest, "" where that takes too long.
    """

    crop: Box
    photo: float
    image_sha256: str


@dataclass(frozen=True)
class Parcel:
    """Everything that `submit` needs.

    Args:
        edit: the wire's edit record.
        entries: descriptions of the frames; frames: their bytes.
        pending: what the document remembers until the result is there.
        picture: the crop as it is sent.
    """

    edit: EditRecord
    entries: list[FrameRecord]
    frames: list[bytes | bytearray | memoryview]
    pending: Pending
    picture: Picture

    def fields(self, job: str) -> dict[str, object]:
        """The fields of `submit`."""
        return {"job": job, "edit": self.edit, "frames": self.entries}

    def wishing(self, wish: Wish, model: str) -> Parcel:
        """The same pictures, not copied, for another wish, seed or guidance; `model` stands in where none is chosen."""
        masked = [entry["masked"] for entry in self.edit["objects"]]
        return replace(self, edit=wish.to_edit(masked, self.edit["document"], model))


@dataclass(frozen=True)
class Submission:
    """An order of a document's layer.

    Args:
        host: the document. layer: mark of what is edited.
        model: stands in where the wish names none.
        area: what the edit is about: what the layer has of the canvas. The daemon plans as if it were all.
        boxes: around what each mask marks.
    """

    host: Host
    layer: str
    order: Order
    model: str
    area: Box
    boxes: list[Box] = field(default_factory=list)

    @classmethod
    def of(cls, host: Host, layer: str, order: Order, model: str) -> Submission:
        """Look at the document; raises WireError for an empty layer, and when a chosen mask marks nothing of it."""
        area = area_in(host, "" if order.whole else layer)
        boxes = [marked_in(host, choice, area) for choice in order.painted()]
        return cls(host, layer, order, model, area, boxes)

    def wishing(self, wish: Wish) -> Submission:
        """The same look at the document for another wish."""
        return replace(self, order=self.order.wishing(wish))

    def asking(self, kind: str) -> Submission:
        """The same look at the document for a question about it (`Order.asking`)."""
        return replace(self, order=self.order.asking(kind), boxes=[])

    def plan(self, seen: Seen | None = None) -> PlanRequest:
        """The fields of `plan`, with what is `seen` of the crop that the last plan named."""
        known = {} if seen is None else {"photo": seen.photo, "image_sha256": seen.image_sha256}
        order = self.order
        return order.wish.plan_request(self.area, order.masked, self.model, self.boxes, **known)  # type: ignore[arg-type]

    def crop(self, plan: PlanReply) -> Box:
        """What would be sent, on the canvas."""
        return Box(*plan["crop"]).out_of(self.area)

    def look(self, crop: Box) -> Seen | None:
        """What the next plan wants to know of the crop; None of one that is not on the canvas any more."""
        layer = self._read
        if crop.clipped(*self.host.canvas()) != crop:
            return None
        photo = likeness(self.host.glance(layer, crop, step_of(crop)))
        if self.host.is_slow(layer, crop) or crop.width * crop.height * 4 > LARGEST_HASHED:
            return Seen(crop, photo, "")
        return Seen(crop, photo, sha256(self.host.read(layer, crop).data).hexdigest())

    def facts(self) -> Facts:
        """What a form without fields of its own knows (see `planning`)."""
        return Facts(
            masked=self.order.masked,
            masks=sum(self.order.masked),
            reference=self.order.reference is not None,
        )

    def refusal(self, plan: PlanReply) -> WireError | None:
        """Why it is not sent; None when nothing stands against it."""
        lack = first_lack(self.order.wish, self.facts(), plan)
        return WireError("bad_request", lack) if lack else None

    def take(self, crop: Box) -> Parcel:
        """As `taking`, at once."""
        return at_once(self.taking(crop))

    def taking(self, crop: Box) -> Work[Parcel]:
        """Copy what is sent out of the document; where it is taken from is what holds at the first turn.

        Raises WireError when the document, the layer, a mask or the reference is gone, and for a mask without content.
        """
        host, order = self.host, self.order
        trouble = gone(host, self.layer)
        if trouble:
            raise WireError("bad_image", trouble)
        edit = order.wish.to_edit(order.masked, self._document(crop), self.model)
        pending = self._pending(crop)
        picture = yield from host.reading(self._read, crop)
        entries, frames = [_entry("image", picture)], [picture.data]
        for role, index, choices in _roles(order):
            entries.append(describe(role, (crop.height, crop.width, 1), "u1", "mask", index))
            frames.append((yield from _covering_all(host, choices, crop)))
        if order.reference is not None:
            other = yield from host.borrowing(order.reference, LONGEST_REFERENCE)
            entries.append(_entry("reference", other))
            frames.append(other.data)
        # A picture of all layers moves with none of them.
        pending = replace(pending, points=() if order.whole else points_of(picture))
        return Parcel(edit, entries, frames, pending, picture)

    @property
    def _read(self) -> str:
        return "" if self.order.whole else self.layer

    def _document(self, crop: Box) -> DocumentRecord:
        host = self.host
        return {
            "host": host.program(),
            "title": _printable(host.title()),
            "layer": _printable(known(host)[self.layer].name),
            "ref": host.ref(self.layer),
            "canvas": list(host.canvas()),
            "crop": list(crop),
        }

    def _pending(self, crop: Box) -> Pending:
        order = self.order
        return Pending(
            self.layer,
            self.host.canvas(),
            self.host.frame(self.layer),
            crop,
            masks=tuple(mask.mark for mask in order.masks if mask.kind == PAINTED),
            reference=order.reference.mark if order.reference is not None else "",
            mask_from=order.mask_from,
        )


def known(host: Host) -> dict[str, Layer]:
    """The document's layers by their marks."""
    return {layer.mark: layer for layer in host.layers()}


def gone(host: Host, layer: str) -> str:
    """A sentence when a document that was open, or its layer, is not there any more; "" when both are."""
    if not host.is_open():
        return _("The picture is closed. Cancel, and open it again.")
    if layer not in known(host):
        return _("The layer is gone. Undo its deletion, or cancel and select another layer.")
    return ""


def area_in(host: Host, layer: str) -> Box:
    """What an edit of a layer is about, or of all that is visible for "": what it has of the canvas.

    The daemon plans within that as if it were the whole picture, so that a small layer fills the model's view. Raises
    WireError when there is nothing.
    """
    if not layer:
        return Box(0, 0, *host.canvas())
    box = host.shown_box(layer)
    area = box and box.clipped(*host.canvas())
    if area is None:
        told = _("The layer “{name}” shows nothing inside the picture. Choose another layer, or paint on it first.")
        raise WireError("bad_image", told.format(name=known(host)[layer].name))
    return area


def marked_in(host: Host, choice: MaskChoice, area: Box) -> Box:
    """A box around what a mask marks of the area; raises WireError when that is nothing."""
    box = host.extent(choice)
    common = box.cut(area) if box is not None else None
    if common is None:
        raise nothing_marked(choice)
    return common


def _roles(order: Order) -> list[tuple[str, int, list[MaskChoice]]]:
    """The mask frames that go with an order: role, index, and the masks that each is made of."""
    painted = order.painted()
    if order.wish.instructs:  # there are no objects: all of them say where the picture may change
        return [("edit_mask", 0, painted)] if painted else []
    masks = [("object_mask", index, [mask]) for index, mask in enumerate(order.masks) if mask.kind != AUTOMATIC]
    edited = order.edit_mask is not None and order.edit_mask.kind != AUTOMATIC
    return [*masks, ("edit_mask", 0, painted[-1:])] if edited else masks


def _covering_all(host: Host, choices: Sequence[MaskChoice], crop: Box) -> Work[bytes | bytearray]:
    """What the masks cover together: a byte that is half covered by one of them is so by all."""
    together = yield from _covering(host, choices[0], crop)
    for choice in choices[1:]:
        other = yield from _covering(host, choice, crop)
        both = int.from_bytes(together, "little") | int.from_bytes(other, "little")
        together = both.to_bytes(len(together), "little")
    return together


def _covering(host: Host, choice: MaskChoice, crop: Box) -> Work[bytes | bytearray]:
    data = yield from host.covering(choice, crop)
    if is_blank(data):
        raise nothing_marked(choice)
    return data


def _entry(role: str, picture: Picture) -> FrameRecord:
    return describe(role, picture.shape, picture.dtype)


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:LONGEST_TITLE]
