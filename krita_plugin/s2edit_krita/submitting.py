"""From an order to a job: ask the daemon for the plan, copy only the crop out of Krita in bands, hand it over."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from krita import Krita
from s2edit_editor.area import crop_on_canvas
from s2edit_editor.host import AUTOMATIC
from s2edit_editor.masks import nothing_marked
from s2edit_editor.photo import likeness, step_of
from s2edit_editor.pixels import Box
from s2edit_editor.pixels import Picture as WirePicture
from s2edit_editor.place import points_of
from s2edit_editor.text import _ as tr
from s2edit_editor.turns import Work
from s2edit_wire import frames
from s2edit_wire.client import new_job_id
from s2edit_wire.errors import WireError
from s2edit_wire.frames import FrameRecord
from s2edit_wire.records import DocumentRecord, PlanRequest

from . import history, layers, masks
from .document import (
    Picture,
    area,
    canvas,
    depth_of,
    glance,
    identity,
    is_costly,
    is_open,
    node_by_mark,
    node_mark,
    read,
    reading,
    source_layer,
    title,
)
from .order import MAX_TITLE, Order, Reference
from .pixels import DEPTHS
from .turns import in_turns

if TYPE_CHECKING:
    from .desk import Desk

KritaDocument: TypeAlias = Any
KritaNode: TypeAlias = Any
Frame: TypeAlias = bytes | bytearray

_LARGEST_HASHED = 2**21
"""Bytes."""


class Parcel(NamedTuple):
    """What is sent of a document: where it is from, and the pixel frames with their header entries."""

    where: DocumentRecord
    pending: history.Pending
    entries: list[FrameRecord]
    frames: list[Frame]

    def add(self, entry: FrameRecord, data: Frame) -> None:
        """Append one frame."""
        self.entries.append(entry)
        self.frames.append(data)


def mark_of_reference(document_mark: str, layer_mark: str) -> str:
    """The wire's `document.ref`: finds document and layer again."""
    return f"krita:{document_mark}:{layer_mark}"


def split_reference(ref: str) -> tuple[str, str]:
    """Document's mark and layer's id of a `document.ref` made here; two empty texts for another host's."""
    parts = ref.split(":")
    return (parts[1], parts[2]) if len(parts) == 3 and parts[0] == "krita" else ("", "")


def area_for(document: KritaDocument, layer: KritaNode, order: Order) -> Box:
    """What the order is about: the layer's own box cut to the canvas, or all; raises WireError of an empty layer."""
    return area(document, None if order.whole else layer)


def plan_fields(document: KritaDocument, order: Order, within: Box) -> PlanRequest:
    """The `plan` request for an order; raises WireError when a chosen mask marks nothing of the area."""
    boxes = []
    for mask in order.painted():
        box = masks.extent(document, mask)
        if box is None or box.cut(within) is None:
            raise nothing_marked(mask)
        boxes.append(box)
    return order.wish.plan_request(within, order.masked, order.wish.model, boxes)


def add_facts(request: PlanRequest, document: KritaDocument, layer: KritaNode | None, crop: Box) -> None:
    """Add what a plan wants to know of the picture that would be sent.

    `photo`, and `image_sha256`, by which the daemon knows a picture that it has learned already;
    the latter not for a crop so large, or a layer so slow to read, that it would be felt.
    """
    if crop.clipped(*canvas(document)) != crop:
        return
    step = step_of(crop)
    _, _, width, height = crop.thinned(step)
    request["photo"] = likeness(WirePicture(width, height, 4, "u1", bytes(glance(document, layer, crop, step))))
    size = crop.width * crop.height * depth_of(document).bytes_a_pixel
    if size <= _LARGEST_HASHED and not is_costly(document, layer):
        request["image_sha256"] = sha256(read(document, layer, crop).data).hexdigest()


def submit(desk: Desk, document: KritaDocument, order: Order, sent: Callable[[str], None]) -> None:
    """Plan and hand over; `sent` gets the job's id once the daemon has it, trouble goes to `desk.complain`."""
    layer = source_layer(document)
    if layer is None:
        desk.complain(WireError("bad_image", tr("There is no layer to edit."), tr("Choose a layer first.")))
        return
    layer_mark = node_mark(layer)
    try:
        within = area_for(document, layer, order)
        fields = plan_fields(document, order, within)
    except WireError as error:
        desk.complain(error)
        return

    def planned(reply: dict[str, Any], _frames: list[Any]) -> None:
        blocking = [problem for problem in reply["problems"] if problem["blocking"]]
        if blocking:
            desk.complain(WireError(blocking[0]["code"], blocking[0]["message"]))
            return
        work = _gathered(document, layer_mark, order, crop_on_canvas(within, reply["crop"]))
        in_turns(work, lambda parcel: _hand_over(desk, document, order, parcel, sent), desk.complain, there)

    def there() -> bool:
        if not is_open(document):
            desk.complain(WireError("bad_image", tr("The picture was closed before it could be sent.")))
            return False
        return True

    desk.request("plan", fields, planned)


def _gathered(document: KritaDocument, layer_mark: str, order: Order, crop: Box) -> Work[Parcel]:
    """All pixels of an order as they are now, and where they were."""
    layer = node_by_mark(document, layer_mark)
    if layer is None:
        raise WireError("bad_image", tr("The layer was deleted before it could be sent."))
    position = layer.position()
    where: DocumentRecord = {
        "host": "krita",
        "title": title(document)[:MAX_TITLE],
        "layer": layer.name()[:MAX_TITLE],
        "ref": mark_of_reference(identity(document), layer_mark),
        "canvas": list(canvas(document)),
        "crop": list(crop),
    }
    pending = history.Pending(layer_mark, position.x(), position.y(), list(canvas(document)))
    parcel = Parcel(where, pending, [], [])
    picture = yield from reading(document, None if order.whole else layer, crop)
    _add_picture(parcel, "image", picture)
    pending.points = list(_points(picture, whole=order.whole))
    for index, mask in enumerate(order.masks):
        if mask.kind != AUTOMATIC:
            _add_mask(parcel, "object_mask", crop, (yield from masks.covering(document, mask, crop)), index)
    if order.edit_mask is not None and order.edit_mask.kind != AUTOMATIC:
        _add_mask(parcel, "edit_mask", crop, (yield from masks.covering(document, order.edit_mask, crop)))
    if order.reference is not None:
        _add_picture(parcel, "reference", (yield from _reading_reference(order.reference)))
    return parcel


def _hand_over(desk: Desk, document: KritaDocument, order: Order, parcel: Parcel, sent: Callable[[str], None]) -> None:
    job = new_job_id()
    register = history.load(document)
    register.pending[job] = parcel.pending
    history.store(document, register)
    desk.expect(job, as_layer=order.by_itself)
    fields: dict[str, object] = {
        "job": job,
        "edit": order.wish.to_edit(order.masked, parcel.where, order.wish.model),
        "frames": parcel.entries,
    }

    def accepted(reply: dict[str, Any], _frames: list[Any]) -> None:
        desk.take(reply["job"])
        sent(job)

    def refused(error: WireError) -> None:
        if is_open(document):
            history.forget(document, job)
        desk.complain(error)

    desk.request("submit", fields, accepted, parcel.frames, refused)


def _reading_reference(reference: Reference) -> Work[Picture]:
    """The pixels of a composition's reference; raises WireError when it is gone or can't be read."""
    if reference.path:
        document = Krita.instance().openDocument(reference.path)
        if document is None:
            raise WireError("bad_image", tr("Krita cannot open “{name}”.", name=reference.label))
        try:
            return (yield from reading(document, None, Box(0, 0, *canvas(document)), DEPTHS["U8"]))
        finally:
            document.setModified(False)
            document.close()
    document = reference.document
    if document is None or not is_open(document):
        raise WireError("bad_image", tr("The reference “{name}” is gone.", name=reference.label))
    if not reference.layer:
        return (yield from reading(document, None, Box(0, 0, *canvas(document))))
    layer = node_by_mark(document, reference.layer)
    if layer is None or not layers.is_there(document, layer):
        raise WireError("bad_image", tr("The reference “{name}” is gone.", name=reference.label))
    return (yield from reading(document, layer, area(document, layer)))


def _points(picture: Picture, *, whole: bool) -> tuple[int, ...]:
    """What finds the crop again in its layer; nothing for a picture of all layers, which moves with none."""
    if whole:
        return ()
    sent = WirePicture(picture.box.width, picture.box.height, 4, picture.depth.dtype, picture.data)
    return points_of(sent)


def _add_picture(parcel: Parcel, role: str, picture: Picture) -> None:
    shape = (picture.box.height, picture.box.width, 4)
    parcel.add(frames.describe(role, shape, picture.depth.dtype), picture.data)


def _add_mask(parcel: Parcel, role: str, crop: Box, data: Frame, index: int = 0) -> None:
    parcel.add(frames.describe(role, (crop.height, crop.width, 1), "u1", "mask", index), data)
