"""What may be wrong with a job besides its words: pictures, masks, the model's kind and memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from s2edit_wire.records import ProblemRecord

from .weights.catalogue import CatalogueEntry
from .weights.manager import Weights, gib

PHOTO_THRESHOLD = 0.5
"""How photo-like a picture has to be for a cartoon model to be doubted."""
_HALF = {"u1": 127, "u2": 32_767, "f4": 0.5}
"""A mask's sample counts as inside above this: `s2edit.requests.Mask`'s threshold at each depth."""


@dataclass(frozen=True)
class Problem:
    """The wire's record `PROBLEM`, and the hint that the error would carry."""

    field: str
    code: str
    message: str
    word: str = ""
    blocking: bool = True
    hint: str = ""

    def as_record(self) -> ProblemRecord:
        """As it travels."""
        record: ProblemRecord = {
            "field": self.field,
            "code": self.code,
            "message": f"{self.message} {self.hint}".strip()[:2_000],
            "blocking": self.blocking,
        }
        if self.word:
            record["word"] = self.word[:200]
        return record


def frame_problems(
    edit: Mapping[str, Any], frames: Sequence[tuple[Mapping[str, Any], memoryview]]
) -> Iterator[Problem]:
    """What is wrong with the pictures and masks that came along."""
    by_role: dict[tuple[str, int], Mapping[str, Any]] = {}
    for entry, _ in frames:
        by_role[entry["role"], entry.get("index", 0)] = entry
    if len(by_role) != len(frames):
        yield Problem("image", "bad_image", "A picture or mask was sent twice.", hint="Send each once.")
    needed = ["image", "reference"] if edit["kind"] == "compose" else ["image"]
    for role in needed:
        if (role, 0) not in by_role:
            yield Problem("image", "bad_image", f"There is no {role} picture.", hint="Choose a layer or file.")
    for index, entry in enumerate(edit["objects"]):
        if entry["masked"] and ("object_mask", index) not in by_role:
            word = entry["word"]
            yield Problem("mask", "bad_mask", f"The mask of “{word}” is missing.", word, hint="Paint it again.")
    for entry, data in frames:
        if entry["space"] == "mask":
            yield from _mask_problems(entry, data, by_role)


def _mask_problems(
    entry: Mapping[str, Any], data: memoryview, by_role: Mapping[tuple[str, int], Mapping[str, Any]]
) -> Iterator[Problem]:
    image = by_role.get(("reference" if entry["role"] == "reference_mask" else "image", 0))
    height, width = entry["shape"][:2]
    if image is not None and [height, width] != list(image["shape"][:2]):
        theirs = f"{image['shape'][1]}×{image['shape'][0]}"
        message = f"The mask has {width}×{height} pixels, the picture {theirs}."
        yield Problem("mask", "bad_mask", message, hint="Make a mask of the picture's size.")
    elif not (np.frombuffer(data, f"<{entry['dtype']}") > _HALF[entry["dtype"]]).any():
        yield Problem("mask", "bad_mask", "The mask marks nothing.", hint="Paint over the object, or leave it out.")


def photo_problems(request: Mapping[str, Any], entry: CatalogueEntry, weights: Weights) -> Iterator[Problem]:
    """A photograph under a model for drawings: a warning that names the model to take."""
    if entry.domain != "cartoon" or request.get("photo", 0.0) < PHOTO_THRESHOLD:
        return
    message = f"“{entry.title}” knows drawn portraits only, and this looks like a photograph."
    fitting = [other for other in weights.entries() if other.role == "editor" and other.domain == "photo"]
    records = sorted((weights.record(other) for other in fitting), key=lambda record: record["state"] != "ready")
    for record in records[:1]:
        how = "and is installed: choose it" if record["state"] == "ready" else f"({gib(record['size'])} to download)"
        yield Problem("model", "bad_image", message, blocking=False, hint=f"“{record['title']}” fits {how}.")


def size_problem(size: tuple[int, int], model_size: tuple[int, int]) -> Problem:
    """A warning that what was painted is smaller than the model can draw; widths and heights in the model's pixels."""
    got, whole = (f"{width}×{height}" for width, height in (size, model_size))
    message = f"What is painted gets only {got} of the model's {whole} pixels, and will hardly be drawn."
    hint = "Paint all of the object, or take less of its surroundings along (Context)."
    return Problem("mask", "bad_mask", message, blocking=False, hint=hint)


def memory_problems(entry: CatalogueEntry, available: int) -> Iterator[Problem]:
    """Fewer bytes than a full edit takes: a warning, since a lower level of learning is chosen then."""
    if entry.memory > available:
        message = f"Learning the picture in full takes {gib(entry.memory)}, and the device has {gib(available)} for it."
        hint = "It is learned in part then, less faithfully; closing other programs may help."
        yield Problem("model", "out_of_memory", message, blocking=False, hint=hint)
