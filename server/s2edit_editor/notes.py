"""What is kept in a document: where jobs that are under way were taken from, and the recipe that a result carries."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from s2edit_wire.errors import WireError
from s2edit_wire.recipe import MASK_SOURCES, Recipe
from s2edit_wire.records import JobRecord, ResultRecord

from .host import Host
from .pixels import Box

PENDING = "s2edit-pending"
"""The document's note of its jobs whose results are still to come."""
MOST_PENDING = 64
REFERENCE = "s2edit-reference"
"""A result's note of what it has something from (`host.Reference.mark`)."""
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Pending:
    """Where a job's picture was taken from.

    Args:
        layer: the edited layer's mark.
        canvas: the document's width and height. frame: the layer's (`Host.frame`).
        crop: what was sent, on the canvas. points: as in `place.Sent`.
        masks: marks of the painted mask layers that went with it, object by object.
        reference: what something is taken over from (`host.Reference.mark`), "" of a plain edit.
        mask_from: the kind of its masks.
    """

    layer: str
    canvas: tuple[int, int]
    frame: Box
    crop: Box
    points: tuple[int, ...] = ()
    masks: tuple[str, ...] = ()
    reference: str = ""
    mask_from: str = ""

    @classmethod
    def from_record(cls, held: Mapping[str, Any]) -> Pending | None:
        """What `asdict` made, of a document: None for anything else, as it is data from outside when it is read."""
        try:
            width, height = map(int, held["canvas"])
            return cls(
                str(held["layer"]),
                (width, height),
                Box(*map(int, held["frame"])),
                Box(*map(int, held["crop"])),
                tuple(map(int, held["points"])),
                tuple(map(str, held["masks"])),
                str(held["reference"]),
                str(held["mask_from"]),
            )
        except (KeyError, TypeError, ValueError):
            return None


def remember(host: Host, job: str, pending: Pending) -> None:
    """Keep with the document where a job's result belongs."""
    _store(host, {**_pending(host), job: asdict(pending)})


def forget(host: Host, job: str) -> None:
    """The daemon never got it. One whose result is there stays noted: undone, it may be wanted once more."""
    held = _pending(host)
    if held.pop(job, None) is not None:
        _store(host, held)


def pending(host: Host, job: str) -> Pending | None:
    """Where the job's picture came from, if this document knows."""
    held = _pending(host).get(job)
    return Pending.from_record(held) if isinstance(held, dict) else None


def jobs(host: Host) -> Collection[str]:
    """The jobs that were sent from this document, as far back as it remembers."""
    return _pending(host).keys()


def is_pending(host: Host, job: str) -> bool:
    """Whether the job was sent from this very document, and not from a copy of it."""
    return job in _pending(host)


def home_of(job: JobRecord, opened: Iterable[Host]) -> Host | None:
    """The document that a job was sent from, out of those that are open; None when it is closed.

    A copy under another name has the same mark, but only the one that sent the job has noted it.
    """
    ref = job["edit"].get("document", {}).get("ref", "")
    homes = [one for one in opened if one.knows(ref)]
    return next((one for one in homes if is_pending(one, job["job"])), next(iter(homes), None))


def _pending(host: Host) -> dict[str, Any]:
    try:
        held = json.loads(host.note(PENDING) or "{}")
    except ValueError:
        return {}
    return held if isinstance(held, dict) else {}


def _store(host: Host, held: Mapping[str, Any]) -> None:
    host.keep(PENDING, json.dumps(dict(list(held.items())[-MOST_PENDING:])) if held else "")


def recipe_of(
    job: JobRecord, record: ResultRecord, crop: Sequence[int], program: Mapping[str, str], mask_from: str = ""
) -> Recipe:
    """The recipe of a result that was just put in.

    Args:
        job: as the daemon has it. record: what the worker wrote about the result.
        crop: x, y, width, height on the canvas, or empty.
        program: versions: `host`, `plugin`.
        mask_from: a kind of mask (`host`); a recipe names `recipe.MASK_SOURCES` only, as an earlier result's mask came
            from somewhere else.
    """
    model = str(record.get("model_hash", ""))
    return Recipe(
        edit=job["edit"],
        job=job["job"],
        when=time.time(),
        result_sha256=job.get("result_sha256", ""),
        model_sha256=model if _DIGEST.fullmatch(model) else "",
        mask_sha256=mask_digests(record.get("inputs", {})),
        crop=list(crop),
        program=dict(program),
        mask_from=mask_from if mask_from in MASK_SOURCES else "",
    )


def mask_digests(inputs: Mapping[str, str]) -> list[str]:
    """Of a result's `inputs`, those of the masks: object by object, then the edit mask's."""
    masks = sorted((role for role in inputs if "mask" in role), key=_place)
    return [inputs[role] for role in masks if _DIGEST.fullmatch(inputs[role])]


def recipe_in(text: str) -> Recipe | None:
    """The recipe that a layer carries; None of none that can be read."""
    try:
        return Recipe.from_json(text) if text else None
    except WireError:
        return None


def job_of(recipe: str) -> str:
    """The job that a layer with this recipe came from; "" of none that can be read."""
    found = recipe_in(recipe)
    return found.job if found is not None else ""


def _place(role: str) -> tuple[bool, int]:
    name, _, index = role.partition(".")
    return name != "object_mask", int(index) if index.isdecimal() else 0
