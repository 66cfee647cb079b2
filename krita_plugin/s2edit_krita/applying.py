"""From a result to a layer: fetched from the daemon, put where it belongs, once, with its recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from s2edit_editor.delivery import layer_name
from s2edit_editor.pixels import Box
from s2edit_editor.place import LOST, TURNED, Sent, find
from s2edit_editor.text import _ as tr
from s2edit_editor.turns import Work
from s2edit_wire.errors import WireError
from s2edit_wire.records import JobRecord, ResultRecord

from . import history, layers, marking
from .document import active, canvas, is_open, node_by_mark, node_mark, source_layer, with_identity
from .pictures import png_of_layer
from .recipes import recipe_of
from .stretching import looker, stretched
from .submitting import split_reference
from .turns import in_turns

if TYPE_CHECKING:
    from .desk import Desk

KritaDocument: TypeAlias = Any
KritaNode: TypeAlias = Any
Job: TypeAlias = Mapping[str, Any]


def home_of(job: Job) -> KritaDocument | None:
    """The open document that a job was sent from, or None."""
    mark, _ = split_reference(job["edit"].get("document", {}).get("ref", ""))
    homes = with_identity(mark) if mark else []
    # A copy under another name has the same mark, but only the one that sent the job has noted it.
    return next((one for one in homes if job["job"] in history.load(one).pending), homes[0] if homes else None)


def choose_source(job: Job) -> None:
    """Make the layer that a job was about the active one, where the document in front still has it."""
    document = active()
    if document is None:
        return
    sent = history.load(document).pending.get(job["job"])
    _, mark = split_reference(job["edit"].get("document", {}).get("ref", ""))
    node = node_by_mark(document, sent.layer if sent else mark)
    if node is not None and layers.is_there(document, node):
        layers.choose(document, node)


def existing_layer(job: str, document: KritaDocument) -> KritaNode | None:
    """The layer that this job's result already is, or None."""
    node = node_by_mark(document, history.load(document).applied.get(job, ""))
    return node if layers.is_there(document, node) else None


def fetch(desk: Desk, job: str, *, choose: bool = False) -> None:
    """Bring a result into its document; into the one in front when it came from elsewhere or its own is closed.

    Args:
        choose: make the new layer the active one.
    """
    record = desk.jobs.get(job)
    document = (home_of(record) if record is not None else None) or active()
    if document is None:
        desk.complain(WireError("bad_image", tr("Open the picture first."), tr("The result waits until then.")))
        return
    there = existing_layer(job, document)
    if there is not None:
        # Applying twice never doubles: the layer that is there is shown instead.
        layers.choose(document, there)
        desk.layer_added.emit(job)
        return
    if record is None:
        words = tr("The layer is gone, and S²Edit no longer keeps this result.")
        desk.complain(WireError("unknown_job", words, tr("Choose “Again”, then “Edit”, to make it once more.")))
        desk.layer_added.emit(job)  # so that its row offers no layer any more
        return

    if job in desk.arriving:
        return  # a second event of its end, or a second press, while it is being put in
    desk.arriving.add(job)

    def came(reply: dict[str, Any], frames: list[Any]) -> None:
        work = _apply(document, reply["job"], reply["record"], reply.get("frames", []), frames, choose=choose)
        in_turns(work, done, failed, still_open)

    def done(_nothing: None) -> None:
        desk.arriving.discard(job)
        desk.applied(job)

    def failed(error: WireError) -> None:
        desk.arriving.discard(job)
        desk.complain(error)

    def still_open() -> bool:
        if not is_open(document):  # closed meanwhile: the result waits in the daemon
            desk.arriving.discard(job)
            return False
        return True

    desk.request("result", {"job": job}, came, failed=failed)


def _apply(
    document: KritaDocument,
    job: JobRecord,
    record: ResultRecord,
    entries: Sequence[Mapping[str, Any]],
    frames: Sequence[Any],
    *,
    choose: bool,
) -> Work[None]:
    if existing_layer(job["job"], document) is not None:
        return
    by_role = {entry["role"]: (entry, data) for entry, data in zip(entries, frames, strict=True)}
    sent = history.load(document).pending.get(job["job"])
    source = _source(document, job, sent)
    box = _place(document, job, sent, source)
    if job["edit"]["kind"] == "mask":
        shape = by_role["mask"][0]["shape"]
        if (shape[1], shape[0]) != (box.width, box.height):
            raise WireError("bad_image", tr("The picture was scaled meanwhile. Ask for the mask again."))
        _apply_mask(document, job, box, by_role["mask"][1], source)
        return
    if "patch" not in by_role or "alpha" not in by_role:
        raise WireError("internal", tr("The result is incomplete."))
    entry, colour = by_role["patch"]
    height, width, channels = entry["shape"]
    depth = layers.result_depth(document, entry["dtype"])
    arrived = layers.Patch(Box(box.x, box.y, width, height), depth, colour, channels, by_role["alpha"][1])
    while True:
        yield
        patch = arrived if arrived.box == box else stretched(arrived, box)
        layer = yield from layers.made(document, source, layer_name(job["edit"]), patch)
        source = _source(document, job, sent)
        before, box = box, _place(document, job, sent, source)
        if box == before:
            break
        arrived = arrived._replace(box=Box(box.x, box.y, width, height))  # moved while it was made
    layers.put_in(document, source, layer, choose=choose)
    register = history.load(document)
    register.applied.pop(job["job"], None)
    register.applied[job["job"]] = node_mark(layer)
    if source is not None:
        register.made_from[node_mark(layer)] = node_mark(source)
    history.store(document, register)
    history.keep_recipe(document, job["job"], recipe_of(job, record, list(box)))
    history.keep_thumbnail(document, job["job"], png_of_layer(layer, box))
    marking.say_model(document, layer)


def _source(document: KritaDocument, job: JobRecord, sent: history.Pending | None) -> KritaNode | None:
    """The layer that was edited, None when it is gone; of a job from elsewhere, the one in hand."""
    _, layer_mark = split_reference(job["edit"].get("document", {}).get("ref", ""))
    source = node_by_mark(document, sent.layer if sent else layer_mark)
    if layers.is_there(document, source):
        return source
    return source_layer(document) if sent is None else None


def _apply_mask(document: KritaDocument, job: Job, box: Box, coverage: Any, source: KritaNode | None) -> None:
    source = source or source_layer(document)
    if source is None:
        raise WireError("bad_image", tr("There is no layer to put the mask over."))
    word = job["edit"]["objects"][0]["word"]
    node = layers.add_filled_object_mask(document, source, word, box, coverage)
    register = history.load(document)
    register.masks[node_mark(node)] = history.MaskLayer(word, node_mark(source))
    register.applied[job["job"]] = node_mark(node)
    history.store(document, register)


def _place(document: KritaDocument, job: JobRecord, sent: history.Pending | None, source: KritaNode | None) -> Box:
    """Where the result belongs now; raises WireError when the picture was changed so that nobody can say."""
    held = job["edit"].get("document", {})
    box = Box(*held["crop"]) if "crop" in held else Box(0, 0, *canvas(document))
    if sent is None or not sent.canvas:
        return box
    then = Sent((sent.canvas[0], sent.canvas[1]), (sent.x, sent.y), box, tuple(sent.points))
    position = source.position() if source is not None else None
    at = None if position is None else (position.x(), position.y())
    found = find(then, canvas(document), at, looker(document, source))
    if found.box is None:
        words = {
            TURNED: tr("The picture was turned while it was edited. Undo that, then add the result."),
            LOST: tr("The picture was changed too much while it was edited. Undo that, then add the result."),
        }
        raise WireError("bad_image", words[found.why])
    return found.box
