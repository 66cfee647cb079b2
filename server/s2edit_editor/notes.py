"""What is kept in a document: the recipe that a result carries, made from the daemon's answer, with mask digests."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence

from s2edit_wire.errors import WireError
from s2edit_wire.recipe import Recipe
from s2edit_wire.records import JobRecord, ResultRecord

_DIGEST = re.compile("[0-9a-f]{64}")


def recipe_of(
    job: JobRecord, record: ResultRecord, crop: Sequence[int], program: Mapping[str, str], mask_from: str = ""
) -> Recipe:
    """The recipe of a result that was just put in.

    Args:
        job: as the daemon has it. record: what the worker wrote about the result.
        crop: x, y, width, height on the canvas, or empty.
        program: versions: `host`, `plugin`.
        mask_from: one of `recipe.MASK_SOURCES`, "" when not known.
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
        mask_from=mask_from,
    )


def mask_digests(inputs: Mapping[str, str]) -> list[str]:
    """Of a result's `inputs`, those of the masks: object by object, then the edit mask's."""
    masks = sorted((role for role in inputs if "mask" in role), key=_place)
    return [inputs[role] for role in masks if _DIGEST.fullmatch(inputs[role])]


def job_of(recipe: str) -> str:
    """The job that a layer with this recipe came from; "" of none that can be read."""
    try:
        return Recipe.from_json(recipe).job if recipe else ""
    except WireError:
        return ""


def _place(role: str) -> tuple[bool, int]:
    name, _, index = role.partition(".")
    return name != "object_mask", int(index) if index.isdecimal() else 0
