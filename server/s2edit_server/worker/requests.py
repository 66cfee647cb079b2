"""A job as the method's request: frames by role, prompts and settings from the wire's `EDIT` record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2edit.engine import ComposeRequest, EditRequest, ObjectSpec
from s2edit_wire.errors import WireError

from ..worker_link import FrameFile, Run
from . import frames
from .choices import settings_for


@dataclass(frozen=True)
class Inputs:
    """The frames of a job by role; a role that was not sent is None.

    Args:
        image, reference: H×W×C as sent.
        edit_mask, reference_mask: H×W uint8.
        object_masks: by index of the object.
    """

    image: frames.Pixels
    reference: frames.Pixels | None
    edit_mask: frames.Pixels | None
    reference_mask: frames.Pixels | None
    object_masks: dict[int, frames.Pixels]


def read_inputs(files: Sequence[FrameFile]) -> Inputs:
    """Map the frames of a job; raises WireError when the picture is missing or can't be used."""
    by_role = {file.role: file for file in files if file.role != "object_mask"}
    if "image" not in by_role:
        raise WireError("bad_image", "The job came without a picture.", "Submit it again.")

    def mask(role: str) -> frames.Pixels | None:
        return frames.read_mask(by_role[role]) if role in by_role else None

    return Inputs(
        image=frames.read_image(by_role["image"]),
        reference=frames.read_image(by_role["reference"]) if "reference" in by_role else None,
        edit_mask=mask("edit_mask"),
        reference_mask=mask("reference_mask"),
        object_masks={file.index: frames.read_mask(file) for file in files if file.role == "object_mask"},
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
    )


def compose_request(run: Run, inputs: Inputs) -> ComposeRequest:
    """The request of a `compose` job; raises S2EditError for bad settings, WireError without a reference."""
    edit = run.edit
    if inputs.reference is None:
        raise WireError("bad_image", "There is no reference picture.", "Choose the layer or file to take from.")
    raise NotImplementedError
