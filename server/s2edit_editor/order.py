"""What a painter asks for, gathered from a form: one record carries everything that a job needs of its document."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath, PureWindowsPath

from .host import AUTOMATIC, MaskChoice, Reference
from .wish import Wish

LONGEST_REFERENCE = 1024
"""Pixels per side of a reference that are worth sending: models see no more."""


def is_file(mark: str) -> bool:
    """Whether a reference's mark is a file's whole path, of whatever system; else it names a document, or a layer."""
    return PurePosixPath(mark).is_absolute() or PureWindowsPath(mark).is_absolute()


@dataclass(frozen=True)
class Order:
    """One job before it is sent.

    Args:
        wish: what is wanted, without where it is taken from.
        masks: of each of the wish's objects, where its mask comes from; the model finds those beyond.
        edit_mask: where pixels may change, when that is not the object's mask.
        whole: take the visible picture instead of the layer.
        reference: of a composition.
    """

    wish: Wish
    masks: tuple[MaskChoice, ...] = ()
    edit_mask: MaskChoice | None = None
    whole: bool = False
    reference: Reference | None = None

    @property
    def masked(self) -> list[bool]:
        """Of each object, whether a mask goes with it."""
        return [mask.kind != AUTOMATIC for mask in self.masks]

    @property
    def mask_from(self) -> str:
        """The kind of the first mask that is not left to the model, else `AUTOMATIC`."""
        return next((mask.kind for mask in self.masks if mask.kind != AUTOMATIC), AUTOMATIC)

    def painted(self) -> list[MaskChoice]:
        """All masks that are not left to the model, the edit mask last."""
        chosen = [*self.masks, *([self.edit_mask] if self.edit_mask else [])]
        return [mask for mask in chosen if mask.kind != AUTOMATIC]

    def named(self) -> Order:
        """Where no object was named, they are called what their masks were painted for."""
        if self.wish.words or self.wish.instructs:
            return self
        return self.wishing(replace(self.wish, words=tuple(mask.word for mask in self.masks if mask.word)))

    def instructing(self) -> Order:
        """The same for a model that takes an instruction: all masks together say where the picture may change."""
        return self.wishing(self.wish.instructing())

    def wishing(self, wish: Wish) -> Order:
        """The same of the document for another wish."""
        return replace(self, wish=wish)

    def composed(self, reference: Reference | None, shows: str, attribute: str, target: str) -> Order:
        """The first object composed with a reference.

        Args:
            shows: what the reference shows. attribute: the word there of what is taken over, "" for none.
            target: what the picture is to show then.
        """
        words, masks = self.wish.words[:1], self.masks[:1]
        if attribute:
            words, masks = (*words, attribute), (*masks, MaskChoice(AUTOMATIC))
        wish = replace(self.wish, kind="compose", words=words, target=target, reference_prompt=shows)
        return replace(self, wish=wish, masks=masks, reference=reference)

    def asking(self, kind: str) -> Order:
        """The same document asked something about: its description (`caption`), or where the first object is (`mask`).

        No mask, reference or edit mask goes with that.
        """
        words = self.wish.words[:1] if kind == "mask" else ()
        return Order(replace(self.wish, kind=kind, words=words), whole=self.whole)
