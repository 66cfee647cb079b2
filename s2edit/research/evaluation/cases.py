"""The edits that are asked for: pictures that training never saw, each with one thing (or two) changed.

A case is made of its number alone, so that every system is asked for the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from s2edit.research.starter.attributes import TRAINING_SEED_LIMIT
from s2edit.research.starter.domain import NAMES, Domain, Edit, Thing
from s2edit.research.starter.domain import domain as named_domain
from s2edit.research.starter.portraits import PORTRAITS

if TYPE_CHECKING:
    # Exporting cases then needs no torch.
    from .metrics import Picture, Region

SIZE = 128
TUNING_FIRST = TRAINING_SEED_LIMIT
"""Portraits on which settings may be chosen; the test's begin at `TEST_FIRST` and are looked at for scores only."""
TEST_FIRST = TRAINING_SEED_LIMIT + 1_000_000
_MARGIN = 4
"""Pixels around a change that count as inside: an edit may anti-alias differently."""


def _in_id(edit: Edit[Any]) -> str:
    return edit.name.replace(" ", "-")


@dataclass(frozen=True)
class Case:
    """One edit of one portrait, or of another domain's thing.

    Args:
        edit: what is asked for. seed: the portrait's. painted: whether the system gets the mask a user would paint.
        domain: the world that the seed is drawn from.
    """

    edit: Edit[Any]
    seed: int
    painted: bool
    domain: Domain[Any] = PORTRAITS

    @property
    def id(self) -> str:
        """Name of the case, and of its file in a folder of results (`ID.png`)."""
        mask = "painted" if self.painted else "auto"
        return f"{_in_id(self.edit)}_{self.seed}_{mask}"

    @cached_property
    def source(self) -> Thing:
        """The portrait to edit."""
        source: Thing = self.domain.sample(self.seed)
        return source

    @cached_property
    def target(self) -> Thing:
        """The portrait that a perfect edit makes."""
        return self.source.change(**self.edit.changes)

    @cached_property
    def image(self) -> Picture:
        """The picture to edit, `SIZE`² RGB."""
        return self.domain.render(self.source, SIZE)

    @cached_property
    def truth(self) -> Picture:
        """The right answer."""
        return self.domain.render(self.target, SIZE)

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
        """Source and target prompt. The source prompt names all that any edit changes, so a portrait has only one."""
        mention = {*self.domain.usual, *(part for edit in self.domain.edits for part in edit.mention)}
        caption = self.domain.caption
        return caption(self.source, mention=mention), caption(self.target, mention=mention)

    @property
    def instruction(self) -> str:
        """The edit as a command: "add glasses", "change smiling to sad"."""
        name = self.edit.name
        return name if name.split()[0] in {"add", "remove"} else f"change {name}"

    @property
    def noun(self) -> str:
        """The object's word in the prompts."""
        return self.domain.noun(self.source)


def cases(
    portraits: int, edits: int | None = None, *, first: int = TEST_FIRST, domain: Domain[Any] = PORTRAITS
) -> Iterator[Case]:
    """Cases over so many portraits, alternately with a painted mask.

    Args:
        edits: at most so many of a portrait's possible edits, the ones that came least often so far; None for all.
        first: seed of the first portrait. domain: whose things to edit instead of portraits.
    """
    taken = dict.fromkeys((edit.name for edit in domain.edits), 0)
    for seed in range(first, first + portraits):
        thing = domain.sample(seed)
        possible = [(number, edit) for number, edit in enumerate(domain.edits) if edit.needs(thing)]
        rarest = sorted(possible, key=lambda item: taken[item[1].name])[:edits]
        for number, edit in sorted(rarest, key=lambda item: item[0]):
            taken[edit.name] += 1
            yield Case(edit, seed, painted=(seed + number) % 2 == 0, domain=domain)


@cache
def _edits() -> dict[str, tuple[Domain[Any], Edit[Any]]]:
    """The edits of all domains as case ids name them: no two share a name."""
    worlds = [named_domain(name) for name in NAMES]
    return {_in_id(edit): (world, edit) for world in worlds for edit in world.edits}


def case_of(identifier: str) -> Case | None:
    """The case of an id; None when there is none of this id."""
    name, _, rest = identifier.partition("_")
    seed, _, mask = rest.partition("_")
    if name not in _edits() or not seed.isdecimal() or mask not in ("painted", "auto"):
        return None
    world, edit = _edits()[name]
    return Case(edit, int(seed), mask == "painted", world)
