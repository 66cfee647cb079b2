"""The edits that are asked for: portraits that training never saw, each with one thing (or two) changed.

A case is made of its number alone, so that every system is asked for the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from s2edit.starter.attributes import TRAINING_SEED_LIMIT, Portrait, sample_attributes, visible
from s2edit.starter.captions import caption
from s2edit.starter.renderer import render

from .metrics import Picture, Region

SIZE = 128
TUNING_FIRST = TRAINING_SEED_LIMIT
"""Portraits on which settings may be chosen; the test's begin at `TEST_FIRST` and are looked at for scores only."""
TEST_FIRST = TRAINING_SEED_LIMIT + 1_000_000
_MARGIN = 4
"""Pixels around a change that count as inside: an edit may anti-alias differently."""


@dataclass(frozen=True)
class Edit:
    """A kind of edit: which portraits it is possible on, what it changes, and which parts the prompts mention."""

    name: str
    kind: str
    needs: Callable[[Portrait], bool]
    changes: Mapping[str, str]
    mention: frozenset[str]


def _man(portrait: Portrait) -> bool:
    return portrait.person == "man"


def _hairy(portrait: Portrait) -> bool:
    return "hair_color" in visible(portrait) and portrait.hair != "bald" and portrait.hat == "none"


EDITS: tuple[Edit, ...] = (
    Edit("add glasses", "add", lambda p: p.accessory == "none", {"accessory": "glasses"}, frozenset({"accessory"})),
    Edit(
        "add sunglasses", "add", lambda p: p.accessory == "none", {"accessory": "sunglasses"}, frozenset({"accessory"})
    ),
    Edit(
        "add a beard",
        "add",
        lambda p: _man(p) and p.facial_hair == "none",
        {"facial_hair": "beard"},
        frozenset({"facial_hair"}),
    ),
    Edit(
        "add a hat",
        "add",
        lambda p: p.hat == "none",
        {"hat": "hat", "hat_color": "red"},
        frozenset({"hat"}),
    ),
    Edit(
        "remove glasses", "remove", lambda p: p.accessory == "glasses", {"accessory": "none"}, frozenset({"accessory"})
    ),
    Edit(
        "remove the beard",
        "remove",
        lambda p: _man(p) and p.facial_hair == "beard",
        {"facial_hair": "none"},
        frozenset({"facial_hair"}),
    ),
    Edit("smiling to sad", "replace", lambda p: p.mood == "smiling", {"mood": "sad"}, frozenset({"mood"})),
    Edit("serious to smiling", "replace", lambda p: p.mood == "serious", {"mood": "smiling"}, frozenset({"mood"})),
    Edit(
        "glasses to sunglasses",
        "replace",
        lambda p: p.accessory == "glasses",
        {"accessory": "sunglasses"},
        frozenset({"accessory"}),
    ),
    Edit(
        "black hair to blonde",
        "recolour",
        lambda p: _hairy(p) and p.hair_color == "black",
        {"hair_color": "blonde"},
        frozenset({"hair"}),
    ),
    Edit(
        "brown hair to red",
        "recolour",
        lambda p: _hairy(p) and p.hair_color == "brown",
        {"hair_color": "red"},
        frozenset({"hair"}),
    ),
    Edit(
        "blue background to pink",
        "recolour",
        lambda p: p.background == "blue",
        {"background": "pink"},
        frozenset({"background"}),
    ),
    Edit(
        "sunglasses and a beard",
        "double",
        lambda p: _man(p) and p.accessory == "none" and p.facial_hair == "none",
        {"accessory": "sunglasses", "facial_hair": "beard"},
        frozenset({"accessory", "facial_hair"}),
    ),
)


@dataclass(frozen=True)
class Case:
    """One edit of one portrait.

    Args:
        edit: what is asked for. seed: the portrait's. painted: whether the system gets the mask a user would paint.
    """

    edit: Edit
    seed: int
    painted: bool

    @property
    def id(self) -> str:
        """Name of the case, and of its file in a folder of results (`ID.png`)."""
        mask = "painted" if self.painted else "auto"
        return f"{self.edit.name.replace(' ', '-')}_{self.seed}_{mask}"

    @cached_property
    def source(self) -> Portrait:
        """The portrait to edit."""
        return sample_attributes(self.seed)

    @cached_property
    def target(self) -> Portrait:
        """The portrait that a perfect edit makes."""
        return self.source.change(**self.edit.changes)

    @cached_property
    def image(self) -> Picture:
        """The picture to edit, `SIZE`² RGB."""
        return render(self.source, SIZE)

    @cached_property
    def truth(self) -> Picture:
        """The right answer."""
        return render(self.target, SIZE)

    @cached_property
    def changed(self) -> Region:
        """Where source and truth differ, with a small margin: "inside"."""
        differs = (self.image.astype(int) - self.truth).any(axis=2)
        grown: Region = ndimage.binary_dilation(differs, iterations=_MARGIN)
        return grown

    @cached_property
    def mask(self) -> Picture | None:
        """The mask a user would paint: a generous blob over the change, H×W uint8; None when not painted."""
        if not self.painted:
            return None
        blob = ndimage.binary_dilation(self.changed, iterations=4)
        return np.where(ndimage.binary_fill_holes(blob), 255, 0).astype(np.uint8)

    @cached_property
    def prompts(self) -> tuple[str, str]:
        """Source and target prompt: as a user would say it, with mood, hair and what changes."""
        mention = {"mood", "hair", *self.edit.mention}
        return caption(self.source, mention=mention), caption(self.target, mention=mention)


def cases(portraits: int, per_edit: int | None = None, *, first: int = TEST_FIRST) -> Iterator[Case]:
    """Cases over at most `portraits` portraits, every possible edit of each, alternately with a painted mask.

    Args:
        per_edit: at most so many portraits for one edit. first: seed of the first portrait.
    """
    taken = dict.fromkeys((edit.name for edit in EDITS), 0)
    for seed in range(first, first + portraits):
        portrait = sample_attributes(seed)
        for number, edit in enumerate(EDITS):
            if edit.needs(portrait) and (per_edit is None or taken[edit.name] < per_edit):
                taken[edit.name] += 1
                yield Case(edit, seed, painted=(seed + number) % 2 == 0)
