"""What a document remembers of its edits, where an editor keeps one text for all of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

_VERSION = 1


@dataclass
class MaskLayer:
    """An object mask: the word it stands for, and the mark of the layer it was made for."""

    word: str
    layer: str


@dataclass
class Register:
    """What is known of a document.

    Args:
        document: its mark, 32 hexadecimal digits, or "" while nothing was ever sent from it.
        masks: object masks by the marks of their layers.
        applied: mark of the layer that a job's result became, by job id, oldest first.
        made_from: mark of the layer that a result was made from, by the result's own mark.
        unedited: marks of the layers with pixels that were there before the first result.
    """

    document: str = ""
    masks: dict[str, MaskLayer] = field(default_factory=dict)
    applied: dict[str, str] = field(default_factory=dict)
    made_from: dict[str, str] = field(default_factory=dict)
    unedited: list[str] = field(default_factory=list)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Register:
        """What `to_bytes` wrote; an empty one of anything else, as it is data from outside when it is read."""
        try:
            held = json.loads(raw or b"null")
            if held["version"] != _VERSION:
                return cls()
            return cls(
                document=str(held["document"]),
                masks={str(mark): MaskLayer(**entry) for mark, entry in held["masks"].items()},
                applied={str(job): str(layer) for job, layer in held["applied"].items()},
                made_from={str(mark): str(layer) for mark, layer in held.get("made_from", {}).items()},
                unedited=[str(mark) for mark in held.get("unedited", [])],
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def to_bytes(self) -> bytes:
        """As a text."""
        held = {**vars(self), "version": _VERSION, "masks": {mark: vars(entry) for mark, entry in self.masks.items()}}
        return json.dumps(held, ensure_ascii=False).encode()

    def applied_as(self, job: str, layer: str, made_from: str) -> None:
        """A job's result is this layer now, the newest of all."""
        self.applied.pop(job, None)
        self.applied[job] = layer
        if made_from:
            self.made_from[layer] = made_from

    def job_of(self, layer: str) -> str:
        """The job whose result a layer is; "" of others."""
        return next((job for job, mark in self.applied.items() if mark == layer), "")
