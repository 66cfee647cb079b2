"""What a document remembers of its edits, in annotations that Krita saves inside .kra.

One annotation holds the register (`s2edit_editor.register`), one per applied edit its recipe, one per edit a small
picture, and one each of the notes that the editors' one mind keeps.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any, TypeAlias
from uuid import uuid4

from s2edit_editor.notes import recipe_in
from s2edit_editor.register import Register
from s2edit_wire.recipe import NAME

from .qt import QByteArray

KritaDocument: TypeAlias = Any

_REGISTER = "s2edit"


def load(document: KritaDocument) -> Register:
    """The document's register; an empty one when there is none or it can't be read."""
    return Register.from_bytes(bytes(document.annotation(_REGISTER)))


def store(document: KritaDocument, register: Register) -> None:
    """Put the register into the document; Krita then counts it as changed."""
    _put(document, _REGISTER, "S²Edit", register.to_bytes())


def identity(document: KritaDocument) -> str:
    """The document's own mark (32 hexadecimal digits), made at first use and saved with it."""
    state = load(document)
    if not state.document:
        state.document = uuid4().hex
        store(document, state)
    return state.document


def note(document: KritaDocument, name: str, layer: str = "") -> str:
    """A text that is kept with the document, or with a result of it; "" when there is none."""
    return bytes(document.annotation(_key(document, name, layer))).decode("utf-8", "replace")


def keep(document: KritaDocument, name: str, text: str, layer: str = "") -> None:
    """Keep such a text; "" removes it."""
    key = _key(document, name, layer)
    if text:
        _put(document, key, "S²Edit", text.encode())
    elif bytes(document.annotation(key)):
        document.removeAnnotation(key)


def keep_thumbnail(document: KritaDocument, job: str, png: bytes) -> None:
    """Keep a small picture (PNG) of a job's result."""
    _put(document, f"{_REGISTER}-{job}-picture", "S²Edit thumbnail", png)


def thumbnail(document: KritaDocument, job: str) -> bytes:
    """The small picture of a job's result (PNG), or b""."""
    return bytes(document.annotation(f"{_REGISTER}-{job}-picture"))


def kept_jobs(document: KritaDocument, known: Container[str]) -> list[dict[str, Any]]:
    """Edits of this document that the daemon has forgotten, as jobs, newest first; their recipes tell them."""
    found = []
    for job, layer in reversed(load(document).applied.items()):
        recipe = None if job in known else recipe_in(note(document, NAME, layer))
        if recipe is not None:
            found.append({"job": job, "state": "done", "edit": recipe.edit, "created": recipe.when})
    return found


def _key(document: KritaDocument, name: str, layer: str) -> str:
    """What is kept with a result goes by its job, as its layer may be undone and made anew."""
    if not layer:
        return name
    return f"{_REGISTER}-{load(document).job_of(layer) or layer}-{name.removeprefix('s2edit-')}"


def _put(document: KritaDocument, name: str, description: str, data: bytes) -> None:
    document.setAnnotation(name, description, QByteArray(data))
