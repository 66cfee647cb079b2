"""What a result layer carries: the wire's recipe, kept as an annotation of the document, and jobs read back from it."""

from __future__ import annotations

from collections.abc import Container
from typing import Any, TypeAlias

from krita import Krita
from s2edit_editor import notes
from s2edit_editor.wish import Wish
from s2edit_wire.errors import WireError
from s2edit_wire.recipe import Recipe
from s2edit_wire.records import JobRecord, ResultRecord

from . import VERSION, history

KritaDocument: TypeAlias = Any


def recipe_of(job: JobRecord, record: ResultRecord, crop: list[int]) -> str:
    """The recipe (JSON) of a result that was just put in at `crop`.

    Args:
        job: the job as the daemon has it.
        record: what the worker wrote about the result.
    """
    program = {"host": f"Krita {Krita.instance().version()}", "plugin": VERSION}
    return notes.recipe_of(job, record, crop, program).to_json()


def read(document: KritaDocument, job: str) -> Recipe | None:
    """A job's recipe, or None when there is none that can be read."""
    held = history.recipe(document, job)
    try:
        return Recipe.from_json(held) if held else None
    except WireError:
        return None


def jobs_in(document: KritaDocument, known: Container[str]) -> list[dict[str, Any]]:
    """Edits of this document that the daemon has forgotten, as jobs, newest first."""
    found = []
    for job in reversed(history.load(document).applied):
        recipe = None if job in known else read(document, job)
        if recipe is not None:
            found.append({"job": job, "state": "done", "edit": recipe.edit, "created": recipe.when})
    return found


def values_of_layer(document: KritaDocument, mark: str) -> Wish | None:
    """What the form shows to go on from this layer, or None when it is no result."""
    for job, layer in history.load(document).applied.items():
        recipe = read(document, job) if layer == mark else None
        if recipe is not None:
            return Wish.from_edit(recipe.edit).as_start()
    return None
