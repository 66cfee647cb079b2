"""The recipe of an edit, as a result layer carries it: everything needed to run it again, as versioned JSON.

GIMP keeps it in a parasite, Krita in an annotation; both survive saving, and both are data from outside when read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict, cast

from .errors import WireError
from .kinds import Choice, Hex, Integer, ListOf, MapOf, Record, Text
from .limits import MAX_OBJECTS, MAX_RECIPE
from .records import BOX, EDIT, JOB_ID, TIME, EditRecord

VERSION = 1
NAME = "s2edit-recipe"
"""What the parasite or annotation is called."""
MASK_SOURCES = ("automatic", "selection", "layer_mask", "layer", "channel")


class _Recipe(TypedDict):
    recipe: Annotated[int, Integer(1, 1_000), "Version of this format."]
    edit: Annotated[EditRecord, EDIT, "What was asked for."]
    job: Annotated[str, JOB_ID, "The job."]
    when: Annotated[float, TIME, "When the result was inserted, seconds since 1970."]


class RecipeRecord(_Recipe, total=False):
    """A recipe as JSON."""

    result_sha256: Annotated[str, Hex(64), "Digest of the result's frames."]
    model_sha256: Annotated[str, Hex(64), "Digest of the model's weights."]
    mask_sha256: Annotated[list[str], ListOf(Hex(64), MAX_OBJECTS + 1), "Digests of the painted masks."]
    crop: Annotated[list[int], BOX, "x, y, width, height of the result in the picture."]
    program: Annotated[dict[str, str], MapOf(Text(64), 4), "Versions: `host`, `plugin`, `daemon`."]
    mask_from: Annotated[str, Choice(MASK_SOURCES), "Where the mask came from."]


FORMAT = Record.of("recipe", RecipeRecord)


@dataclass(frozen=True)
class Recipe:
    """What a result layer carries; see `FORMAT` for ranges.

    Args:
        edit: the record `records.EDIT` that was submitted.
        job: the job's id.
        when: seconds since 1970.
        result_sha256, model_sha256: digests, "" when not known.
        mask_sha256: digests of the painted masks, object by object.
        crop: x, y, width, height in the picture, or empty.
        program: names to versions.
        mask_from: where the mask came from, or "".
    """

    edit: EditRecord
    job: str
    when: float
    result_sha256: str = ""
    model_sha256: str = ""
    mask_sha256: list[str] = field(default_factory=list)
    crop: list[int] = field(default_factory=list)
    program: dict[str, str] = field(default_factory=dict)
    mask_from: str = ""

    def to_json(self) -> str:
        """The recipe as JSON, at most 16 KiB as UTF-8.

        Raises:
            WireError: `bad_request` when a field is out of its range, `too_large` over 16 KiB.
        """
        value: dict[str, object] = {"recipe": VERSION, "edit": self.edit, "job": self.job, "when": self.when}
        optional = ("result_sha256", "model_sha256", "mask_sha256", "crop", "program", "mask_from")
        value.update({name: getattr(self, name) for name in optional if getattr(self, name)})
        FORMAT.check(value, "")
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        if len(text.encode("utf-8")) > MAX_RECIPE:
            raise WireError("too_large", f"The recipe is over {MAX_RECIPE} bytes.")
        return text

    @classmethod
    def from_json(cls, text: str | bytes) -> Recipe:
        """The recipe in `text`.

        Raises:
            WireError: `bad_request` or `too_large`, when it is none, or of a newer version.
        """
        data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        if len(data) > MAX_RECIPE:
            raise WireError("too_large", f"The layer's recipe is over {MAX_RECIPE} bytes, so it is not used.")
        try:
            value = json.loads(data.decode("utf-8"), object_pairs_hook=_each_once, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise WireError("bad_request", "The layer's recipe can't be read.") from error
        if isinstance(value, dict) and isinstance(value.get("recipe"), int) and value["recipe"] > VERSION:
            raise WireError(
                "bad_request", "The layer's recipe was written by a newer S²Edit.", "Update S²Edit: s2edit install"
            )
        FORMAT.check(value, "")
        value.pop("recipe")
        return cls(**value)


def run_again(recipe: Recipe, **changes: object) -> EditRecord:
    """The edit of a recipe, changed, as a fresh record to submit under a new job id.

    Args:
        recipe: what a layer carries.
        changes: fields of `records.EDIT`; None leaves the field out, `settings` is merged name by name.

    Raises:
        WireError: `bad_request` when the changed edit is out of range.
    """
    edit: dict[str, Any] = dict(recipe.edit)
    for name, value in changes.items():
        if value is None:
            edit.pop(name, None)
        elif name == "settings" and isinstance(value, dict):
            edit["settings"] = {**edit.get("settings", {}), **value}
        else:
            edit[name] = value
    EDIT.check(edit, "edit")
    return cast(EditRecord, edit)


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name stands twice")
    return result


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")
