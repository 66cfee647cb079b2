"""A job as the method's request: frames by role, prompts and settings from the wire's `EDIT` record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2edit_wire.errors import WireError

from s2edit.method.prompts import content_words
from s2edit.requests import ComposeRequest, EditRequest, ObjectSpec

from ..worker_link import FrameFile, Run
from . import frames
from .choices import settings_for


@dataclass(frozen=True)
class Inputs:
    """The frames of a job by role; a role that was not sent is None.

    Args:
        image, reference: H×W×C as sent. references: all of them, by index.
        edit_mask, reference_mask: H×W uint8.
        object_masks: by index of the object.
    """

    image: frames.Pixels
    reference: frames.Pixels | None
    edit_mask: frames.Mask | None
    reference_mask: frames.Mask | None
    object_masks: dict[int, frames.Mask]
    references: dict[int, frames.Pixels]


def read_inputs(files: Sequence[FrameFile]) -> Inputs:
    """Map the frames of a job; raises WireError when the picture is missing or can't be used."""
    several = ("object_mask", "reference")
    by_role = {file.role: file for file in files if file.role not in several}
    references = {file.index: frames.read_image(file) for file in files if file.role == "reference"}
    if "image" not in by_role:
        raise WireError("bad_image", "The job came without a picture.", "Submit it again.")

    def mask(role: str) -> frames.Mask | None:
        return frames.read_mask(by_role[role]) if role in by_role else None

    return Inputs(
        image=frames.read_image(by_role["image"]),
        reference=references.get(0),
        edit_mask=mask("edit_mask"),
        reference_mask=mask("reference_mask"),
        object_masks={file.index: frames.read_mask(file) for file in files if file.role == "object_mask"},
        references=references,
    )


def objects_of(edit: dict[str, Any], inputs: Inputs) -> tuple[ObjectSpec, ...]:
    """The objects with their painted masks."""
    return tuple(
        ObjectSpec(word=entry["word"], mask=inputs.object_masks.get(index) if entry["masked"] else None)
        for index, entry in enumerate(edit["objects"])
    )


def edit_request(run: Run, inputs: Inputs) -> EditRequest:
    """The request of an `edit` job; raises S2EditError for bad settings."""
    edit = run.edit
    return EditRequest(
        image=inputs.image,
        source=edit["source"],
        target=edit.get("target", ""),
        objects=objects_of(edit, inputs),
        edit_mask=inputs.edit_mask,
        settings=settings_for(edit, Path(run.model.path), lower=run.lower),
        seed=edit["seed"],
        references=tuple(inputs.references[index] for index in sorted(inputs.references)),
    )


def compose_request(run: Run, inputs: Inputs) -> ComposeRequest:
    """The request of a `compose` job; raises S2EditError for bad settings, WireError when something is missing.

    The first object is the one in the picture; the second, where given, names the attribute in the reference.
    """
    edit = run.edit
    if inputs.reference is None:
        raise WireError("bad_image", "There is no reference picture.", "Choose the layer or file to take from.")
    objects = objects_of(edit, inputs)
    if not objects:
        raise WireError(
            "bad_prompt", "There is no word for the object.", "Type the word of the source prompt that names it."
        )
    attribute = objects[1].word if len(objects) > 1 else carried_word(edit)
    return ComposeRequest(
        image=inputs.image,
        reference=inputs.reference,
        source=edit["source"],
        reference_prompt=edit.get("reference_prompt", ""),
        mix=edit.get("target", ""),
        word=objects[0].word,
        attribute=attribute,
        mask=objects[0].mask,
        reference_mask=inputs.reference_mask,
        edit_mask=inputs.edit_mask,
        settings=settings_for(edit, Path(run.model.path), lower=run.lower),
        seed=edit["seed"],
    )


def carried_word(edit: Mapping[str, Any]) -> str:
    """The word that the mixed prompt took from the reference's; raises WireError("bad_prompt") when there is none.

    English puts the noun last ("red curly hair"), so the last of several is the attribute.
    """
    source, reference = (content_words(edit.get(name, "")) for name in ("source", "reference_prompt"))
    carried = [word for word in content_words(edit.get("target", "")) if word in reference and word not in source]
    if not carried:
        message = "The mixed prompt has no word from the reference's prompt that the source prompt lacks."
        raise WireError("bad_prompt", message, "Use the attribute's word in both, such as “makeup”.")
    return carried[-1]
