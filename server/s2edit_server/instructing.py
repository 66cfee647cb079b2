"""What may be wrong with a job for a model that takes one instruction, and with references that others don't take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from s2edit.model.instructed import INSTRUCTED, INSTRUCTION, MOST_REFERENCES

from .problems import Problem
from .weights.catalogue import CatalogueEntry
from .weights.manager import gib


def instructs(entry: CatalogueEntry) -> bool:
    """Whether a model takes an instruction."""
    return entry.family in INSTRUCTED


def instruction_problems(edit: Mapping[str, Any], entry: CatalogueEntry, *, partial: bool = False) -> list[Problem]:
    """What is wrong with the words and the kind of a job for such a model, the first thing only.

    Args:
        edit: `EDIT`, or with `partial` a `plan` request, in which what is not given yet is not missed.
    """
    if edit["kind"] == "caption":
        return []
    if edit["kind"] != "edit":
        message = f"“{entry.title}” takes an instruction; it finds no objects and mixes no pictures by prompts."
        return [Problem("model", "unknown_model", message, hint="Choose another model for that.")]
    if edit.get("source", "").strip() or edit.get("objects"):
        field = "source" if edit.get("source", "").strip() else "object"
        message = f"“{entry.title}” takes one instruction, without a description of the picture or an object's word."
        hint = "Say only what should change, such as “add sunglasses”."
        return [Problem(field, "bad_prompt", message, hint=hint)]
    if not edit.get("target", "").strip() and (not partial or "target" in edit):
        return [Problem("target", "bad_prompt", "The instruction is empty.", hint="Say what should change.")]
    return []


def instruction_memory(entry: CatalogueEntry, available: int) -> Iterator[Problem]:
    """A warning where the device has fewer bytes than such a model takes."""
    needed = entry.needs(INSTRUCTION)
    if needed > available:
        message = f"“{entry.title}” takes {gib(needed)}, and the device has {gib(available)} for it."
        yield Problem("model", "out_of_memory", message, blocking=False, hint="Closing other programs may help.")


def reference_problems(
    edit: Mapping[str, Any], frames: Sequence[tuple[Mapping[str, Any], memoryview]], entry: CatalogueEntry
) -> Iterator[Problem]:
    """References where none are taken, and too many."""
    count = sum(header["role"] == "reference" for header, _ in frames)
    if edit["kind"] != "edit" or not count:
        return
    if not instructs(entry):
        message = f"“{entry.title}” takes no reference pictures with an edit."
        yield Problem("image", "bad_image", message, hint="Leave them out, or choose a model that takes instructions.")
    elif count > MOST_REFERENCES:
        message = f"{count} reference pictures are too many."
        yield Problem("image", "bad_image", message, hint=f"Give at most {MOST_REFERENCES}.")
