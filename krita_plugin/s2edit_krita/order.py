"""What a painter asks for, gathered from the docker: one record carries everything that a job needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from s2edit_editor.host import AUTOMATIC, MaskChoice
from s2edit_editor.wish import Wish

MAX_TITLE = 300


@dataclass(frozen=True)
class Target:
    """An object of the edit: its word in the source prompt and where its mask comes from."""

    word: str
    mask: MaskChoice


@dataclass(frozen=True)
class Reference:
    """The picture that a composition takes from: a layer of an open document, or a file.

    Args:
        document: the open document, None for a file.
        layer: the layer's id, "" for the whole picture.
        path: the file, "" for a layer.
        label: what the painter reads.
    """

    document: Any
    layer: str
    path: str
    label: str


@dataclass(frozen=True)
class Order:
    """One job before it is sent.

    Args:
        wish: what is wanted, without where it is taken from.
        masks: of each of the wish's objects, where its mask comes from.
        whole: take the visible picture instead of the layer.
        edit_mask: where pixels may change, when that is not the object's mask.
        by_itself: whether the result becomes a layer as soon as it is there.
    """

    wish: Wish
    masks: tuple[MaskChoice, ...] = ()
    edit_mask: MaskChoice | None = None
    whole: bool = False
    reference: Reference | None = None
    by_itself: bool = True

    def painted(self) -> list[MaskChoice]:
        """All mask sources that are not left to the model."""
        chosen = [*self.masks, *([self.edit_mask] if self.edit_mask else [])]
        return [mask for mask in chosen if mask.kind != AUTOMATIC]

    @property
    def masked(self) -> list[bool]:
        """Of each object, whether a mask goes with it."""
        return [mask.kind != AUTOMATIC for mask in self.masks]

    def variations(self, targets: Sequence[str], seeds: int, guidances: Sequence[float]) -> list[Order]:
        """This order as `Wish.variations` has it; no layer comes by itself."""
        return [replace(self, wish=wish, by_itself=False) for wish in self.wish.variations(targets, seeds, guidances)]
