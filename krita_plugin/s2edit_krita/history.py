"""What a document remembers of its edits, in annotations that Krita saves inside .kra.

One annotation holds the register (`Register`), one per applied edit its recipe, one per edit a small picture.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .qt import QByteArray

KritaDocument: TypeAlias = Any

_REGISTER = "s2edit"
_VERSION = 1


@dataclass
class MaskLayer:
    """An object mask: the word it stands for, and the id of the layer it was made for."""

    word: str
    layer: str


@dataclass
class Pending:
    """Where a job's picture was when it was sent: the layer's id and its position; the rest as in `place.Sent`."""

    layer: str
    x: int
    y: int
    canvas: list[int] = field(default_factory=list)
    points: list[int] = field(default_factory=list)


@dataclass
class Register:
    """What is known of a document.

    Args:
        document: its mark, 32 hexadecimal digits, or "" while nothing was ever sent from it.
        masks: object masks by node id.
        pending: jobs sent from here, by job id.
        applied: id of the layer that a job's result became, by job id, oldest first.
        made_from: id of the layer that a result was made from, by the result's own id.
        unedited: ids of the layers with pixels that were there before the first result.
    """

    document: str = ""
    masks: dict[str, MaskLayer] = field(default_factory=dict)
    pending: dict[str, Pending] = field(default_factory=dict)
    applied: dict[str, str] = field(default_factory=dict)
    made_from: dict[str, str] = field(default_factory=dict)
    unedited: list[str] = field(default_factory=list)


def load(document: KritaDocument) -> Register:
    """The document's register; an empty one when there is none or it can't be read."""
    raw = bytes(document.annotation(_REGISTER))
    if not raw:
        return Register()
    try:
        held = json.loads(raw)
        if held["version"] != _VERSION:
            return Register()
        return Register(
            document=str(held["document"]),
            masks={str(mark): MaskLayer(**entry) for mark, entry in held["masks"].items()},
            pending={str(job): Pending(**entry) for job, entry in held["pending"].items()},
            applied={str(job): str(layer) for job, layer in held["applied"].items()},
            made_from={str(mark): str(layer) for mark, layer in held.get("made_from", {}).items()},
            unedited=[str(mark) for mark in held.get("unedited", [])],
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return Register()


def store(document: KritaDocument, register: Register) -> None:
    """Put the register into the document; Krita then counts it as changed."""
    held = {
        "version": _VERSION,
        "document": register.document,
        "masks": {mark: vars(entry) for mark, entry in register.masks.items()},
        "pending": {job: vars(entry) for job, entry in register.pending.items()},
        "applied": register.applied,
        "made_from": register.made_from,
        "unedited": register.unedited,
    }
    _put(document, _REGISTER, "S²Edit", json.dumps(held, ensure_ascii=False).encode())


def keep_recipe(document: KritaDocument, job: str, recipe: str) -> None:
    """Keep how a job's result came about (JSON)."""
    _put(document, f"{_REGISTER}-{job}-recipe", "S²Edit recipe", recipe.encode())


def recipe(document: KritaDocument, job: str) -> str:
    """The recipe of a job (JSON), or ""."""
    return bytes(document.annotation(f"{_REGISTER}-{job}-recipe")).decode("utf-8", "replace")


def keep_thumbnail(document: KritaDocument, job: str, png: bytes) -> None:
    """Keep a small picture (PNG) of a job's result."""
    _put(document, f"{_REGISTER}-{job}-picture", "S²Edit thumbnail", png)


def thumbnail(document: KritaDocument, job: str) -> bytes:
    """The small picture of a job's result (PNG), or b""."""
    return bytes(document.annotation(f"{_REGISTER}-{job}-picture"))


def forget(document: KritaDocument, job: str) -> None:
    """Remove a job from the document's history; its layer stays."""
    register = load(document)
    register.applied.pop(job, None)
    register.pending.pop(job, None)
    store(document, register)
    for part in ("recipe", "picture"):
        document.removeAnnotation(f"{_REGISTER}-{job}-{part}")


def _put(document: KritaDocument, name: str, description: str, data: bytes) -> None:
    document.setAnnotation(name, description, QByteArray(data))
