"""The cases, each drawn from its number alone: an edit, a portrait, a size, a place, and perhaps a painted mask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from s2edit.research.evaluation.cases import TEST_FIRST, TUNING_FIRST, Case
from s2edit.research.starter.attributes import Portrait, sample_attributes
from s2edit.research.starter.domain import Edit

from . import scenes
from .edits import EDITS, KINDS, answers
from .painting import MANNERS, Manner, Region, painted

Purpose = Literal["tuning", "test", "acceptance"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
SIZES = (512, 640, 800, 1024, 1600)
_FIRST: dict[Purpose, int] = {"tuning": TUNING_FIRST, "test": TEST_FIRST, "acceptance": TEST_FIRST + 1_000_000}
_SPAN = 400
"""Portraits that belong to one case, which takes the first on which its edit is possible; they differ from the old
benchmark's, which takes a few hundred from each first one on, by `_AFTER`."""
_AFTER = 100_000
_SALT: dict[Purpose, int] = {"tuning": 0x7E57, "test": 0x5C0E, "acceptance": 0xACCE}
"""Of the random numbers that everything but the portrait comes from: sets share no mask."""
_LARGE_SIZES = (512, 640, 800)
"""Of portraits in a larger picture whose own size would not fit."""
_DIFFERS = 8
"""Levels of 255 by which a channel has to differ; a shade that no one sees doesn't count."""
_AROUND = 0.01
"""Of the side: what lies so near to a change belongs to it, since an edge may be drawn otherwise."""


@dataclass(frozen=True)
class NativeCase:
    """An edit of a portrait at a size that is used.

    Args:
        purpose: for choosing settings, for scores, or for the last word. number: from 0 on.
    """

    purpose: Purpose
    number: int

    @property
    def id(self) -> str:
        """Name of the case and of its files, such as `test-007`."""
        return f"{self.purpose}-{self.number:03d}"

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        return KINDS[self.number % len(KINDS)]

    @cached_property
    def _drawn(self) -> tuple[Edit[Portrait], scenes.Scene, Manner | None]:
        rng = self._rng(0)
        edit = EDITS[self.kind][int(rng.integers(len(EDITS[self.kind])))]
        size = SIZES[self.number % len(SIZES)]
        placing: scenes.Placing = "alone"
        if self.number // 2 % 4 == 1:
            placing = "standing" if self.kind == "background" or rng.random() < 0.5 else "framed"
            size = size if size < min(scenes.LARGE) else int(rng.choice(_LARGE_SIZES))
        manner = None if self.number % 2 else str(rng.choice(MANNERS, p=(0.6, 0.2, 0.2)))
        if self.kind == "background" and manner == "box":
            manner = "hull"  # the box would be the whole picture
        scene = scenes.sample(rng, placing, size)
        return edit, scene, next((known for known in MANNERS if known == manner), None)

    @property
    def edit(self) -> Edit[Portrait]:
        """What is asked for."""
        return self._drawn[0]

    @property
    def scene(self) -> scenes.Scene:
        """Where the portrait stands."""
        return self._drawn[1]

    @property
    def manner(self) -> Manner | None:
        """How the mask is painted; None where the program has to find it."""
        return self._drawn[2]

    @cached_property
    def seed(self) -> int:
        """The portrait's."""
        first = _FIRST[self.purpose] + _AFTER + self.number * _SPAN
        for seed in range(first, first + _SPAN):
            if self.edit.needs(sample_attributes(seed)):
                return seed
        raise ValueError(f"No portrait of {self.id} allows “{self.edit.name}”.")

    @cached_property
    def _asked(self) -> Case:
        """Prompts and words are those of the benchmark at the model's size."""
        return Case(self.edit, self.seed, painted=self.manner is not None)

    @property
    def prompts(self) -> tuple[str, str]:
        """Source and target prompt."""
        return self._asked.prompts

    @property
    def noun(self) -> str:
        """The object's word in the prompts."""
        return self._asked.noun

    @property
    def instruction(self) -> str:
        """The edit as a command."""
        return self._asked.instruction

    @property
    def portrait_box(self) -> scenes.Box:
        """x, y, width, height of "inside the portrait"; the whole picture where its one wall is to change."""
        if self.kind == "background" and self.scene.placing == "standing":
            return (0, 0, *self.scene.canvas)
        return self.scene.box

    @cached_property
    def image(self) -> NDArray[np.uint8]:
        """The picture to edit: H x W x 3, sRGB."""
        return self.scene.draw(sample_attributes(self.seed))

    @cached_property
    def truths(self) -> list[NDArray[np.uint8]]:
        """Every right answer, H x W x 3 each."""
        return [self.scene.draw(answer) for answer in answers(sample_attributes(self.seed), self.edit)]

    @cached_property
    def changes(self) -> list[Region]:
        """Where each right answer differs from the picture, with a rim of 1 % of the portrait's side; H x W each."""
        return [_around(_differing(self.image, truth), self.scene.size) for truth in self.truths]

    @cached_property
    def mask(self) -> NDArray[np.uint8] | None:
        """What a painter paints for any of the right answers, H x W of 0 or 255; None where nothing is painted."""
        if self.manner is None:
            return None
        anywhere = np.logical_or.reduce([_differing(self.image, truth) for truth in self.truths])
        return painted(anywhere, self.manner, self._rng(1), self.scene.size)

    def _rng(self, stream: int) -> np.random.Generator:
        return np.random.default_rng([_SALT[self.purpose], self.number, stream])


def native_cases(purpose: Purpose, count: int, first: int = 0) -> Iterator[NativeCase]:
    """So many cases by number: kinds, sizes, masks and places take turns, so that any first ones are a fair mixture."""
    for number in range(first, first + count):
        yield NativeCase(purpose, number)


def case_of(identifier: str) -> NativeCase | None:
    """The case of an id; None when there is none of this id."""
    name, _, number = identifier.rpartition("-")
    for purpose in PURPOSES:
        if purpose == name and number.isdecimal():
            return NativeCase(purpose, int(number))
    return None


def _differing(image: NDArray[np.uint8], truth: NDArray[np.uint8]) -> Region:
    """Where two pictures differ, without lines of a pixel: seams between shapes through which a wall shines."""
    differs: Region = (np.abs(image.astype(np.int16) - truth) > _DIFFERS).any(axis=2)
    solid: Region = ndimage.binary_opening(differs, np.ones((3, 3), bool))
    return solid if solid.any() else differs


def _around(region: Region, side: int) -> Region:
    """The region and what is within `_AROUND` of the side."""
    reach = round(_AROUND * side)
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    part = np.s_[max(0, rows[0] - reach) : rows[-1] + reach + 1, max(0, columns[0] - reach) : columns[-1] + reach + 1]
    found = np.zeros_like(region)
    found[part] = ndimage.distance_transform_edt(~region[part]) <= reach
    return found
