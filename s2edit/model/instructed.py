"""Models that edit by an instruction, “add sunglasses”, by themselves: how to tell them, what they take. Torch-free.

They are no backbones of the method: nothing is learned or inverted, and one sentence says what to do. `s2edit.instruct`
puts them into the same crop, compositing and record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from ..picture.region import bucket_size
from .families import FAMILIES, KLEIN, Family, read_object

INSTRUCTION = "instruction"
"""What stands in place of a level of learning where memory is told."""
MOST_REFERENCES = 3
"""Pictures beside the one to edit."""
InstructedKey = Literal["klein-edit"]
_SMALLEST = 128
"""Px of the square from which no side gets under 64, the least that diffusers' pipelines take."""
_MEMORY = Path(__file__).parent / "instructed_memory.json"


@dataclass(frozen=True)
class Instructed:
    """A kind of model that takes an instruction.

    Args:
        key: in the catalogue and in records. title: for people. native: px of the square it draws best.
        multiple: px that sides have to be a multiple of. steps: that it is distilled to.
        operations: of one step at its native size with no further reference, a product and a sum being two.
        pipeline: diffusers' name in `model_index.json`. networks: the family that has the same kinds of networks.
    """

    key: InstructedKey
    title: str
    native: int
    multiple: int
    steps: int
    operations: float
    pipeline: str
    networks: Family

    @property
    def config(self) -> Path:
        """Its published networks' configurations."""
        return self.networks.config

    def model_size(self, width: int, height: int, native: int | None = None) -> tuple[int, int]:
        """(height, width) at which it sees a picture, px.

        Args:
            width, height: the picture's, px. native: the side of its square, in the place of its own.
        Raises:
            ImageError: `image_size`, for a picture without pixels.
        """
        return bucket_size(width, height, max(native or self.native, _SMALLEST), self.multiple)

    @property
    def memory(self) -> dict[str, int]:
        """Bytes that it takes on the device at its native size, under `INSTRUCTION`. Counted, not measured."""
        return {INSTRUCTION: _counts()[self.key]["total"]}


@cache
def _counts() -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = json.loads(_MEMORY.read_text(encoding="utf-8"))
    return found


KLEIN_EDIT = Instructed(
    key="klein-edit",
    title="FLUX.2 klein, by instruction",
    native=1024,
    multiple=16,
    steps=4,
    operations=7.67e13,
    pipeline="Flux2KleinPipeline",
    networks=KLEIN,
)
INSTRUCTED: dict[str, Instructed] = {kind.key: kind for kind in (KLEIN_EDIT,)}


def kinds() -> Mapping[str, Family | Instructed]:
    """All kinds of models that edit, by their key in the catalogue."""
    return FAMILIES | INSTRUCTED


def instructed_of(path: Path) -> Instructed | None:
    """The kind of a diffusers folder that takes instructions; None for all others, single files among them.

    The undistilled model of the same pipeline is a backbone of the method.
    """
    index = read_object(path / "model_index.json") if path.is_dir() else {}
    distilled = index.get("is_distilled") is True
    return next((kind for kind in INSTRUCTED.values() if distilled and index.get("_class_name") == kind.pipeline), None)
